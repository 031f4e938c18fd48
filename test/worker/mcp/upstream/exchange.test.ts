// Calls to servers that were met before, at the wire: a scripted `fetch` plays the server.
import { describe, expect, inject, it, vi } from 'vitest';
import type { Catalog, UpstreamSession } from '../../../../src/mcp/ports.ts';
import { callsReceived, httpUpstream, MAX_RESPONSE_BYTES, misbehaving, rig, stateOf, toolCall } from './rig.ts';

const SESSION: UpstreamSession = { sessionId: 's-1', protocolVersion: '2025-11-25', capabilities: {} };
const MODERN: Catalog = { fingerprint: 'c1', tools: [], era: 'modern', capabilities: {}, at: 0 };
const LEGACY: Catalog = { ...MODERN, era: 'legacy' };
const DONE = { content: [{ type: 'text', text: 'done' }], resultType: 'complete' };
const EVENTS = { 'content-type': 'text/event-stream' };

interface Sent {
  readonly method: string;
  readonly headers: Headers;
  readonly body: Readonly<{ id: number; method: string; params: Record<string, unknown> }>;
  readonly signal: AbortSignal;
}
type Script = (sent: Sent) => Response | Promise<Response>;

/** Legacy servers know the owner "alice" already, modern ones have a catalog. */
function serverThat(answer: Script, era: 'legacy' | 'modern' = 'legacy') {
  const sent: Sent[] = [];
  const send: typeof fetch = async (_input, init) => {
    const { method = 'GET', body, signal } = init ?? {};
    const headers = new Headers(init?.headers);
    const parsed = typeof body === 'string' ? JSON.parse(body) : {};
    const one = { method, headers, body: parsed, signal: signal ?? new AbortController().signal };
    sent.push(one);
    return one.body.method === 'tools/call' || method === 'GET' ? answer(one) : new Response(null, { status: 202 });
  };
  const reach = { endpoint: () => ({ url: new URL('http://upstream.test/mcp'), fetch: send }) };
  const { call, links, idle, sessions } = rig(era === 'modern' ? MODERN : LEGACY, reach);
  if (era === 'legacy') sessions.held.set('alice', SESSION);
  return {
    sent,
    idle,
    request: () => {
      const { signal } = new AbortController();
      const request = { method: 'tools/call', params: { name: 'work' }, signal, wantsProgress: false };
      return links('alice').request(httpUpstream('http://upstream.test/mcp'), request);
    },
    call: (more: Parameters<typeof toolCall>[1] = {}, timeout = 3_000, name = 'work') =>
      call(httpUpstream('http://upstream.test/mcp', { timeout }), 'alice', toolCall(name, more)),
  };
}

function event(message: object, before = ''): string {
  return `${before}event: message\ndata: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`;
}

/** @param pauseMs before each event but the first */
function events(parts: Iterable<string>, pauseMs = 0): Response {
  const encoder = new TextEncoder();
  const iterator = parts[Symbol.iterator]();
  let isFirst = true;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (!isFirst && pauseMs > 0) await scheduler.wait(pauseMs);
      isFirst = false;
      const next = iterator.next();
      if (next.done === true) controller.close();
      else controller.enqueue(encoder.encode(next.value));
    },
  });
  return new Response(body, { headers: EVENTS });
}

function progress(token: number, value: number): string {
  return event({ method: 'notifications/progress', params: { progressToken: token, progress: value, total: 9 } });
}

function* endlessProgress(id: number): Generator<string> {
  for (let step = 1; ; step++) yield progress(id, step);
}

function hang({ signal }: Sent): Promise<Response> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

const answered = ({ body }: Sent): Response => Response.json({ jsonrpc: '2.0', id: body.id, result: DONE });
const success = { ok: true, value: { content: DONE.content } };

const asking = ({ body: { id } }: Sent): Response =>
  events([event({ id: 'q', method: 'roots/list' }), event({ id: 7, method: 'ping' }), event({ id, result: DONE })]);

const steps = ({ body: { id } }: Sent): Response =>
  events([...[1, 2, 3, 4].map((step) => progress(id, step)), event({ id, result: DONE })], 200);

