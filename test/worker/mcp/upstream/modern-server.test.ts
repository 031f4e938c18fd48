// Servers of 2026-07-28, as clients of either era meet them.
import { describe, expect, it, vi } from 'vitest';
import type { JsonObject } from '../../../../src/lib/json-value.ts';
import type { Ask, LinkRequest } from '../../../../src/mcp/links.ts';
import type { Catalog, UpstreamViews } from '../../../../src/mcp/ports.ts';
import { FACE, fixedViews, rig } from './rig.ts';
import { ASKABLE, catalog, collect, request, ScriptedServer, sessionRig, Stream, UPSTREAM } from './session-rig.ts';
import type { Sent } from './session-rig.ts';

const REFUSES_HANDSHAKE = {
  code: -32022,
  message: 'Unsupported protocol version',
  data: { supported: ['2026-07-28'] },
};
const TOOL = {
  name: 'work',
  inputSchema: {
    type: 'object' as const,
    properties: {
      region: { type: 'string', 'x-mcp-header': 'Region' },
      size: { type: 'integer', 'x-mcp-header': 'Size' },
    },
  },
};

function answer({ body }: Sent, result: JsonObject): Response {
  return Response.json({ jsonrpc: '2.0', id: body.id, result });
}

function refusal({ body }: Sent, error: object, status = 400): Response {
  return Response.json({ jsonrpc: '2.0', id: body.id, error }, { status });
}

/** A server that speaks the newer revision only. */
function modern(serve: (sent: Sent) => Response | undefined): ScriptedServer {
  return new ScriptedServer((sent) => {
    if (sent.headers.get('mcp-protocol-version') !== '2026-07-28') return refusal(sent, REFUSES_HANDSHAKE);
    return serve(sent) ?? answer(sent, { resultType: 'complete', content: [] });
  });
}

let fingerprints = 0;
/** Of its own fingerprint, so that no verdict of another test is known of it. */
function fresh() {
  fingerprints += 1;
  return { ...UPSTREAM, fingerprint: `m${fingerprints}` };
}

const MODERN = catalog({ era: 'modern', tools: [TOOL] });

const asking = (rounds: number): { server: ScriptedServer; seen: unknown[] } => {
  const seen: unknown[] = [];
  const server = modern((sent) => {
    const { inputResponses, requestState } = sent.body.params ?? {};
    seen.push({ inputResponses, requestState });
    const round = Number(requestState ?? 0) + 1;
    if (round > rounds) {
      return answer(sent, {
        resultType: 'complete',
        content: [],
        _meta: { 'io.modelcontextprotocol/serverInfo': { name: 's', version: '1' }, kept: true },
      });
    }
    const inputRequests = {
      [`name${round}`]: { method: 'elicitation/create', params: { message: `round ${round}` } },
      [`roots${round}`]: { method: 'roots/list' },
    };
    return answer(sent, { resultType: 'input_required', inputRequests, requestState: String(round) });
  });
  return { server, seen };
};

const ask: Ask = async ({ method }) => ({ result: { answered: method } });

const answers = (round: number): object => ({
  inputResponses: {
    [`name${round}`]: { answered: 'elicitation/create' },
    [`roots${round}`]: { answered: 'roots/list' },
  },
  requestState: String(round),
});

function listenedTo() {
  const streams: { readonly stream: Stream; readonly sent: Sent }[] = [];
  const server = modern((sent) => {
    const stream = new Stream();
    streams.push({ stream, sent });
    return stream.response;
  });
  const nth = (index: number) => vi.waitFor(() => streams[index] ?? expect.fail(), { timeout: 3_000 });
  return { server, nth, streams };
}

const tagged = ({ body }: Sent, more: object = {}): object => ({
  _meta: { 'io.modelcontextprotocol/subscriptionId': body.id },
  ...more,
});

