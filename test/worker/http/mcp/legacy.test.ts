// The HTTP of the legacy eras over the real objects, and what outlives those.
import { evictDurableObject, listDurableObjectIds, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env, exports } from 'cloudflare:workers';
import { beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { EventReader } from '../../mcp/session/rig.ts';

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

const URL_BASE = 'http://gateway.test';
const KEYS = { one: 'vk-legacy-one', other: 'vk-legacy-other', brief: 'vk-legacy-brief' };
const INITIALIZE = {
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
};

async function configure(keys: readonly (keyof typeof KEYS)[], sessions: object = {}): Promise<void> {
  const grants = ['old', 'dual'].map((name) => ({ name, allowed_tools: ['*'] }));
  const document = {
    mcp: {
      servers: [
        // An object whose handshake at an upstream may still time out is not evicted.
        { name: 'old', type: 'http', url: `${inject('legacyUrl')}/mcp`, timeout: '2s' },
        { name: 'dual', type: 'http', url: `${inject('dualEraUrl')}/mcp` },
      ],
      sessions: { per_key: 3, ...sessions },
    },
    virtual_keys: keys.map((name) => ({ key_name: name, key: KEYS[name], mcp_clients: grants })),
  };
  const response = await exports.default.fetch(
    new Request(`${URL_BASE}/api/config`, {
      method: 'PUT',
      headers: { authorization: 'Bearer test-admin-token', 'content-type': 'application/json' },
      body: JSON.stringify(document),
    }),
  );
  expect([response.status, await response.text()]).toEqual([200, expect.any(String)]);
}

interface Sent {
  readonly key?: keyof typeof KEYS;
  readonly path?: string;
  readonly session?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

function send(method: string, body: unknown, { key = 'one', path = '/mcp/old', session, headers }: Sent = {}) {
  return exports.default.fetch(
    new Request(URL_BASE + path, {
      method,
      headers: {
        authorization: `Bearer ${KEYS[key]}`,
        accept: method === 'POST' ? 'application/json, text/event-stream' : 'text/event-stream',
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(session !== undefined && { 'mcp-session-id': session }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    }),
  );
}

async function open(sent: Sent = {}): Promise<string> {
  const response = await send('POST', INITIALIZE, sent);
  expect(response.status).toBe(200);
  await response.text();
  return response.headers.get('mcp-session-id') ?? '';
}

const call = (name: string, id: number | string = 1, given: object = {}) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name, arguments: given, _meta: { progressToken: 'p' } },
});
const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };

async function end(session: string, sent: Sent = {}): Promise<void> {
  expect((await send('DELETE', undefined, { session, ...sent })).status).toBe(204);
}

const readerOf = (response: Response) =>
  new EventReader({ kind: 'stream', events: response.body as ReadableStream<Uint8Array> });

async function objectOf(session: string): Promise<DurableObjectStub> {
  const keyId = await keyIdOf();
  return env.MCP_SESSION.getByName(`${keyId}/${session.split('.')[0]}`);
}

async function keyIdOf(): Promise<string> {
  const response = await exports.default.fetch(
    new Request(`${URL_BASE}/api/virtual-keys`, { headers: { authorization: 'Bearer test-admin-token' } }),
  );
  const { items } = await response.json<{ items: { id: string; key_name: string }[] }>();
  const found = items.find((item) => item.key_name === 'one');
  if (found === undefined) throw new Error(JSON.stringify(items));
  return found.id;
}

/** At the upstream. */
async function sessionsEnded(): Promise<number> {
  const state = await (await fetch(`${inject('legacyUrl')}/control/state`)).json<{ methods: string[] }>();
  return state.methods.filter((method) => method === 'http DELETE').length;
}

/** In which the upstream meets the client. */
async function sessionBehind(session: string): Promise<string> {
  const response = await send('POST', call('headers'), { session });
  const { result } = await response.json<{ result: { content: { text: string }[] } }>();
  const { sessionId } = JSON.parse(result.content[0]?.text ?? '') as { sessionId?: string };
  if (sessionId === undefined) throw new Error(JSON.stringify(result));
  return sessionId;
}

/** By the transport of 2024-11-05. */
async function connect() {
  const reader = readerOf(await send('GET', undefined, {}));
  const endpoint = await reader.next();
  return { reader, endpoint, url: String(endpoint?.message) };
}

beforeAll(() => configure(['one', 'other', 'brief']));

