import { env } from 'cloudflare:workers';
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { describe, expect, it, vi } from 'vitest';
// The first touch of an object loads the whole worker: here it does not count as a test's time.
import '../../../src/index.ts';
import type { McpSessionRpc, SessionRegisterRpc } from '../../../durable-objects/contracts.ts';
import type { SessionState } from '../../../src/mcp/session/ports.ts';

const register = (key: string): SessionRegisterRpc =>
  env.SESSION_REGISTER.getByName(key) as unknown as SessionRegisterRpc;
const session = (key: string, slot: number): McpSessionRpc =>
  env.MCP_SESSION.getByName(`${key}/${slot}`) as unknown as McpSessionRpc;

/** A session in its object, as if it had begun. */
async function settle(key: string, slot: number, nonce: string, usedAt: number): Promise<void> {
  const state: Partial<SessionState> = { nonce, slot, keyId: key, idleMs: 60_000, standaloneStream: 's' };
  await runInDurableObject(env.MCP_SESSION.getByName(`${key}/${slot}`), async (_instance, { storage }) => {
    storage.sql.exec('INSERT INTO session VALUES (1, ?, ?)', JSON.stringify(state), usedAt);
  });
}

describe('the slots of a key', () => {
  it('are handed out from the lowest, and again when they are free', async () => {
    expect(await register('a').take('a', 'n0', 3)).toBe(0);
    expect(await register('a').take('a', 'n1', 3)).toBe(1);
    await register('a').release(0, 'n0');
    expect(await register('a').take('a', 'n2', 3)).toBe(0);
  });

  it('are freed by nobody but the session that is in them', async () => {
    expect(await register('b').take('b', 'n0', 1)).toBe(0);
    await register('b').release(0, 'another');
    await settle('b', 0, 'n0', Date.now());
    expect(await register('b').take('b', 'n1', 1)).toBeUndefined();
  });

  it('are known after a restart, and of each key alone', async () => {
    await register('c').take('c', 'n0', 3);
    await evictDurableObject(env.SESSION_REGISTER.getByName('c'));
    expect(await register('c').take('c', 'n1', 3)).toBe(1);
    expect(await register('d').take('d', 'n0', 3)).toBe(0);
  });

  it('that are taken in name only, for the gateway was killed at their end, are found free', async () => {
    await register('e').take('e', 'n0', 1);
    expect(await register('e').take('e', 'n1', 1)).toBe(0);
  });

  it('are cleared of the oldest session that nobody uses', async () => {
    const now = Date.now();
    vi.spyOn(Date, 'now').mockReturnValue(now);
    for (const nonce of ['n0', 'n1', 'n2']) await register('f').take('f', nonce, 3);
    await settle('f', 0, 'n0', now);
    await settle('f', 1, 'n1', now - 10 * 60_000);
    await settle('f', 2, 'n2', now - 10 * 60_000);
    expect(await register('f').take('f', 'n3', 3)).toBe(1);
    expect(await session('f', 1).endIfUnused('n1', 0), 'it is gone').toBe(true);
    expect(await session('f', 0).endIfUnused('n0', 60_000), 'it is in use').toBe(false);
    vi.restoreAllMocks();
  });

  it('are cleared behind many that stay in use, if not at the first attempt', async () => {
    const now = Date.now();
    const clock = vi.spyOn(Date, 'now').mockReturnValue(now);
    for (let slot = 0; slot < 21; slot++) {
      clock.mockReturnValue(now + slot);
      await register('h').take('h', `n${slot}`, 21);
      await settle('h', slot, `n${slot}`, slot === 20 ? now - 10 * 60_000 : now);
    }
    clock.mockReturnValue(now + 100);
    expect(await register('h').take('h', 'new', 21)).toBeUndefined();
    expect(await register('h').take('h', 'new', 21)).toBe(20);
    vi.restoreAllMocks();
  });

  it('hold fewer when fewer are allowed', async () => {
    for (const nonce of ['n0', 'n1', 'n2']) await register('g').take('g', nonce, 3);
    for (const slot of [0, 1]) await settle('g', slot, `n${slot}`, Date.now());
    await register('g').release(2, 'n2');
    expect(await register('g').take('g', 'n3', 2)).toBeUndefined();
  });
});
