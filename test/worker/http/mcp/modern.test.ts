import { describe, expect, it } from 'vitest';
import type { LinkRequest } from '../../../../src/mcp/links.ts';
import { err, ok } from '../../../../src/lib/result.ts';
import { failure } from '../../../../src/policy/failure.ts';
import { ENVELOPE, eventsOf, mcpApp, modern, nextMessage, post, rpc, text, tool, VERSION } from './mcp-app.ts';
import type { Answer, McpApp } from './mcp-app.ts';

const CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities';
const ANNOTATED = { type: 'object' as const, properties: { region: { type: 'string', 'x-mcp-header': 'Region' } } };

function appOfOne(answer?: Answer): McpApp {
  return mcpApp({ catalogs: { s: { tools: [tool('a')] } }, ...(answer !== undefined && { answer }) });
}

/** Waits for the end of the call, or for its client to go away. */
function untilCancelled(seen: { cancelled?: boolean; heard?: LinkRequest }): Answer {
  return (request) =>
    new Promise((resolve) => {
      seen.heard = request;
      request.signal.addEventListener('abort', () => {
        seen.cancelled = true;
        resolve(err({ ...failure('upstream_error', 'cancelled'), stage: 'call' }));
      });
    });
}

describe('an answer', () => {
  it('tells who and what is there: server/discover', async () => {
    const { status, result } = await rpc(modern(appOfOne(), 'server/discover'));
    expect(status).toBe(200);
    expect(result).toMatchObject({
      supportedVersions: [VERSION],
      capabilities: { tools: { listChanged: true } },
      resultType: 'complete',
      cacheScope: 'private',
      ttlMs: expect.any(Number),
      _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'sallyport' } },
    });
  });

  it('is plain JSON where it is quick and nothing was told before it', async () => {
    const app = appOfOne();
    const response = await modern(app, 'tools/call', { name: 's__a', arguments: { b: 1 } });
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json']);
    expect(await rpc(response)).toMatchObject({ id: 7, result: { resultType: 'complete', ...text('s did a') } });
    expect(app.sent[0]).toMatchObject({
      upstream: 's',
      face: { info: { name: 'raw', version: '9' }, capabilities: {} },
      request: { method: 'tools/call', params: { name: 'a', arguments: { b: 1 } } },
    });
    expect(app.events[0]).toMatchObject({ kind: 'tool.call', outcome: 'ok', client: 'raw/9' });
  });

  it('is a stream where something was told before it, in the order of the telling', async () => {
    const app = appOfOne(async ({ onNotification }) => {
      for (const progress of [1, 2, 3]) onNotification?.({ method: 'notifications/progress', params: { progress } });
      return ok(text('done'));
    });
    const response = await modern(app, 'tools/call', { name: 's__a', _meta: { progressToken: 'p' } });
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    const events = eventsOf(response);
    for (const progress of [1, 2, 3]) {
      expect(await nextMessage(events)).toMatchObject({ params: { progress, progressToken: 'p' } });
    }
    expect(await nextMessage(events)).toMatchObject({ id: 7, result: text('done') });
    expect(await nextMessage(events)).toBe('end');
  });

  it('streams what is told at once, long before the end', async () => {
    const app = appOfOne(async ({ onNotification }) => {
      onNotification?.({ method: 'notifications/progress', params: { progress: 1 } });
      await scheduler.wait(600);
      return ok(text('done'));
    });
    const startedAt = Date.now();
    const events = eventsOf(await modern(app, 'tools/call', { name: 's__a', _meta: { progressToken: 1 } }));
    expect(await nextMessage(events)).toMatchObject({ method: 'notifications/progress' });
    expect(Date.now() - startedAt).toBeLessThan(400);
    expect(await nextMessage(events)).toMatchObject({ result: text('done') });
  });

  it('becomes a stream with signs of life when it is late', async () => {
    const app = appOfOne(async () => {
      await scheduler.wait(4_500);
      return ok(text('at last'));
    });
    const startedAt = Date.now();
    const response = await modern(app, 'tools/call', { name: 's__a' });
    expect(Date.now() - startedAt).toBeLessThan(2_500);
    const events = eventsOf(response);
    expect(await events.next()).toBe('comment');
    expect(await events.next()).toBe('comment');
    expect(await nextMessage(events)).toMatchObject({ id: 7, result: text('at last') });
  });

  it('of a stream may be an error too', async () => {
    const app = appOfOne(async ({ onNotification }) => {
      onNotification?.({ method: 'notifications/progress', params: { progress: 1 } });
      return err({ ...failure('upstream_error', 'No.'), stage: 'call', answered: { code: -32050, data: { why: 1 } } });
    });
    const events = eventsOf(await modern(app, 'tools/call', { name: 's__a', _meta: { progressToken: 1 } }));
    await nextMessage(events);
    expect(await nextMessage(events)).toMatchObject({ id: 7, error: { code: -32050, data: { why: 1 } } });
  });

  it('tells no more than a client can take, and says of log messages that some are missing', async () => {
    const app = appOfOne(async ({ onNotification }) => {
      for (let count = 1; count <= 5_000; count++) {
        onNotification?.({ method: 'notifications/message', params: { level: 'info', data: count } });
        onNotification?.({ method: 'notifications/progress', params: { progress: count } });
      }
      return ok(text('done'));
    });
    const logLevel = { 'io.modelcontextprotocol/logLevel': 'debug', progressToken: 1 };
    const events = eventsOf(await modern(app, 'tools/call', { name: 's__a', _meta: logLevel }));
    const told = [];
    for (let event = await nextMessage(events); event !== 'end'; event = await nextMessage(events)) told.push(event);
    expect(told.length).toBeLessThan(200);
    expect(told.at(-1)).toMatchObject({ id: 7, result: text('done') });
    const progress = told.filter(({ method }) => method === 'notifications/progress');
    expect(progress.at(-1)?.params).toMatchObject({ progress: 5_000 });
    const logged = told.filter(({ method }) => method === 'notifications/message');
    expect(logged.at(-1)?.params).toMatchObject({
      level: 'warning',
      data: expect.stringMatching(/^\d{4} log messages/),
    });
  });

  it('survives a result nested without end', async () => {
    let deep: unknown[] = [];
    for (let depth = 0; depth < 200_000; depth++) deep = [deep];
    const app = appOfOne(async () => ok({ ...text('x'), structuredContent: { deep } }));
    expect((await modern(app, 'tools/call', { name: 's__a' })).status).toBe(200);
    expect(await rpc(modern(app, 'tools/list'))).toMatchObject({ status: 200 });
  });

  it('that cannot be written is an internal error', async () => {
    const app = mcpApp({ catalogs: { s: { tools: [tool('a', { _meta: { big: 1n } })] } } });
    expect(await rpc(modern(app, 'tools/list'))).toMatchObject({ status: 500, id: 7, error: { code: -32603 } });
  });

  it('is an internal error, once and in the log, where the gateway fails', async () => {
    const app = appOfOne();
    app.catalogs.set('s', { fingerprint: 'broken' } as never);
    expect(await rpc(modern(app, 'tools/list'))).toMatchObject({ status: 500, id: 7, error: { code: -32603 } });
  });
});

