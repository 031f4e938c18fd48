// The life of a session at a legacy server: lost, opened again, paused, left.
import { describe, expect, inject, it, vi } from 'vitest';
import { at } from '../../../../src/lib/json-value.ts';
import type { Upstream } from '../../../../src/policy/snapshot.ts';
import { httpUpstream, MAX_RESPONSE_BYTES, network } from './rig.ts';
import { catalog, collect, done, request, ScriptedServer, sessionRig, Stream, UPSTREAM } from './session-rig.ts';
import type { Sent } from './session-rig.ts';

const SUCCESS = { ok: true, value: { content: [{ type: 'text', text: 'done' }] } };
const NEWS = catalog({ capabilities: { tools: { listChanged: true }, resources: { subscribe: true } } });

function answersCalls({ body }: Sent): Response | undefined {
  if (body.method !== 'tools/call') return undefined;
  return Response.json({ jsonrpc: '2.0', ...done(body.id) });
}

describe('a session that the server lost', () => {
  it.each([
    ['404', () => new Response('Session not found', { status: 404 })],
    ['400 that names the session', () => new Response('Bad Request: No valid session ID', { status: 400 })],
  ])('is opened again once for those who find it lost together: %s', async (_how, refusal) => {
    const server = new ScriptedServer((sent) => {
      const session = sent.headers.get('mcp-session-id');
      if (sent.body.method === 'tools/call' && session === 's-1') return refusal();
      return answersCalls(sent);
    });
    const { links, held } = sessionRig(server);
    const outcomes = await Promise.all([1, 2, 3].map(() => links.request(UPSTREAM, request())));
    expect(outcomes).toEqual([SUCCESS, SUCCESS, SUCCESS]);
    expect(server.of('initialize')).toHaveLength(2);
    expect(held.get('one')?.sessionId).toBe('s-2');
  });

  it('is not tried a third time', async () => {
    const server = new ScriptedServer((sent) =>
      sent.body.method === 'tools/call' ? new Response('Session not found', { status: 404 }) : undefined,
    );
    const outcome = await sessionRig(server).links.request(UPSTREAM, request());
    expect(outcome).toMatchObject({ ok: false, error: { stage: 'call', message: expect.stringMatching(/HTTP 404/) } });
    expect(server.of('tools/call')).toHaveLength(2);
  });

  it('is opened again for those who only listen, where it was lost while nobody did', async () => {
    const server = new ScriptedServer();
    const { links } = sessionRig(server, { catalog: NEWS });
    await links.request(UPSTREAM, request());
    server.sessions.clear();
    const { heard, onNotification } = collect();
    const listener = links.listen(UPSTREAM, { uris: [], onNotification });
    await vi.waitFor(() => expect(server.of('initialize')).toHaveLength(2));
    server.push.send({ method: 'notifications/tools/list_changed' });
    await vi.waitFor(() => expect(heard).toHaveLength(1));
    listener.close();
  });

  it('is not one whose stream the server takes for open still', async () => {
    const server = new ScriptedServer(({ method }) =>
      method === 'GET' && server.sent.filter((sent) => sent.method === 'GET').length === 1
        ? new Response('Conflict: Only one SSE stream is allowed per session', { status: 409 })
        : undefined,
    );
    const { links } = sessionRig(server, { catalog: NEWS });
    const { heard, onNotification } = collect();
    const listener = links.listen(UPSTREAM, { uris: [], onNotification });
    server.push.send({ method: 'notifications/tools/list_changed' });
    await vi.waitFor(() => expect(heard).toHaveLength(1), { timeout: 5_000 });
    expect(server.of('initialize')).toHaveLength(1);
    listener.close();
  });

  it('is not one that merely has no stream of its own', async () => {
    const server = new ScriptedServer(({ method }) =>
      method === 'GET' ? new Response('Not found', { status: 404 }) : undefined,
    );
    const { links } = sessionRig(server, { catalog: NEWS });
    const listener = links.listen(UPSTREAM, { uris: [], onNotification: () => undefined });
    await vi.waitFor(() => expect(server.of('ping')).toHaveLength(1));
    await links.request(UPSTREAM, request());
    expect(server.of('initialize')).toHaveLength(1);
    listener.close();
  });

  it('is opened again for those who listen, with their subscriptions', async () => {
    const server = new ScriptedServer();
    const { links } = sessionRig(server, { catalog: NEWS });
    const { heard, onNotification } = collect();
    const listener = links.listen(UPSTREAM, { uris: ['a:1'], onNotification });
    await vi.waitFor(() => expect(server.of('resources/subscribe')).toHaveLength(1));
    const old = server.push;
    server.push = new Stream();
    server.sessions.clear();
    old.end();
    await vi.waitFor(() => expect(server.of('resources/subscribe')).toHaveLength(2), { timeout: 5_000 });
    const sessions = server.of('resources/subscribe').map(({ headers }) => headers.get('mcp-session-id'));
    expect(sessions).toEqual(['s-1', 's-2']);
    server.push.send({ method: 'notifications/resources/updated', params: { uri: 'a:1' } });
    await vi.waitFor(() => expect(heard).toHaveLength(1));
    listener.close();
    await vi.waitFor(() => expect(server.of('resources/unsubscribe')).toHaveLength(1));
  });
});