describe('the request', () => {
  it('is one POST in the session of a legacy server', async () => {
    const server = serverThat(answered);
    expect(await server.call({ arguments: { a: 1 } })).toEqual(success);
    expect(server.sent).toHaveLength(1);
    const [{ headers, body } = expect.fail()] = server.sent;
    expect(Object.fromEntries(headers)).toEqual({
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      'mcp-protocol-version': '2025-11-25',
      'mcp-session-id': 's-1',
    });
    expect(body).toEqual({
      jsonrpc: '2.0',
      id: expect.any(Number),
      method: 'tools/call',
      params: { name: 'work', arguments: { a: 1 } },
    });
  });

  it('carries the envelope of 2026-07-28, which the caller cannot replace', async () => {
    const server = serverThat(answered, 'modern');
    const meta = { trace: 't', 'io.modelcontextprotocol/protocolVersion': '1999-01-01' };
    expect(await server.call({ meta })).toEqual(success);
    expect(server.sent).toHaveLength(1);
    const [{ headers, body } = expect.fail()] = server.sent;
    expect(Object.fromEntries(headers)).toEqual({
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': 'work',
    });
    expect(body.params).toEqual({
      name: 'work',
      _meta: {
        trace: 't',
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientInfo': { name: 'sallyport', version: expect.any(String) },
        'io.modelcontextprotocol/clientCapabilities': {},
      },
    });
  });

  it.each([
    ['naïve', '=?base64?bmHDr3Zl?='],
    [' padded', '=?base64?IHBhZGRlZA==?='],
    ['line\nbreak', '=?base64?bGluZQpicmVhaw==?='],
    ['=?base64?eA==?=', '=?base64?PT9iYXNlNjQ/ZUE9PT89?='],
    ['two words', 'two words'],
    ['x', 'x'],
  ])('names the tool %j in a header as %j', async (name, header) => {
    const server = serverThat(answered, 'modern');
    expect(await server.call({}, 3_000, name)).toEqual(success);
    expect(server.sent[0]?.headers.get('mcp-name')).toBe(header);
    expect(server.sent[0]?.body.params['name']).toBe(name);
  });

  it('has an id of its own among the calls of a session', async () => {
    const server = serverThat(answered);
    await Promise.all([server.call(), server.call(), server.call()]);
    expect(new Set(server.sent.map(({ body }) => body.id)).size).toBe(3);
  });
});

it('gives calls at the same time in one session each their own answer', async () => {
  const upstream = httpUpstream(`${inject('legacyUrl')}/mcp`);
  const { call } = rig(LEGACY);
  await call(upstream, 'alice', toolCall('echo'));
  const slow = call(upstream, 'alice', toolCall('slow', { arguments: { ms: 400 } }));
  await scheduler.wait(100);
  const quick = call(upstream, 'alice', toolCall('echo', { arguments: { text: 'quick' } }));
  expect(await quick).toMatchObject({ ok: true, value: { content: [{ text: 'quick' }] } });
  expect(await slow).toMatchObject({ ok: true, value: { content: [{ text: 'done' }] } });
});