describe('a key that is revoked', () => {
  it('takes its running requests along, at the upstream too', async () => {
    const seen: { cancelled?: boolean } = {};
    const app = appOfOne(untilCancelled(seen));
    const events = eventsOf(await modern(app, 'tools/call', { name: 's__a' }));
    app.grant(null);
    expect(await nextMessage(events)).toMatchObject({
      error: { code: -32600, message: expect.stringContaining('any more') },
    });
    await app.settled();
    expect(seen.cancelled).toBe(true);
    expect(app.events).toMatchObject([{ kind: 'tool.call', outcome: 'cancelled' }]);
  });

  it('leaves them alone while only its grants change', async () => {
    const app = appOfOne(async () => {
      await scheduler.wait(3_200);
      return ok(text('done'));
    });
    const events = eventsOf(await modern(app, 'tools/call', { name: 's__a' }));
    app.grant({ s: ['other'] });
    expect(await nextMessage(events)).toMatchObject({ result: text('done') });
  });
});

describe('a client that hangs up', () => {
  it('cancels its call at the upstream, and the record says so', async () => {
    const seen: { cancelled?: boolean } = {};
    const app = appOfOne(untilCancelled(seen));
    const events = eventsOf(await modern(app, 'tools/call', { name: 's__a' }));
    expect(await events.next()).toBe('comment');
    await events.cancel();
    await app.settled();
    expect(seen.cancelled).toBe(true);
    expect(app.events).toMatchObject([{ kind: 'tool.call', outcome: 'cancelled' }]);
  });

  it('is told nothing more, and that harms nobody', async () => {
    const seen: { cancelled?: boolean; heard?: LinkRequest } = {};
    const app = appOfOne(untilCancelled(seen));
    const response = modern(app, 'tools/call', { name: 's__a', _meta: { progressToken: 1 } });
    await scheduler.wait(20);
    const tell = () => seen.heard?.onNotification?.({ method: 'notifications/progress', params: { progress: 1 } });
    tell();
    const events = eventsOf(await response);
    await nextMessage(events);
    await events.cancel();
    for (let count = 0; count < 1_000; count++) tell();
    await app.settled();
    expect(seen.cancelled).toBe(true);
  });
});