describe('a session', () => {
  it('begins with initialize, in the version that was asked for or the newest', async () => {
    const known = await send('POST', {
      ...INITIALIZE,
      params: { ...INITIALIZE.params, protocolVersion: '2025-03-26' },
    });
    expect(await known.json()).toMatchObject({ result: { protocolVersion: '2025-03-26' } });
    const unknown = await send('POST', {
      ...INITIALIZE,
      params: { ...INITIALIZE.params, protocolVersion: '1999-01-01' },
    });
    expect(await unknown.json()).toMatchObject({ result: { protocolVersion: '2025-11-25', serverInfo: {} } });
    for (const response of [known, unknown]) await end(response.headers.get('mcp-session-id') ?? '');
  });

  it('serves requests, and an upstream session of its own', async () => {
    const session = await open();
    expect(await sessionBehind(session)).toBe(await sessionBehind(session));
    await end(session);
  });

  it('is needed for everything else', async () => {
    const response = await send('POST', ping);
    expect([response.status, await response.text()]).toEqual([400, expect.stringContaining('Mcp-Session-Id')]);
    expect((await send('DELETE', undefined)).status).toBe(400);
  });

  it('is over after DELETE, at its upstreams too', async () => {
    const session = await open();
    await (await send('POST', call('echo', 1, { text: 'x' }), { session })).text();
    const before = await sessionsEnded();
    await end(session);
    const again = await send('POST', ping, { session });
    expect([again.status, await again.json()]).toEqual([
      404,
      expect.objectContaining({ error: { code: -32001, message: expect.any(String) } }),
    ]);
    expect((await send('DELETE', undefined, { session })).status).toBe(404);
    expect((await send('GET', undefined, { session })).status).toBe(404);
    await expect.poll(sessionsEnded).toBe(before + 1);
  });

  it.each([
    ['another key', { key: 'other' }],
    ['another endpoint', { path: '/mcp/dual' }],
    ['the endpoint of all', { path: '/mcp' }],
  ] as const)('is not there for %s', async (_what, sent) => {
    const session = await open();
    for (const method of ['POST', 'GET', 'DELETE']) {
      const response = await send(method, method === 'POST' ? ping : undefined, { session, ...sent });
      expect([method, response.status]).toEqual([method, 404]);
    }
    expect((await send('POST', ping, { session })).status).toBe(200);
    await end(session);
  });

  it('cannot be guessed, and guessing touches no object', async () => {
    const before = await listDurableObjectIds(env.MCP_SESSION);
    for (let slot = 100; slot < 120; slot++) {
      const session = `${slot}.${'A'.repeat(22)}.${'A'.repeat(43)}`;
      expect((await send('POST', ping, { session })).status).toBe(404);
    }
    expect(await listDurableObjectIds(env.MCP_SESSION)).toHaveLength(before.length);
  });

  it.each([
    ['an unknown version', { 'mcp-protocol-version': '2020-01-01' }, 400],
    ['an older version that is known', { 'mcp-protocol-version': '2025-06-18' }, 200],
  ])('answers a request under %s', async (_what, headers, status) => {
    const session = await open();
    expect((await send('POST', ping, { session, headers })).status).toBe(status);
    await end(session);
  });

  it('is not served to who accepts no stream', async () => {
    const session = await open();
    const response = await send('GET', undefined, { session, headers: { accept: 'text/html' } });
    expect(response.status).toBe(406);
    await end(session);
  });

  it('is refused by status where it cannot be read', async () => {
    const session = await open();
    expect((await send('POST', [], { session })).status).toBe(400);
    expect((await send('GET', undefined, { session, headers: { 'last-event-id': 'AAAAAAAAAAAAAAAA.1' } })).status).toBe(
      400,
    );
    await end(session);
  });

  it('of a revoked key is 401 at once', async () => {
    const session = await open({ key: 'brief' });
    await configure(['one', 'other']);
    expect((await send('POST', ping, { session, key: 'brief' })).status).toBe(401);
    await configure(['one', 'other', 'brief']);
  });
});

describe('the stream of a session', () => {
  it('is one', async () => {
    const session = await open();
    const reader = readerOf(await send('GET', undefined, { session }));
    expect(await reader.next()).toMatchObject({ retry: 1000 });
    expect((await send('GET', undefined, { session })).status).toBe(409);
    await end(session);
    expect(await reader.next()).toBeUndefined();
  });

  it('that ended in the midst of a request is taken up by a GET', async () => {
    const session = await open();
    const reader = readerOf(await send('POST', call('slow'), { session }));
    const primed = await reader.next();
    await reader.next();
    await reader.hangUp();
    const headers = { 'last-event-id': primed?.id ?? '' };
    const events = await readerOf(await send('GET', undefined, { session, headers })).all();
    expect(events.at(-1)?.message).toMatchObject({ id: 1, result: {} });
    const over = await send('GET', undefined, { session, headers: { 'last-event-id': events.at(-1)?.id ?? '' } });
    expect(over.status).toBe(204);
    await end(session);
  });
});