it('keeps to the session id that it was given, whatever later answers name', async () => {
  const server = new ScriptedServer((sent) => {
    const response = answersCalls(sent);
    response?.headers.set('mcp-session-id', 'somebody-elses');
    return response;
  });
  const { links, held } = sessionRig(server);
  for (let count = 0; count < 2; count++) expect(await links.request(UPSTREAM, request())).toEqual(SUCCESS);
  expect(server.of('tools/call').map(({ headers }) => headers.get('mcp-session-id'))).toEqual(['s-1', 's-1']);
  expect(held.get('one')?.sessionId).toBe('s-1');
});

describe('a stream that the server closes in the midst of a request', () => {
  it('is taken up again, and the client told that it may be sent away', async () => {
    const streams: Stream[] = [];
    const server = new ScriptedServer(({ method, body, headers }) => {
      if (body.method !== 'tools/call' && !headers.has('last-event-id')) return undefined;
      const stream = new Stream();
      streams.push(stream);
      if (method === 'POST') stream.raw('id: e-1\nretry: 20\ndata:\n\n').end();
      else stream.send(done(server.of('tools/call')[0]?.body.id)).end();
      return stream.response;
    });
    const paused: unknown[] = [];
    const { links } = sessionRig(server);
    const outcome = await links.request(UPSTREAM, request({ onPause: (retryMs) => void paused.push(retryMs) }));
    expect(outcome).toEqual(SUCCESS);
    expect(paused).toEqual([20]);
    expect(server.sent.map(({ headers }) => headers.get('last-event-id')).filter((id) => id !== null)).toEqual(['e-1']);
  });

  it('without a word of when to come back is no pause', async () => {
    const server = new ScriptedServer(({ method, body, headers }) => {
      if (body.method !== 'tools/call' && !headers.has('last-event-id')) return undefined;
      const stream = new Stream();
      if (method === 'POST') stream.raw('id: e-1\ndata:\n\n').end();
      else stream.send(done(server.of('tools/call')[0]?.body.id)).end();
      return stream.response;
    });
    const onPause = vi.fn<(retryMs: number | undefined) => void>();
    expect(await sessionRig(server).links.request(UPSTREAM, request({ onPause }))).toEqual(SUCCESS);
    expect(onPause).not.toHaveBeenCalled();
  });

  it('for ever is given up in time', async () => {
    const server = new ScriptedServer(({ method, body, headers }) => {
      if (body.method !== 'tools/call' && !headers.has('last-event-id')) return undefined;
      const stream = new Stream();
      stream.raw(`id: ${method}\nretry: 10\ndata:\n\n`).end();
      return stream.response;
    });
    const outcome = await sessionRig(server).links.request({ ...UPSTREAM, timeout: 300 }, request());
    expect(outcome).toMatchObject({ ok: false, error: { code: 'upstream_timeout' } });
  });
});