describe('a stream of messages', () => {
  it('tells progress, then the answer', async () => {
    const server = serverThat(({ body: { id } }) =>
      events([progress(id, 1), progress(id + 1, 5), progress(id, 2), event({ id, result: DONE }), progress(id, 3)]),
    );
    const seen: object[] = [];
    expect(await server.call({ onProgress: (told) => void seen.push(told) })).toEqual(success);
    expect(server.sent[0]?.body.params['_meta']).toEqual({ progressToken: server.sent[0]?.body.id });
    expect(seen).toEqual([
      { progress: 1, total: 9 },
      { progress: 2, total: 9 },
    ]);
  });

  it('has answers to somebody else in it, which are ignored', async () => {
    const foreign = { content: [{ type: 'text', text: 'not yours' }] };
    const server = serverThat(({ body: { id } }) =>
      events([
        event({ id: id + 1, result: foreign }),
        event({ id: null, error: { code: -1, message: 'not yours' } }),
        'data: {garbled\n\n',
        event({ id: String(id), result: DONE }),
      ]),
    );
    expect(await server.call()).toEqual(success);
  });

  it('ends without the answer', async () => {
    const server = serverThat(({ body: { id } }) => events([event({ id: id + 1, result: DONE })]));
    expect(await server.call()).toMatchObject({
      ok: false,
      error: { code: 'upstream_error', stage: 'call', message: expect.stringContaining('before it was complete') },
    });
  });

  it('lets progress restart the clock', async () => {
    expect(await serverThat(steps).call({ onProgress: () => {} }, 600)).toEqual(success);
    expect(await serverThat(steps).call({}, 600)).toMatchObject({ error: { code: 'upstream_timeout' } });
  });

  it('is left after ten timeouts, whatever the progress', async () => {
    const server = serverThat(({ body: { id } }) => events(endlessProgress(id), 15));
    const startedAt = Date.now();
    const outcome = await server.call({ onProgress: () => {} }, 200);
    expect(outcome).toMatchObject({ ok: false, error: { code: 'upstream_timeout' } });
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(2_000);
  });

  it('answers what a legacy server asks, and nothing to a modern one', async () => {
    const legacy = serverThat(asking);
    expect(await legacy.call()).toEqual(success);
    await legacy.idle();
    const [, ...answers] = legacy.sent;
    expect(answers.map(({ body, headers }) => ({ body, session: headers.get('mcp-session-id') }))).toEqual([
      { session: 's-1', body: { jsonrpc: '2.0', id: 'q', error: expect.objectContaining({ code: -32601 }) } },
      { session: 's-1', body: { jsonrpc: '2.0', id: 7, result: {} } },
    ]);
    const modern = serverThat(asking, 'modern');
    expect(await modern.call()).toEqual(success);
    expect(modern.sent).toHaveLength(1);
  });

  it('may hold one very long line', async () => {
    const text = 'x'.repeat(6 * 1024 * 1024);
    const server = serverThat(({ body: { id } }) => {
      const line = event({ id, result: { content: [{ type: 'text', text }] } });
      return events(line.match(/.{1,65536}|\n/gsu) ?? []);
    });
    const outcome = await server.call();
    if (!outcome.ok) throw new Error(outcome.error.message);
    expect(outcome.value.content).toEqual([{ type: 'text', text }]);
  });

  it('is taken up again after its last event as often as it breaks off', async () => {
    let id = 0;
    const pieces = [
      () => events(['id: e-0\nretry: 5\ndata:\n\n', `id: e-1\n${progress(id, 1)}`]),
      () => events([progress(id, 2)]),
      () => events([event({ id, result: DONE }, 'id: e-3\n')]),
    ];
    const server = serverThat((sent) => {
      if (sent.method === 'POST') ({ id } = sent.body);
      return pieces.shift()?.() ?? expect.fail();
    });
    const seen: number[] = [];
    const startedAt = Date.now();
    expect(await server.call({ onProgress: (told) => void seen.push(Number(told['progress'])) })).toEqual(success);
    expect(Date.now() - startedAt).toBeLessThan(500);
    expect(seen).toEqual([1, 2]);
    const told = server.sent.map(({ method, headers }) => [
      method,
      headers.get('last-event-id'),
      headers.get('mcp-session-id'),
    ]);
    expect(told).toEqual([
      ['POST', null, 's-1'],
      ['GET', 'e-1', 's-1'],
      ['GET', 'e-1', 's-1'],
    ]);
  });

  it('is not taken up again where the server does not offer it', async () => {
    const server = serverThat(({ method }) =>
      method === 'GET' ? new Response(null, { status: 405 }) : events(['id: e-0\nretry: 5\ndata:\n\n']),
    );
    expect(await server.call()).toMatchObject({
      error: { message: expect.stringContaining('before it was complete') },
    });
    expect(server.sent).toHaveLength(2);
  });
});

describe('a call given up', () => {
  it.each([
    ['the caller goes away', 3_000, 50],
    ['it takes too long', 50, 3_000],
  ])('because %s is cancelled at a legacy server before the line is cut', async (_why, timeout, abortAfter) => {
    const server = serverThat(hang);
    const controller = new AbortController();
    setTimeout(() => controller.abort(), abortAfter);
    const outcome = await server.call({ signal: controller.signal }, timeout);
    expect(outcome).toMatchObject({ ok: false, error: { code: 'upstream_timeout', stage: 'call' } });
    await server.idle();
    const [call, cancellation] = server.sent;
    expect(cancellation?.body).toMatchObject({
      method: 'notifications/cancelled',
      params: { requestId: call?.body.id, reason: expect.any(String) },
    });
    expect(cancellation?.headers.get('mcp-session-id')).toBe('s-1');
    expect(call?.signal.aborted).toBe(true);
  });

  it('is hung up on a modern server', async () => {
    const server = serverThat(hang, 'modern');
    expect(await server.call({}, 50)).toMatchObject({ error: { code: 'upstream_timeout' } });
    await server.idle();
    expect(server.sent.map(({ signal }) => signal.aborted)).toEqual([true]);
  });

  it('before it began is not sent', async () => {
    const server = serverThat(answered);
    expect(await server.call({ signal: AbortSignal.abort() })).toMatchObject({ ok: false });
    expect(server.sent).toEqual([]);
  });

  it('stops the tool at a real server, in a session used before', async () => {
    const base = inject('legacyUrl');
    const upstream = httpUpstream(`${base}/mcp`);
    const { call, idle } = rig(LEGACY);
    await call(upstream, 'alice', toolCall('echo'));
    const before = (await stateOf(base)).cancelled;
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 100);
    await call(upstream, 'alice', toolCall('slow', { arguments: { ms: 2_500 }, signal: controller.signal }));
    await idle();
    await vi.waitFor(async () => expect((await stateOf(base)).cancelled).toBe(before + 1));
  });
});

