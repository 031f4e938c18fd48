import { env } from 'cloudflare:workers';
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { afterEach, describe, expect, it, vi } from 'vitest';
// The first touch of an object loads the whole worker: here it does not count as a test's time.
import '../../../src/index.ts';
import type { McpSessionRpc } from '../../../durable-objects/contracts.ts';

const DAY = 24 * 3_600_000;
const SESSION = { sessionId: 's1', protocolVersion: '2025-11-25', capabilities: { tools: {} } };

const stub = (owner: string): DurableObjectStub => env.MCP_SESSION.get(env.MCP_SESSION.idFromName(owner));
const object = (owner: string): McpSessionRpc => stub(owner) as unknown as McpSessionRpc;

afterEach(() => {
  vi.restoreAllMocks();
});

describe('the sessions of an owner', () => {
  it('survive a restart', async () => {
    await object('a').putUpstreamSession('github', 'f1', SESSION);
    await evictDurableObject(stub('a'));
    expect(await object('a').getUpstreamSession('github', 'f1')).toEqual(SESSION);
  });

  it('are of one owner, one upstream and one definition', async () => {
    await object('b').putUpstreamSession('github', 'f1', SESSION);
    expect(await object('c').getUpstreamSession('github', 'f1')).toBeUndefined();
    expect(await object('b').getUpstreamSession('linear', 'f1')).toBeUndefined();
    expect(await object('b').getUpstreamSession('github', 'f2')).toBeUndefined();
  });

  it('are dropped only while they are still the same', async () => {
    await object('d').putUpstreamSession('github', 'f1', { ...SESSION, sessionId: 's2' });
    await object('d').dropUpstreamSession('github', 's1');
    expect(await object('d').getUpstreamSession('github', 'f1')).toMatchObject({ sessionId: 's2' });
    await object('d').dropUpstreamSession('github', 's2');
    expect(await object('d').getUpstreamSession('github', 'f1')).toBeUndefined();
  });

  it('are forgotten after a day without use, and the object empties itself', async () => {
    // Ahead of the true time, so that the alarm is run by hand alone.
    let clock = Date.now() + DAY;
    vi.spyOn(Date, 'now').mockImplementation(() => clock);
    await object('e').putUpstreamSession('github', 'f1', SESSION);
    await object('e').putUpstreamSession('linear', 'f1', SESSION);
    clock += DAY / 2;
    await object('e').getUpstreamSession('linear', 'f1');
    clock += DAY / 2;
    expect(await runDurableObjectAlarm(stub('e'))).toBe(true);
    expect(await object('e').getUpstreamSession('github', 'f1')).toBeUndefined();
    expect(await object('e').getUpstreamSession('linear', 'f1')).toEqual(SESSION);
    clock += 2 * DAY;
    expect(await runDurableObjectAlarm(stub('e'))).toBe(true);
    expect(await runDurableObjectAlarm(stub('e')), 'no alarm is left').toBe(false);
    await runInDurableObject(stub('e'), async (_instance, state) => {
      expect(state.storage.sql.exec('SELECT count(*) AS rows FROM upstream_sessions').one()).toEqual({ rows: 0 });
    });
    await object('e').putUpstreamSession('github', 'f1', SESSION);
    expect(await object('e').getUpstreamSession('github', 'f1')).toEqual(SESSION);
  });
});