describe('a message too large', () => {
  const huge = 'x'.repeat(MAX_RESPONSE_BYTES + 1);

  it('as an answer is refused', async () => {
    const server = new ScriptedServer(({ body }) =>
      body.method === 'tools/call' ? new Stream().send(done(body.id, huge)).response : undefined,
    );
    expect(await sessionRig(server).links.request(UPSTREAM, request())).toMatchObject({
      ok: false,
      error: { message: expect.stringMatching(/more than 8388608 bytes/) },
    });
  });

  it('on the stream of the session is passed over, and the stream goes on', async () => {
    const server = new ScriptedServer();
    const { links } = sessionRig(server, { catalog: NEWS });
    const { heard, onNotification } = collect();
    const listener = links.listen(UPSTREAM, { uris: [], onNotification });
    await vi.waitFor(() => expect(server.sent.some(({ method }) => method === 'GET')).toBe(true));
    server.push.send({ method: 'notifications/message', params: { level: 'info', data: huge } });
    server.push.send({ method: 'notifications/tools/list_changed' });
    await vi.waitFor(() => expect(heard).toHaveLength(1));
    expect(heard).toEqual([{ method: 'notifications/tools/list_changed' }]);
    listener.close();
  });
});

describe('the end', () => {
  it('comes with another definition of the server', async () => {
    const server = new ScriptedServer();
    const { links, idle } = sessionRig(server);
    await links.request(UPSTREAM, request());
    await links.request({ ...UPSTREAM, fingerprint: 'f2' }, request());
    await idle();
    expect(server.sent.filter(({ method }) => method === 'DELETE')).toHaveLength(1);
  });

  it('is told to the server, of sessions of before a restart too', async () => {
    const server = new ScriptedServer();
    server.sessions.add('s-9');
    const held = new Map([['one', { sessionId: 's-9', protocolVersion: '2025-11-25', capabilities: {} }]]);
    await sessionRig(server, { held }).links.close();
    expect(server.sent.map(({ method, headers }) => [method, headers.get('mcp-session-id')])).toEqual([
      ['DELETE', 's-9'],
    ]);
    expect(held.size).toBe(0);
  });

  it('ends what listens', async () => {
    const server = new ScriptedServer();
    const { links } = sessionRig(server, { catalog: NEWS });
    links.listen(UPSTREAM, { uris: [], onNotification: () => {} });
    await vi.waitFor(() => expect(server.sent.some(({ method }) => method === 'GET')).toBe(true));
    await links.close();
    expect(server.sent.at(-1)?.method).toBe('DELETE');
    const before = server.sent.length;
    await scheduler.wait(1_500);
    expect(server.sent).toHaveLength(before);
  });
});

it('tells a server that was promised it that the roots changed', async () => {
  const server = new ScriptedServer();
  const { links, idle } = sessionRig(server);
  links.rootsChanged();
  await links.request(UPSTREAM, request());
  links.rootsChanged();
  await idle();
  expect(server.of('notifications/roots/list_changed')).toHaveLength(1);
});

it('leaves a server alone that has nothing to say, until something else opens a session', async () => {
  const server = new ScriptedServer();
  const { links } = sessionRig(server);
  const { heard, onNotification } = collect();
  const listener = links.listen(UPSTREAM, { uris: [], onNotification });
  await scheduler.wait(50);
  expect(server.sent).toEqual([]);
  await links.request(UPSTREAM, request());
  await vi.waitFor(() => expect(server.sent.some(({ method }) => method === 'GET')).toBe(true));
  server.push.send({ method: 'notifications/message', params: { level: 'info', data: 'x' } });
  await vi.waitFor(() => expect(heard).toHaveLength(1));
  listener.close();
});

