// Two principals at one stateful upstream, in whatever order they come: neither ever meets the other's session, streams
// or answers.
import { exports } from 'cloudflare:workers';
import { array, assert, asyncProperty, constantFrom, nat, record } from 'fast-check';
import { beforeAll, expect, inject, it, vi } from 'vitest';
import { EventReader } from '../../mcp/session/rig.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 30_000 });

const URL_BASE = 'http://gateway.test';
const PRINCIPALS = ['one', 'other'] as const;
type Principal = (typeof PRINCIPALS)[number];
const keyOf = (principal: Principal): string => `vk-isolated-${principal}`;

beforeAll(async () => {
  const document = {
    mcp: { servers: [{ name: 'old', type: 'http', url: `${inject('legacyUrl')}/mcp` }] },
    virtual_keys: PRINCIPALS.map((name) => ({
      key_name: name,
      key: keyOf(name),
      mcp_clients: [{ name: 'old', allowed_tools: ['*'] }],
    })),
  };
  const response = await exports.default.fetch(
    new Request(`${URL_BASE}/api/config`, {
      method: 'PUT',
      headers: { authorization: 'Bearer test-admin-token', 'content-type': 'application/json' },
      body: JSON.stringify(document),
    }),
  );
  expect(response.status).toBe(200);
});

interface Session {
  readonly owner: Principal;
  readonly id: string;
  /** In which the upstream met it first. */
  readonly behind: string;
  /** Of what its streams carried. */
  readonly events: string[];
}

function send(as: Principal, method: string, session: string | undefined, body?: object, lastEventId?: string) {
  return exports.default.fetch(
    new Request(`${URL_BASE}/mcp/old`, {
      method,
      headers: {
        authorization: `Bearer ${keyOf(as)}`,
        accept: 'application/json, text/event-stream',
        ...(session !== undefined && { 'mcp-session-id': session }),
        ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify({ jsonrpc: '2.0', ...body }) }),
    }),
  );
}

const call = (name: string, given: object = {}) => ({
  // The same for everybody, so that answers would be mixed up if ids were all that tells them apart.
  id: 1,
  method: 'tools/call',
  params: { name, arguments: given, _meta: { progressToken: 'p' } },
});

async function behind(as: Principal, session: string): Promise<string> {
  const response = await send(as, 'POST', session, call('headers'));
  const { result } = await response.json<{ result: { content: { text: string }[] } }>();
  return (JSON.parse(result.content[0]?.text ?? '') as { sessionId: string }).sessionId;
}

async function open(owner: Principal): Promise<Session> {
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: owner, version: '1' } };
  const response = await send(owner, 'POST', undefined, { id: 1, method: 'initialize', params });
  await response.text();
  const id = response.headers.get('mcp-session-id') ?? '';
  return { owner, id, behind: await behind(owner, id), events: [] };
}

async function stream(session: Session): Promise<void> {
  const response = await send(session.owner, 'POST', session.id, call('slow', { ms: 4 }));
  const reader = new EventReader({ kind: 'stream', events: response.body as ReadableStream<Uint8Array> });
  const events = await reader.all();
  expect(events.at(-1)?.message).toMatchObject({ id: 1, result: {} });
  session.events.push(...events.flatMap(({ id }) => id ?? []));
}

async function trespass(as: Principal, own: Session | undefined, session: Session): Promise<void> {
  expect((await send(as, 'POST', session.id, call('headers'))).status).toBe(404);
  expect((await send(as, 'GET', session.id, undefined, session.events.at(0))).status).toBe(404);
  expect((await send(as, 'DELETE', session.id)).status).toBe(404);
  const [stolen] = session.events;
  if (own === undefined || stolen === undefined) return;
  expect((await send(as, 'GET', own.id, undefined, stolen)).status).toBe(400);
}

const step = record({
  as: constantFrom(...PRINCIPALS),
  does: constantFrom('opens', 'calls', 'streams', 'trespasses', 'ends'),
  which: nat(),
});

it('two principals never meet', async () => {
  await assert(
    asyncProperty(array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
      const sessions: Session[] = [];
      for (const { as, does, which } of steps) {
        const own = sessions.filter(({ owner }) => owner === as);
        const mine = own[which % Math.max(1, own.length)];
        const others = sessions.filter(({ owner }) => owner !== as);
        const theirs = others[which % Math.max(1, others.length)];
        if (does === 'opens') sessions.push(await open(as));
        else if (does === 'trespasses' && theirs !== undefined) await trespass(as, mine, theirs);
        else if (mine === undefined) continue;
        else if (does === 'calls') expect(await behind(as, mine.id)).toBe(mine.behind);
        else if (does === 'streams') await stream(mine);
        else if (does === 'ends') {
          expect((await send(as, 'DELETE', mine.id)).status).toBe(204);
          sessions.splice(sessions.indexOf(mine), 1);
        }
      }
      expect(new Set(sessions.map((session) => session.behind)).size).toBe(sessions.length);
      await Promise.all(sessions.map(({ owner, id }) => send(owner, 'DELETE', id)));
    }),
    { numRuns: 25 },
  );
});