describe('an answer', () => {
  const huge = 'x'.repeat(MAX_RESPONSE_BYTES);
  it.each([
    ['JSON', 'application/json', `{"jsonrpc":"2.0","id":1,"result":{"content":["${huge}"]}}`],
    ['events', 'text/event-stream', `data: {"jsonrpc":"2.0","id":1,"result":{"content":["${huge}"]}}\n\n`],
  ])('of more bytes than allowed is refused as %s, declared or counted', async (_name, type, body) => {
    const refused = {
      ok: false,
      error: { code: 'upstream_error', message: expect.stringMatching(/more than 8388608/) },
    };
    const declared = { 'content-type': type, 'content-length': String(body.length) };
    expect(await serverThat(() => new Response(body, { headers: declared })).call()).toMatchObject(refused);
    const { body: stream } = new Response(body);
    expect(await serverThat(() => new Response(stream, { headers: { 'content-type': type } })).call()).toMatchObject(
      refused,
    );
  });

  it.each([
    ['to somebody else', () => ({ jsonrpc: '2.0', id: 'other', result: DONE }), /before it was complete/],
    ['that is no JSON-RPC', () => ({ hello: 'world' }), /not a JSON-RPC message/],
    ['whose result is a list', (id: number) => ({ jsonrpc: '2.0', id, result: [] }), /not a JSON-RPC message/],
  ])('%s is no answer', async (_name, answer, message) => {
    const server = serverThat(({ body }) => Response.json(answer(body.id)));
    expect(await server.call()).toMatchObject({
      ok: false,
      error: { code: 'upstream_error', message: expect.stringMatching(message) },
    });
  });

  it('in a list of messages is found', async () => {
    const server = serverThat(({ body: { id } }) => Response.json([{ jsonrpc: '2.0', id, result: DONE }]));
    expect(await server.call()).toEqual(success);
  });

  it.each(['input_required', 'task', undefined])('of the type %s is relayed whole', async (resultType) => {
    const whole = { ...DONE, resultType, unheardOf: { kept: true } };
    const server = serverThat(({ body: { id } }) => Response.json({ jsonrpc: '2.0', id, result: whole }), 'modern');
    const outcome = await server.request();
    expect(outcome).toEqual({ ok: true, value: { ...whole, resultType: resultType ?? 'complete' } });
  });
});

describe.each(['modern', 'legacy'] as const)('a %s server met before, on a bad day', (era) => {
  it.each([
    ['html', 'upstream_error', /text\/html/, 'call'],
    ['close', 'upstream_unavailable', /closed/, 'call'],
    ['mid-body', 'upstream_error', /middle of its answer/, 'call'],
    ['call-mid-stream', 'upstream_error', /before it was complete/, 'call'],
    ['bad-json', 'upstream_error', /invalid JSON/, 'call'],
    ['huge', 'upstream_error', /more than 8388608 bytes/, 'call'],
    ['error', 'upstream_error', /HTTP 500: status 500/, 'call'],
    ['unauthorized', 'upstream_error', /credentials/, 'credential'],
    ['forbidden', 'upstream_error', /credentials/, 'credential'],
    ['redirect', 'upstream_error', /redirect to http:\/\/127\.0\.0\.1:1\/elsewhere,/, 'call'],
    ['hang', 'upstream_timeout', /in time/, 'call'],
  ])('%s: %s', async (quirk, code, message, stage) => {
    const { call, sessions } = rig(era === 'modern' ? MODERN : LEGACY);
    if (era === 'legacy') sessions.held.set('alice', { ...SESSION, sessionId: '' });
    const before = await callsReceived(quirk);
    const outcome = await call(misbehaving(quirk, { timeout: 1_000 }), 'alice', toolCall('noop'));
    expect(outcome).toMatchObject({ ok: false, error: { code, stage, message: expect.stringMatching(message) } });
    expect(await callsReceived(quirk)).toBe(before + 1);
  });
});
