import { describe, expect, it } from 'vitest';
import { ok } from '../../../src/lib/result.ts';
import { fakeGateway, text, tool, URL_BASE, type FakeGateway } from '../mcp/fake-gateway.ts';

const VERSION = '2026-07-28';
const ENVELOPE = {
  'io.modelcontextprotocol/protocolVersion': VERSION,
  'io.modelcontextprotocol/clientCapabilities': {},
  'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '9' },
};
const ACCEPT = 'application/json, text/event-stream';

function gatewayOfOne(): FakeGateway {
  return fakeGateway({ upstreams: { s: { tools: [tool('a')] } } });
}

function post(gateway: FakeGateway, body: unknown, headers: Record<string, string> = {}, path = '/mcp') {
  return gateway.fetch(URL_BASE + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: ACCEPT, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

function modern(gateway: FakeGateway, method: string, params: object = {}, headers: Record<string, string> = {}) {
  const name = (params as { name?: string }).name;
  return post(
    gateway,
    { jsonrpc: '2.0', id: 7, method, params: { ...params, _meta: ENVELOPE } },
    {
      'mcp-protocol-version': VERSION,
      'mcp-method': method,
      ...(name !== undefined && { 'mcp-name': name }),
      ...headers,
    },
  );
}

function legacy(gateway: FakeGateway, method: string, params: object = {}, headers: Record<string, string> = {}) {
  return post(gateway, { jsonrpc: '2.0', id: 7, method, params }, headers);
}

interface RpcAnswer {
  readonly id: unknown;
  readonly error: { readonly code: number; readonly message: string; readonly data?: unknown };
  readonly result: Readonly<Record<string, unknown>>;
}

async function rpc(response: Response | Promise<Response>): Promise<RpcAnswer & { status: number }> {
  const settled = await response;
  return { status: settled.status, ...(await settled.json<RpcAnswer>()) };
}

describe('2026-07-28 at the wire', () => {
  it('discovers: versions, capabilities, type, caching and identity', async () => {
    const { status, result } = await rpc(modern(gatewayOfOne(), 'server/discover'));
    expect(status).toBe(200);
    expect(result).toMatchObject({
      supportedVersions: [VERSION],
      capabilities: { tools: {} },
      resultType: 'complete',
      cacheScope: 'private',
      _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'sallyport' } },
    });
    expect(result['ttlMs']).toBeTypeOf('number');
  });

  it('marks a listing complete, private and soon stale', async () => {
    const { result } = await rpc(modern(gatewayOfOne(), 'tools/list'));
    expect(result).toMatchObject({ resultType: 'complete', cacheScope: 'private', ttlMs: 10_000 });
  });

  it('answers a quick call as plain JSON', async () => {
    const response = await modern(gatewayOfOne(), 'tools/call', { name: 's__a' });
    expect(response.headers.get('content-type')).toBe('application/json');
    expect((await rpc(response)).result).toMatchObject({ resultType: 'complete', ...text('s did a') });
  });

  it.each([
    ['Mcp-Method', { 'mcp-method': 'tools/list' }],
    ['Mcp-Name', { 'mcp-name': 's__b' }],
    ['MCP-Protocol-Version', { 'mcp-protocol-version': '2025-11-25' }],
  ])('refuses a header %s that contradicts the body', async (_name, headers) => {
    const gateway = gatewayOfOne();
    const { status, error, id } = await rpc(modern(gateway, 'tools/call', { name: 's__a' }, headers));
    expect([status, error.code, id]).toEqual([400, -32020, 7]);
    expect(gateway.calls).toEqual([]);
  });

  it('refuses requests without the headers that belong to them', async () => {
    const body = { jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 's__a', _meta: ENVELOPE } };
    const { status, error } = await rpc(post(gatewayOfOne(), body, { 'mcp-protocol-version': VERSION }));
    expect([status, error.code]).toEqual([400, -32020]);
  });

  it('names the versions it speaks to a client of another', async () => {
    const _meta = { ...ENVELOPE, 'io.modelcontextprotocol/protocolVersion': '2099-01-01' };
    const body = { jsonrpc: '2.0', id: 7, method: 'tools/list', params: { _meta } };
    const headers = { 'mcp-protocol-version': '2099-01-01', 'mcp-method': 'tools/list' };
    const { status, error } = await rpc(post(gatewayOfOne(), body, headers));
    expect([status, error.code]).toEqual([400, -32022]);
    expect(error.data).toMatchObject({ supported: [VERSION] });
  });

  it.each(['resources/list', 'prompts/list', 'ping', 'logging/setLevel', 'initialize', 'made/up'])(
    'does not know %s: 404',
    async (method) => {
      const { status, error } = await rpc(modern(gatewayOfOne(), method));
      expect([status, error.code]).toEqual([404, -32601]);
    },
  );

  it('takes notifications: 202', async () => {
    const body = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1, _meta: ENVELOPE } };
    const response = await post(gatewayOfOne(), body, { 'mcp-protocol-version': VERSION });
    expect([response.status, await response.text()]).toEqual([202, '']);
  });
});