describe('headers', () => {
  it.each([
    ['Mcp-Method', { 'mcp-method': 'tools/list' }],
    ['Mcp-Name', { 'mcp-name': 's__b' }],
    ['Mcp-Name that is not base64', { 'mcp-name': '=?base64?!?=' }],
    ['MCP-Protocol-Version', { 'mcp-protocol-version': '2025-11-25' }],
  ])('that contradict the body are refused: %s', async (_name, headers) => {
    const app = appOfOne();
    const { status, error, id } = await rpc(modern(app, 'tools/call', { name: 's__a' }, headers));
    expect([status, error?.code, id]).toEqual([400, -32020, 7]);
    expect(app.sent).toEqual([]);
  });

  it.each(['mcp-protocol-version', 'mcp-method', 'mcp-name'])('that are missing are: %s', async (missing) => {
    const app = appOfOne();
    const all = { 'mcp-protocol-version': VERSION, 'mcp-method': 'tools/call', 'mcp-name': 's__a' };
    const headers = Object.fromEntries(Object.entries(all).filter(([name]) => name !== missing));
    const body = { jsonrpc: '2.0', id: 'x', method: 'tools/call', params: { name: 's__a', _meta: ENVELOPE } };
    const { status, error, id } = await rpc(post(app, body, headers));
    expect([status, error?.code, id]).toEqual([400, -32020, 'x']);
    expect(app.sent).toEqual([]);
  });

  it('may be written in base64', async () => {
    const encoded = `=?base64?${btoa('s__a')}?=`;
    const answer = await rpc(modern(appOfOne(), 'tools/call', { name: 's__a' }, { 'mcp-name': encoded }));
    expect(answer).toMatchObject({ status: 200, result: text('s did a') });
  });

  it.each(['/mcp', '/mcp/s'])('of arguments agree with them at %s', async (path) => {
    const app = mcpApp({ catalogs: { s: { tools: [tool('a', { inputSchema: ANNOTATED })] } } });
    const name = path === '/mcp' ? 's__a' : 'a';
    const call = (headers: Record<string, string>, args: object | undefined = { region: 'eu' }) =>
      rpc(modern(app, 'tools/call', { name, ...(args !== undefined && { arguments: args }) }, headers, path));
    expect(await call({ 'mcp-param-region': 'eu' })).toMatchObject({ status: 200 });
    expect(await call({ 'mcp-param-region': `=?base64?${btoa('eu')}?=` })).toMatchObject({ status: 200 });
    expect(app.sent).toHaveLength(2);
    for (const headers of [{ 'mcp-param-region': 'us' }, { 'mcp-param-region': '=?base64?ZXU?=' }, {}]) {
      expect(await call(headers)).toMatchObject({ status: 400, id: 7, error: { code: -32020 } });
    }
    expect(app.sent).toHaveLength(2);
    expect(await call({}, {})).toMatchObject({ status: 200 });
  });
});

describe('an envelope', () => {
  it('of another version is refused with those that are spoken', async () => {
    const _meta = { ...ENVELOPE, 'io.modelcontextprotocol/protocolVersion': '2099-01-01' };
    const body = { jsonrpc: '2.0', id: 7, method: 'tools/list', params: { _meta } };
    const headers = { 'mcp-protocol-version': '2099-01-01', 'mcp-method': 'tools/list' };
    expect(await rpc(post(appOfOne(), body, headers))).toMatchObject({
      status: 400,
      id: 7,
      error: { code: -32022, data: { supported: [VERSION], requested: '2099-01-01' } },
    });
  });

  it.each([
    ['without _meta', {}],
    ['without a version', { _meta: { [CAPABILITIES]: {} } }],
    ['without capabilities', { _meta: { 'io.modelcontextprotocol/protocolVersion': VERSION } }],
  ])('%s is refused', async (_what, params) => {
    const body = { jsonrpc: '2.0', id: 9, method: 'tools/list', params };
    const headers = { 'mcp-protocol-version': VERSION, 'mcp-method': 'tools/list' };
    expect(await rpc(post(appOfOne(), body, headers))).toMatchObject({ status: 400, id: 9, error: { code: -32602 } });
  });

  it('need not name the client', async () => {
    const _meta = { 'io.modelcontextprotocol/protocolVersion': VERSION, [CAPABILITIES]: {} };
    const body = { jsonrpc: '2.0', id: 9, method: 'server/discover', params: { _meta } };
    const headers = { 'mcp-protocol-version': VERSION, 'mcp-method': 'server/discover' };
    expect(await rpc(post(appOfOne(), body, headers))).toMatchObject({ status: 200, id: 9 });
  });
});

