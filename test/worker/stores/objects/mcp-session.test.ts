import { env } from 'cloudflare:workers';
import { expect, it } from 'vitest';
// The first touch of an object loads the whole worker: here it does not count as a test's time.
import '../../../../src/index.ts';
import type { Upstream } from '../../../../src/policy/snapshot.ts';
import { createUpstreamSessions } from '../../../../src/stores/objects/mcp-session.ts';

const sessions = createUpstreamSessions(env);
const upstream: Upstream = { name: 'github', type: 'http', url: 'http://u.example/mcp', fingerprint: 'f1' };
const session = (sessionId: string) => ({ sessionId, protocolVersion: '2025-11-25', capabilities: {} });

it('keeps the sessions of one owner from every other', async () => {
  await sessions.put('alice', upstream, session('s1'));
  expect(await sessions.get('alice', upstream)).toEqual(session('s1'));
  expect(await sessions.get('bob', upstream)).toBeUndefined();
  expect(await sessions.get('alice', { ...upstream, name: 'linear' })).toBeUndefined();
  expect(await sessions.get('alice', { ...upstream, fingerprint: 'f2' })).toBeUndefined();
});

it('forgets only the session that was lost', async () => {
  await sessions.put('carol', upstream, session('new'));
  await sessions.drop('carol', upstream, 'old');
  expect(await sessions.get('carol', upstream)).toEqual(session('new'));
  await sessions.drop('carol', upstream, 'new');
  expect(await sessions.get('carol', upstream)).toBeUndefined();
});

it('asks the object for what the isolate has pushed out of its memory', async () => {
  const nowhere = { idFromName: () => 'id', get: () => ({ putUpstreamSession: async () => {} }) };
  const fillers = createUpstreamSessions({ MCP_SESSION: nowhere } as unknown as typeof env);
  await sessions.put('dave', upstream, session('s9'));
  for (let index = 0; index < 10_000; index++) await fillers.put(`owner-${index}`, upstream, session('x'));
  await env.MCP_SESSION.get(env.MCP_SESSION.idFromName('dave')).dropUpstreamSession('github', 's9');
  expect(await sessions.get('dave', upstream), 'memory no longer answers').toBeUndefined();
});