it('tells who subscribes what the server has against it', async () => {
  const server = new ScriptedServer(({ body }) =>
    body.method === 'resources/subscribe' && body.params?.['uri'] === 'no:such'
      ? Response.json({ jsonrpc: '2.0', id: body.id, error: { code: -32002, message: 'Resource not found' } })
      : undefined,
  );
  const { links } = sessionRig(server, { catalog: NEWS });
  const listener = links.listen(UPSTREAM, { uris: [], onNotification: () => {} });
  expect(await listener.resubscribe(['a:1', 'no:such'])).toMatchObject({ answered: { code: -32002 } });
  expect(await listener.resubscribe(['a:1'])).toBeUndefined();
  expect(server.of('resources/subscribe')).toHaveLength(2);
  listener.close();
});

function realServer(): Upstream {
  return { ...httpUpstream(`${inject('legacyUrl')}/sse`), type: 'sse' };
}

describe('over the older transport', () => {
  it('calls share one connection, each with its own answer', async () => {
    const sse = realServer();
    const { links } = sessionRig(network);
    const call = (text: string) => links.request(sse, request({ params: { name: 'echo', arguments: { text } } }));
    const outcomes = await Promise.all(['a', 'b', 'c'].map(call));
    expect(outcomes.map((outcome) => outcome.ok && at(outcome.value, 'content'))).toMatchObject([
      [{ text: 'a' }],
      [{ text: 'b' }],
      [{ text: 'c' }],
    ]);
    await links.close();
    expect(await call('again')).toMatchObject({ ok: true });
    await links.close();
  });

  it('progress comes and a cancellation reaches the server', async () => {
    const sse = realServer();
    const { links, idle } = sessionRig(network);
    const told = collect();
    const params = { name: 'slow', arguments: { ms: 80 } };
    await links.request(sse, request({ params, wantsProgress: true, ...told }));
    expect(told.heard.map(({ params: said }) => said?.['progress'])).toEqual([1, 2, 3, 4]);
    const before: { cancelled: number } = await (await fetch(`${inject('legacyUrl')}/control/state`)).json();
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 100);
    const long = { name: 'slow', arguments: { ms: 5_000 } };
    expect(await links.request(sse, request({ params: long, signal: controller.signal }))).toMatchObject({ ok: false });
    await idle();
    await vi.waitFor(async () => {
      const now: { cancelled: number } = await (await fetch(`${inject('legacyUrl')}/control/state`)).json();
      expect(now.cancelled).toBeGreaterThan(before.cancelled);
    });
    await links.close();
  });

  it('a connection that ends fails what is under way, and the next call opens another', async () => {
    const streams: Stream[] = [];
    const server = new ScriptedServer(({ method, body }) => {
      if (method === 'GET') {
        const stream = new Stream();
        streams.push(stream);
        stream.raw('event: endpoint\ndata: /messages?session=1\n\n');
        return stream.response;
      }
      const stream = streams.at(-1);
      if (body.method === 'initialize') {
        stream?.send({ id: body.id, result: { protocolVersion: '2024-11-05', capabilities: {} } });
      } else if (body.method === 'tools/call' && streams.length > 1) stream?.send(done(body.id));
      return new Response(null, { status: 202 });
    });
    const sse = { ...UPSTREAM, type: 'sse' as const };
    const { links } = sessionRig(server);
    const first = links.request(sse, request());
    await vi.waitFor(() => expect(server.of('tools/call')).toHaveLength(1));
    streams[0]?.end();
    expect(await first).toMatchObject({
      ok: false,
      error: { message: expect.stringMatching(/before it was complete/) },
    });
    expect(await links.request(sse, request())).toEqual(SUCCESS);
    await links.close();
  });

  it('a server that never names its address, or another host, fails in time', async () => {
    const silent = new ScriptedServer(() => new Stream().response);
    const sse = { ...UPSTREAM, type: 'sse' as const, timeout: 200 };
    expect(await sessionRig(silent).links.request(sse, request())).toMatchObject({
      ok: false,
      error: { code: 'upstream_timeout' },
    });
  });
});