describe('methods', () => {
  it.each(['ping', 'initialize', 'logging/setLevel', 'resources/subscribe', 'resources/unsubscribe', 'made/up'])(
    'that are not of this revision are not there: %s',
    async (method) => {
      expect(await rpc(modern(appOfOne(), method))).toMatchObject({ status: 404, id: 7, error: { code: -32601 } });
    },
  );

  it('that nobody answers are taken: notifications', async () => {
    const body = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1, _meta: ENVELOPE } };
    const response = await post(appOfOne(), body, { 'mcp-protocol-version': VERSION });
    expect([response.status, await response.text()]).toEqual([202, '']);
  });

  it('cannot be answered by posting a response', async () => {
    const body = { jsonrpc: '2.0', id: 1, result: {} };
    expect(await rpc(post(appOfOne(), body, { 'mcp-protocol-version': VERSION }))).toMatchObject({ status: 400 });
  });
});

describe('input that a server requires', () => {
  const ask = { method: 'elicitation/create', params: { mode: 'form', message: 'Who?', requestedSchema: {} } };
  const asking: Answer = async ({ params }) => {
    if (params?.['inputResponses'] === undefined) {
      return ok({ resultType: 'input_required', inputRequests: { who: ask }, requestState: 'the state of the server' });
    }
    return ok(text(`${JSON.stringify(params['inputResponses'])} ${String(params['requestState'])}`));
  };
  const elicits = { [CAPABILITIES]: { elicitation: {} } };
  const call = { name: 's__a', arguments: { b: 1 } };

  it('is asked for with a sealed state, which comes back to the server as it was', async () => {
    const app = appOfOne(asking);
    const asked = await rpc(modern(app, 'tools/call', { ...call, _meta: elicits }));
    expect(asked.result).toMatchObject({ resultType: 'input_required', inputRequests: { who: ask } });
    const requestState = String(asked.result?.['requestState']);
    expect(requestState).not.toContain('server');
    const retry = { ...call, requestState, inputResponses: { who: { action: 'accept' } }, _meta: elicits };
    expect(await rpc(modern(app, 'tools/call', retry))).toMatchObject({
      status: 200,
      result: text('{"who":{"action":"accept"}} the state of the server'),
    });
  });

  it.each([
    ['altered', (state: string) => `${state.slice(0, -2)}AA`, {}],
    ['invented', () => 'the state of the server', {}],
    ['of other arguments', (state: string) => state, { arguments: { b: 2 } }],
    ['of another tool', (state: string) => state, { name: 's__other' }],
    ['of another server', (state: string) => state, { name: 't__a' }],
  ])('is not taken with a state that is %s', async (_what, change, other) => {
    const app = mcpApp({
      catalogs: { s: { tools: [tool('a'), tool('other')] }, t: { tools: [tool('a')] } },
      answer: asking,
    });
    const asked = await rpc(modern(app, 'tools/call', { ...call, _meta: elicits }));
    const requestState = change(String(asked.result?.['requestState']));
    const sentBefore = app.sent.length;
    const retry = { ...call, ...other, requestState, inputResponses: { who: {} }, _meta: elicits };
    expect((await rpc(modern(app, 'tools/call', retry))).error).toMatchObject({
      code: -32602,
      message: expect.stringContaining('requestState'),
    });
    expect(app.sent).toHaveLength(sentBefore);
  });

  it.each([
    [{ elicitation: {} }, ask, undefined],
    [{ elicitation: { form: {} } }, ask, undefined],
    [{ elicitation: { url: {} } }, ask, { elicitation: { form: {} } }],
    [{}, { method: 'roots/list' }, { roots: {} }],
    [{ sampling: {} }, { method: 'sampling/createMessage', params: {} }, undefined],
    [{ sampling: {} }, { method: 'sampling/createMessage', params: { tools: [] } }, { sampling: { tools: {} } }],
    [{}, { method: 'elicitation/create', params: { mode: 'url' } }, { elicitation: { url: {} } }],
  ])('is not asked of a client that declared %j: %j', async (capabilities, asked, requiredCapabilities) => {
    const app = appOfOne(async () => ok({ resultType: 'input_required', inputRequests: { one: asked } }));
    const answer = await rpc(modern(app, 'tools/call', { name: 's__a', _meta: { [CAPABILITIES]: capabilities } }));
    if (requiredCapabilities === undefined) expect(answer).toMatchObject({ status: 200, result: {} });
    else expect(answer).toMatchObject({ status: 400, error: { code: -32021, data: { requiredCapabilities } } });
  });

  it('that a server itself says a client lacks is a refusal of the request', async () => {
    const data = { requiredCapabilities: { sampling: {} } };
    const app = appOfOne(async () =>
      err({ ...failure('upstream_error', 'Sampling, please.'), stage: 'call', answered: { code: -32021, data } }),
    );
    expect(await rpc(modern(app, 'tools/call', { name: 's__a' }))).toMatchObject({
      status: 400,
      id: 7,
      error: { code: -32021, data },
    });
  });
});