describe('a request', () => {
  it('shows the client as it is, mirrors what the schema asks for, and asks for logs', async () => {
    const server = modern(() => undefined);
    const params = { name: 'work', arguments: { region: 'eu-wést', size: 3, other: 1 } };
    await rig(MODERN, server)
      .links('alice', ASKABLE)
      .request(fresh(), request({ params, logLevel: 'debug' }));
    const [{ headers, body } = expect.fail()] = server.sent;
    expect(Object.fromEntries(headers)).toMatchObject({
      'mcp-method': 'tools/call',
      'mcp-name': 'work',
      'mcp-param-region': '=?base64?ZXUtd8Opc3Q=?=',
      'mcp-param-size': '3',
    });
    expect(body.params).toEqual({
      ...params,
      _meta: {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientInfo': ASKABLE.info,
        'io.modelcontextprotocol/clientCapabilities': ASKABLE.capabilities,
        'io.modelcontextprotocol/logLevel': 'debug',
      },
    });
  });

  it('is made again by the tool as it is now where the headers were of an older one', async () => {
    const server = modern((sent) =>
      sent.headers.has('mcp-param-region') ? undefined : refusal(sent, { code: -32020, message: 'HeaderMismatch' }),
    );
    const old = catalog({ era: 'modern', tools: [{ ...TOOL, inputSchema: { type: 'object' } }] });
    const views: UpstreamViews = { ...fixedViews(old), refresh: fixedViews(MODERN).refresh };
    const params = { name: 'work', arguments: { region: 'eu' } };
    const outcome = await rig(old, server, { views }).links('alice').request(fresh(), request({ params }));
    expect(outcome.ok).toBe(true);
    expect(server.sent).toHaveLength(2);
  });

  it('that wants input is for a client of the same era to answer', async () => {
    const wanted = {
      resultType: 'input_required',
      inputRequests: { a: { method: 'roots/list' } },
      requestState: 'opaque',
    };
    const server = modern((sent) => answer(sent, wanted));
    const outcome = await rig(MODERN, server).links('alice', ASKABLE).request(fresh(), request());
    expect(outcome).toEqual({ ok: true, value: wanted });
  });

  it.each([
    [{ code: -32021, message: 'needs sampling', data: { requiredCapabilities: { sampling: {} } } }, 400],
    [{ code: -32601, message: 'Method not found' }, 404],
    [{ code: -32602, message: 'no such prompt', data: { name: 'x' } }, 400],
    [{ code: -31999, message: 'own', data: [1] }, 200],
  ])('has the error that the server answered: %j', async (error, status) => {
    const server = modern((sent) => refusal(sent, error, status));
    const outcome = await rig(MODERN, server).links('alice').request(fresh(), request());
    const { code, message, data } = error as { code: number; message: string; data?: unknown };
    expect(outcome).toMatchObject({
      ok: false,
      error: { message, answered: { code, ...(data !== undefined && { data }) } },
    });
  });

  it('waits as long as a server that is busy says', async () => {
    const server = modern(() => new Response('later', { status: 503, headers: { 'retry-after': '17' } }));
    const outcome = await rig(MODERN, server).links('alice').request(fresh(), request());
    expect(outcome).toMatchObject({ error: { code: 'upstream_unavailable', retryAfterSeconds: 17 } });
  });
});

