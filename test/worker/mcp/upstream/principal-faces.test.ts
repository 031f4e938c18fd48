import { describe, expect, it } from 'vitest';
import { admitFace } from '../../../../src/mcp/upstream/principal-faces.ts';
import { rig } from './rig.ts';
import { catalog, done, request, ScriptedServer, UPSTREAM } from './session-rig.ts';

const HALF_AN_HOUR_MS = 30 * 60_000;

describe('the kinds of clients of a principal', () => {
  it('are few, and a principal takes none from another', () => {
    for (let kind = 0; kind < 32; kind++) expect(admitFace('a', `${kind}`, 0)).toBe(true);
    expect(admitFace('a', 'one more', 0)).toBe(false);
    expect(admitFace('a', '7', 0)).toBe(true);
    expect(admitFace('b', 'one more', 0)).toBe(true);
  });

  it('are forgotten when their sessions are', () => {
    for (let kind = 0; kind < 32; kind++) admitFace('c', `${kind}`, kind);
    expect(admitFace('c', 'one more', HALF_AN_HOUR_MS)).toBe(false);
    expect(admitFace('c', 'one more', HALF_AN_HOUR_MS + 1)).toBe(true);
    expect(admitFace('c', 'another', HALF_AN_HOUR_MS + 1)).toBe(false);
  });

  it('share one session where they are too many, in which nobody can be asked', async () => {
    const server = new ScriptedServer(({ body }) =>
      body.method === 'tools/call' ? Response.json({ jsonrpc: '2.0', ...done(body.id) }) : undefined,
    );
    const { links } = rig(catalog(), server);
    for (let kind = 0; kind < 40; kind++) {
      const capabilities = { experimental: { kind: { kind } } };
      const outcome = await links('d', { capabilities }).request(UPSTREAM, request());
      expect(outcome.ok).toBe(true);
    }
    const told = server.of('initialize').map(({ body }) => body.params?.['capabilities']);
    expect(told).toHaveLength(33);
    expect(told.at(-1)).toEqual({});
  });
});