describe('the eras before at the wire', () => {
  it.each(['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'])('shakes hands in %s', async (protocolVersion) => {
    const params = { protocolVersion, capabilities: {}, clientInfo: { name: 'raw', version: '9' } };
    const response = await legacy(gatewayOfOne(), 'initialize', params);
    expect(response.headers.has('mcp-session-id')).toBe(false);
    expect((await rpc(response)).result).toMatchObject({ protocolVersion, capabilities: { tools: {} } });
  });

  it('offers its newest version to a client of one it does not know', async () => {
    const params = { protocolVersion: '2099-01-01', capabilities: {}, clientInfo: { name: 'raw', version: '9' } };
    const { result } = await rpc(legacy(gatewayOfOne(), 'initialize', params));
    expect(result['protocolVersion']).toBe('2025-11-25');
  });

  it('answers ping, and says of what it does not serve that it does not know it', async () => {
    const gateway = gatewayOfOne();
    expect(await rpc(legacy(gateway, 'ping'))).toMatchObject({ status: 200, id: 7, result: {} });
    for (const method of ['resources/list', 'logging/setLevel', 'server/discover', 'made/up']) {
      expect(await rpc(legacy(gateway, method))).toMatchObject({ status: 200, id: 7, error: { code: -32601 } });
    }
  });

  it('refuses a protocol version in the header that it does not know', async () => {
    const answer = await rpc(legacy(gatewayOfOne(), 'tools/list', {}, { 'mcp-protocol-version': '1999-01-01' }));
    expect(answer).toMatchObject({ status: 400, id: 7, error: { code: -32000 } });
  });

  it('takes notifications and answers of the client: 202', async () => {
    const gateway = gatewayOfOne();
    for (const body of [
      { jsonrpc: '2.0', method: 'notifications/initialized' },
      { jsonrpc: '2.0', id: 1, result: {} },
    ]) {
      const response = await post(gateway, body);
      expect([response.status, await response.text()]).toEqual([202, '']);
    }
  });

  it('answers a batch, as 2025-03-26 had them', async () => {
    const response = await post(gatewayOfOne(), [
      { jsonrpc: '2.0', id: 1, method: 'tools/list' },
      { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 's__a' } },
      { jsonrpc: '2.0', id: 3, method: 'resources/list' },
    ]);
    expect(response.status).toBe(200);
    const answers = (await response.text())
      .split('\n')
      .filter((line) => line.startsWith('data: '))
      .map((line) => JSON.parse(line.slice('data: '.length)) as RpcAnswer);
    expect(new Set(answers.map(({ id }) => id))).toEqual(new Set([1, 2, 3]));
    expect(answers.find(({ id }) => id === 2)?.result).toMatchObject(text('s did a'));
    expect(answers.find(({ id }) => id === 3)?.error.code).toBe(-32601);
  });

  it('refuses an empty batch and one with a request of the new era', async () => {
    const gateway = gatewayOfOne();
    const newer = { jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: ENVELOPE } };
    for (const batch of [[], [newer], [17]]) {
      expect(await rpc(post(gateway, batch))).toMatchObject({ status: 400, error: { code: -32600 } });
    }
  });
});