describe('a legacy client', () => {
  it('is asked what the server wants, in rounds', async () => {
    const { server, seen } = asking(2);
    const outcome = await sessionRig(server, { catalog: MODERN }).links.request(fresh(), request({ ask }));
    expect(outcome).toEqual({ ok: true, value: { content: [], _meta: { kept: true } } });
    expect(seen).toEqual([{}, answers(1), answers(2)]);
    const calls = server.of('tools/call');
    expect(new Set(calls.map(({ body }) => body.id)).size).toBe(3);
  });

  it.each([
    ['for ever', 99, ask, /after 10 rounds/],
    ['of whom cannot be asked', 1, undefined, /cannot give/],
    ['and gets an error', 1, (async () => ({ error: { code: -1, message: 'I will not' } })) as Ask, /I will not/],
  ])('is asked %s', async (_how, rounds, asked, message) => {
    const { server } = asking(rounds);
    const more = asked === undefined ? {} : { ask: asked };
    const outcome = await sessionRig(server, { catalog: MODERN }).links.request(fresh(), request(more));
    expect(outcome).toMatchObject({ ok: false, error: { message: expect.stringMatching(message) } });
  });

  it('is shown the server in its own era where it speaks both, and in the other where it does not', async () => {
    const both = new ScriptedServer();
    const { links } = sessionRig(both, { catalog: MODERN });
    await links.request(fresh(), request());
    expect(both.sent.map(({ body }) => body.method)).toEqual(['initialize', 'notifications/initialized', 'tools/call']);
    const server = modern(() => undefined);
    const upstream = fresh();
    const { links: other } = sessionRig(server, { catalog: MODERN });
    for (let count = 0; count < 2; count++)
      expect(await other.request(upstream, request())).toMatchObject({ ok: true });
    // The verdict is remembered.
    expect(server.sent.map(({ body }) => body.method)).toEqual(['initialize', 'tools/call', 'tools/call']);
  });

  it("reads the error of an unknown resource by the older code, and the hop's own by none", async () => {
    const errors: Record<string, object> = {
      'a:b': { code: -32602, message: 'Resource not found', data: { uri: 'a:b' } },
      'c:d': { code: -32602, message: 'bad parameter' },
      'e:f': { code: -32021, message: 'needs more', data: { requiredCapabilities: {} } },
    };
    const server = modern((sent) => refusal(sent, errors[String(sent.body.params?.['uri'])] ?? {}, 400));
    const { links } = sessionRig(server, { catalog: MODERN });
    const upstream = fresh();
    const codes = [];
    for (const uri of Object.keys(errors)) {
      const outcome = await links.request(upstream, request({ method: 'resources/read', params: { uri } }));
      codes.push(outcome.ok ? undefined : outcome.error.answered?.code);
    }
    expect(codes).toEqual([-32002, -32602, -32603]);
  });
});

describe('a server that changes its era', () => {
  it('from modern to legacy is spoken to in the old way, once found out', async () => {
    const server = new ScriptedServer(({ headers }) =>
      headers.get('mcp-protocol-version') === '2026-07-28'
        ? new Response('Bad Request: Unsupported protocol version', { status: 400 })
        : undefined,
    );
    const refresh = vi.fn<UpstreamViews['refresh']>(fixedViews(catalog()).refresh);
    const views = { ...fixedViews(MODERN), refresh };
    const outcome = await rig(MODERN, server, { views }).links('alice').request(fresh(), request());
    expect(outcome).toMatchObject({ ok: true, value: { resultType: 'complete' } });
    expect(refresh).toHaveBeenCalled();
  });

  it('from legacy to modern is spoken to in the new way, in a session or before one', async () => {
    const server = modern(() => undefined);
    const refresh = vi.fn<UpstreamViews['refresh']>(fixedViews(MODERN).refresh);
    const views = { ...fixedViews(catalog()), refresh };
    const { links, sessions } = rig(catalog(), server, { views });
    sessions.held.set('alice', { sessionId: 's-old', protocolVersion: '2025-11-25', capabilities: {} });
    for (const owner of ['alice', 'bob']) {
      expect(await links(owner).request(fresh(), request()), owner).toMatchObject({ ok: true });
    }
    expect(refresh).toHaveBeenCalledTimes(2);
  });

  it('is not followed where the configuration says which it is', async () => {
    const server = modern(() => undefined);
    const outcome = await rig(catalog(), server)
      .links('alice')
      .request({ ...fresh(), era: 'legacy' }, request());
    expect(outcome).toMatchObject({ ok: false, error: { stage: 'initialize' } });
  });

  it('is down, rather, if it refuses both', async () => {
    const server = new ScriptedServer(() => new Response('<html>', { status: 404 }));
    for (const known of [MODERN, catalog()]) {
      const outcome = await rig(known, server).links('alice').request(fresh(), request());
      expect(outcome).toMatchObject({ ok: false, error: { message: expect.stringMatching(/HTTP 404/) } });
    }
  });
});