describe('what outlives the object', () => {
  it('is the session: its handshake and its sessions at upstreams', async () => {
    const session = await open();
    const before = await sessionBehind(session);
    await evictDurableObject(await objectOf(session));
    expect(await sessionBehind(session)).toBe(before);
    await end(session);
  });

  it('is an answer that nobody has fetched', async () => {
    const session = await open();
    const reader = readerOf(await send('POST', call('slow'), { session }));
    const primed = await reader.next();
    await reader.hangUp();
    await scheduler.wait(2_500);
    await evictDurableObject(await objectOf(session));
    const headers = { 'last-event-id': primed?.id ?? '' };
    const events = await readerOf(await send('GET', undefined, { session, headers })).all();
    expect(events.at(-1)?.message).toMatchObject({ id: 1, result: {} });
    await end(session);
  });

  it('is nothing once it was idle for too long', async () => {
    await configure(['one', 'other', 'brief'], { idle_timeout: '1s' });
    const session = await open();
    await configure(['one', 'other', 'brief']);
    const object = await objectOf(session);
    await expect.poll(async () => (await send('POST', ping, { session })).status).toBe(200);
    await runDurableObjectAlarm(object);
    expect((await send('POST', ping, { session })).status, 'used just now').toBe(200);
    await scheduler.wait(1_300);
    await runDurableObjectAlarm(object);
    await expect.poll(async () => (await send('POST', ping, { session })).status).toBe(404);
    await runInDurableObject(object, async (_instance, state) => {
      expect(await state.storage.getAlarm()).toBeNull();
      expect(state.storage.sql.exec('SELECT count(*) AS rows FROM upstream_sessions').one()).toEqual({ rows: 0 });
    });
  });
});

describe('the sessions of a key', () => {
  it('use the same objects again', async () => {
    const slots = new Set<string | undefined>();
    for (let round = 0; round < 4; round++) {
      const session = await open({ key: 'other' });
      slots.add(session.split('.')[0]);
      await end(session, { key: 'other' });
      await scheduler.wait(200);
    }
    expect([...slots]).toEqual(['0']);
  });

  it('are so many and no more, while all are in use', async () => {
    const sessions = await Promise.all([1, 2, 3].map(() => open({ key: 'other' })));
    const refused = await send('POST', INITIALIZE, { key: 'other' });
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, expect.any(String)]);
    await Promise.all(sessions.map((session) => end(session, { key: 'other' })));
    await expect.poll(async () => (await send('POST', INITIALIZE, { key: 'other' })).status).toBe(200);
  });
});

describe('the transport of 2024-11-05', () => {
  it('has its answers on the stream that tells where to send', async () => {
    const { reader, endpoint, url } = await connect();
    expect(endpoint).toMatchObject({ type: 'endpoint', message: expect.stringMatching(/^\/mcp\/old\?session=/) });
    expect((await send('POST', INITIALIZE, { path: url })).status).toBe(202);
    expect(await reader.next()).toMatchObject({ message: { id: 0, result: { protocolVersion: '2025-11-25' } } });
    expect((await send('POST', call('echo', 5, { text: 'hi' }), { path: url })).status).toBe(202);
    expect(await reader.next()).toMatchObject({ message: { id: 5, result: { content: [{ text: 'hi' }] } } });
    await reader.hangUp();
  });

  it('is taken up again where it broke', async () => {
    const { reader, endpoint, url } = await connect();
    await send('POST', INITIALIZE, { path: url });
    await reader.next();
    await reader.hangUp();
    await send('POST', call('echo', 6, { text: 'missed' }), { path: url });
    const again = readerOf(await send('GET', undefined, { headers: { 'last-event-id': endpoint?.id ?? '' } }));
    expect(await again.next()).toMatchObject({ type: 'endpoint', message: url });
    expect(await again.next()).toMatchObject({ message: { id: 0 } });
    expect(await again.next()).toMatchObject({ message: { id: 6, result: { content: [{ text: 'missed' }] } } });
    await again.hangUp();
  });

  it('is not there for another key', async () => {
    const { reader, url } = await connect();
    expect((await send('POST', ping, { path: url, key: 'other' })).status).toBe(404);
    await reader.hangUp();
  });
});