describe('bad input', () => {
  it.each([
    ['no JSON at all', 'hello', 400, -32700],
    ['a body that breaks off', '{"jsonrpc":"2.0","id":1', 400, -32700],
    ['no body', '', 400, -32700],
    ['JSON that is no message', '{"a":1}', 400, -32600],
    ['a number', '17', 400, -32600],
    ['a request with a null id', '{"jsonrpc":"2.0","id":null,"method":"ping"}', 400, -32600],
    ['a repeated method', '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/list"}', 400, -32600],
    [
      'a repeated tool name',
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","name":"y"}}',
      400,
      -32600,
    ],
  ])('refuses %s', async (_what, body, status, code) => {
    const gateway = gatewayOfOne();
    expect(await rpc(post(gateway, body))).toMatchObject({ status, error: { code } });
    expect(await rpc(legacy(gateway, 'ping'))).toMatchObject({ status: 200 });
  });

  it.each([
    ['another media type', { 'content-type': 'text/plain' }, 415],
    ['a client that takes no JSON', { accept: 'text/event-stream' }, 406],
    ['a client that takes no streams', { accept: 'application/json' }, 406],
    ['tags that are none', { 'x-sallyport-tags': 'no equals sign' }, 400],
  ])('refuses %s', async (_what, headers, status) => {
    expect(await rpc(legacy(gatewayOfOne(), 'ping', {}, headers))).toMatchObject({ status, error: {} });
  });

  it('refuses a body over the limit, and serves on', async () => {
    const gateway = fakeGateway({ upstreams: {}, settings: { limits: { request_bytes: 1000 } } });
    expect(await rpc(legacy(gateway, 'ping', { filler: 'x'.repeat(1000) }))).toMatchObject({ status: 413 });
    expect(await rpc(legacy(gateway, 'ping'))).toMatchObject({ status: 200 });
  });

  it.each(['none', 'hash', 'full'])('survives arguments nested without end, audited as %s', async (content) => {
    const gateway = fakeGateway({ upstreams: { s: { tools: [tool('a')] } }, settings: { audit: { content } } });
    const deep = '['.repeat(200_000) + ']'.repeat(200_000);
    const params = `{"name":"s__a","arguments":{"deep":${deep}}}`;
    const response = await post(gateway, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}}`);
    expect([200, 400]).toContain(response.status);
    expect(await rpc(legacy(gateway, 'ping'))).toMatchObject({ status: 200 });
  });

  it('survives a result nested without end', async () => {
    let deep: unknown[] = [];
    for (let depth = 0; depth < 200_000; depth++) deep = [deep];
    const call = async () => ok({ ...text('x'), structuredContent: { deep } });
    const gateway = fakeGateway({ upstreams: { s: { tools: [tool('a')], call } } });
    for (const send of [modern, legacy]) {
      expect(await rpc(send(gateway, 'tools/call', { name: 's__a' }))).toMatchObject({
        id: 7,
        error: { code: -32603 },
      });
      expect(await rpc(legacy(gateway, 'ping'))).toMatchObject({ status: 200 });
    }
  });

  it.each(['GET', 'DELETE', 'PUT', 'PATCH'])('refuses %s and names what is allowed', async (method) => {
    for (const path of ['/mcp', '/mcp/s']) {
      const response = await gatewayOfOne().fetch(URL_BASE + path, { method, headers: { accept: ACCEPT } });
      expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
      expect(await response.json()).toMatchObject({ jsonrpc: '2.0', error: {} });
    }
  });

  it.each([
    ['a name that is not a string', { name: 17 }],
    ['arguments that are no object', { name: 's__a', arguments: [1] }],
    ['no name', {}],
  ])('refuses a call with %s', async (_what, params) => {
    expect(await rpc(legacy(gatewayOfOne(), 'tools/call', params))).toMatchObject({
      status: 200,
      error: { code: -32602 },
    });
    const answer = await rpc(modern(gatewayOfOne(), 'tools/call', params, { 'mcp-name': 's__a' }));
    expect(answer.error.code).toSatisfy((code) => code === -32602 || code === -32020);
  });

  it('gives the same 404 for what is not there and what is not granted', async () => {
    const gateway = fakeGateway({
      upstreams: { s: { tools: [] }, secret: { tools: [] }, off: { tools: [], disabled: true }, empty: { tools: [] } },
      grants: { s: ['*'], off: ['*'], empty: [] },
      groups: { theirs: { s: ['*'] } },
    });
    const answers = await Promise.all(
      ['secret', 'theirs', 'off', 'empty', 'no-such'].map((name) =>
        rpc(post(gateway, { jsonrpc: '2.0', id: 1, method: 'ping' }, {}, `/mcp/${name}`)),
      ),
    );
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(answers[0]?.status).toBe(404);
  });

  it.each([
    ['http://evil.example', 'evil.example', 403],
    ['https://evil.example', 'gateway.test', 403],
    ['null', 'gateway.test', 403],
    ['chrome-extension://abc', 'gateway.test', 403],
    ['http://localhost:6274', '127.0.0.1:8080', 200],
    ['http://[::1]:1', 'localhost', 200],
    ['https://gateway.test', 'gateway.test', 200],
  ])('a page of %s at host %s gets %d', async (origin, host, status) => {
    expect((await legacy(gatewayOfOne(), 'ping', {}, { origin, host })).status).toBe(status);
  });
});

async function takeLong() {
  await scheduler.wait(4500);
  return ok(text('at last'));
}

describe('a call that takes long', () => {
  it.each([['2026-07-28', modern] as const, ['legacy', legacy] as const])(
    'becomes a stream with signs of life in %s',
    async (_era, send) => {
      const gateway = fakeGateway({ upstreams: { s: { tools: [tool('slow')], call: takeLong } } });
      const startedAt = Date.now();
      const response = await send(gateway, 'tools/call', { name: 's__slow' });
      expect(Date.now() - startedAt).toBeLessThan(2500);
      expect(response.headers.get('content-type')).toBe('text/event-stream');
      const events = (await response.text()).split('\n\n').filter((event) => event !== '');
      expect(events.filter((event) => event === ': keepalive').length).toBeGreaterThanOrEqual(2);
      const last = events.at(-1)?.split('\ndata: ')[1] ?? '{}';
      expect(JSON.parse(last)).toMatchObject({ id: 7, result: text('at last') });
    },
    10_000,
  );
});