describe('listening', () => {
  const NEWS: Catalog = catalog({
    era: 'modern',
    capabilities: { tools: { listChanged: true }, prompts: { listChanged: true }, resources: { subscribe: true } },
  });

  it('asks for what the server has to say, and hears what it acknowledged only', async () => {
    const { server, nth } = listenedTo();
    const { heard, onNotification } = collect();
    const listener = rig(NEWS, server)
      .links('alice', FACE)
      .listen(fresh(), { uris: ['a:1', 'a:2'], onNotification });
    const { stream, sent } = await nth(0);
    expect(sent.headers.get('mcp-method')).toBe('subscriptions/listen');
    expect(sent.body.params?.['notifications']).toEqual({
      toolsListChanged: true,
      promptsListChanged: true,
      resourceSubscriptions: ['a:1', 'a:2'],
    });
    stream.send({ method: 'notifications/tools/list_changed', params: tagged(sent) });
    const granted = { toolsListChanged: true, resourcesListChanged: true, resourceSubscriptions: ['a:1', 'z:9'] };
    stream.send({
      method: 'notifications/subscriptions/acknowledged',
      params: tagged(sent, { notifications: granted }),
    });
    stream.send({ method: 'notifications/tools/list_changed', params: tagged(sent) });
    stream.send({ method: 'notifications/prompts/list_changed', params: tagged(sent) });
    stream.send({ method: 'notifications/resources/list_changed', params: tagged(sent) });
    stream.send({ method: 'notifications/tools/list_changed' });
    stream.send({ method: 'notifications/message', params: tagged(sent, { level: 'info' }) });
    for (const uri of ['a:1', 'a:2', 'z:9']) {
      stream.send({ method: 'notifications/resources/updated', params: tagged(sent, { uri }) });
    }
    await vi.waitFor(() => expect(heard).toHaveLength(2));
    await scheduler.wait(20);
    expect(heard).toEqual([
      { method: 'notifications/tools/list_changed', params: {} },
      { method: 'notifications/resources/updated', params: { uri: 'a:1' } },
    ]);
    listener.close();
    await vi.waitFor(() => expect(sent.signal.aborted).toBe(true));
  });

  it('goes on when the server ends it, and when other resources are wanted', async () => {
    const { server, nth } = listenedTo();
    const { onNotification } = collect();
    const listener = rig(NEWS, server).links('alice').listen(fresh(), { uris: [], onNotification });
    const first = await nth(0);
    first.stream.send({
      method: 'notifications/subscriptions/acknowledged',
      params: tagged(first.sent, { notifications: { toolsListChanged: true } }),
    });
    first.stream.end();
    const second = await nth(1);
    second.stream.send({
      method: 'notifications/subscriptions/acknowledged',
      params: tagged(second.sent, { notifications: { toolsListChanged: true } }),
    });
    await scheduler.wait(20);
    const resubscribed = listener.resubscribe(['a:1']);
    const third = await nth(2);
    expect(second.sent.signal.aborted).toBe(true);
    expect(third.sent.body.params?.['notifications']).toMatchObject({ resourceSubscriptions: ['a:1'] });
    third.stream.send({ id: third.sent.body.id, error: { code: -32602, message: 'no such resource' } });
    expect(await resubscribed).toMatchObject({ message: 'no such resource', answered: { code: -32602 } });
    listener.close();
  });

  it('leaves a server alone that has nothing to say', async () => {
    const { server, streams } = listenedTo();
    const { onNotification } = collect();
    const listener = rig(catalog({ era: 'modern' }), server)
      .links('alice')
      .listen(fresh(), { uris: [], onNotification });
    expect(await Promise.race([listener.resubscribe([]), scheduler.wait(500)])).toBeUndefined();
    expect(streams).toEqual([]);
    listener.close();
  });
});

it('cancels by hanging up', async () => {
  const stream = new Stream();
  const server = modern(() => stream.response);
  const controller = new AbortController();
  const more: Partial<LinkRequest> = { signal: controller.signal };
  const outcome = rig(MODERN, server).links('alice').request(fresh(), request(more));
  await vi.waitFor(() => expect(server.sent).toHaveLength(1));
  controller.abort();
  expect(await outcome).toMatchObject({ ok: false });
  expect(server.sent.map(({ signal }) => signal.aborted)).toEqual([true]);
});
