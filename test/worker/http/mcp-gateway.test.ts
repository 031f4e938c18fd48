// The worker as it is composed, between official clients and real upstreams on loopback.
import { exports } from 'cloudflare:workers';
import { beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { callWith, CLIENTS, modernClient } from '../mcp/clients.ts';
import { URL_BASE } from './mcp/mcp-app.ts';

// Real servers on a machine that may be busy.
vi.setConfig({ testTimeout: 20_000, hookTimeout: 30_000 });

const ADMIN = { authorization: 'Bearer test-admin-token' };
const KEY = 'vk-test-everything';
const LIMITED_KEY = 'vk-test-limited';

function asKey(key: string) {
  return (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init);
    request.headers.set('authorization', `Bearer ${key}`);
    return exports.default.fetch(request);
  };
}

const QUIRKS = ['html', 'hang', 'mid-body', 'close', 'huge', 'call-huge', 'call-mid-body', 'call-hang', 'many-tools'];

function server(name: string, url: string) {
  return { name, type: 'http', url, timeout: '1500ms' };
}

beforeAll(async () => {
  const upstreams = [
    server('dual', `${inject('dualEraUrl')}/mcp`),
    server('old', `${inject('legacyUrl')}/mcp`),
    server('everything', `${inject('everythingUrl')}/mcp`),
    ...QUIRKS.map((quirk) => server(quirk, `${inject('misbehavingUrl')}/${quirk}/mcp`)),
  ];
  const all = upstreams.map(({ name }) => ({ name, allowed_tools: ['*'] }));
  const document = {
    mcp: { servers: upstreams, tool_groups: [{ name: 'sums', tools: { dual: ['add'], old: ['add'] } }] },
    virtual_keys: [
      { key_name: 'all', key: KEY, mcp_clients: all, tool_groups: ['sums'] },
      { key_name: 'limited', key: LIMITED_KEY, mcp_clients: [{ name: 'dual', allowed_tools: ['echo', 'ad*'] }] },
      { key_name: 'nothing', key: 'vk-test-nothing' },
    ],
    limits: { response_bytes: '1MiB', tools_per_server: 300 },
    health: { timeout: '1s' },
  };
  const response = await exports.default.fetch(
    new Request(`${URL_BASE}/api/config`, {
      method: 'PUT',
      headers: { ...ADMIN, 'content-type': 'application/json' },
      body: JSON.stringify(document),
    }),
  );
  expect([response.status, await response.text()]).toEqual([200, expect.any(String)]);
});

describe.each(CLIENTS)('a client of %s', (_line, connect) => {
  it('lists all servers that are up, and only as many tools of one as the operator allows', async () => {
    const client = await connect(asKey(KEY));
    const names = (await client.listTools()).tools.map((tool) => tool.name);
    const of = (upstream: string) => names.filter((name) => name.startsWith(`${upstream}__`));
    expect(of('dual')).toContain('dual__add');
    expect(of('old')).toContain('old__echo');
    expect(of('everything').length).toBeGreaterThan(5);
    expect(of('many-tools')).toHaveLength(300);
    expect(of('html')).toEqual([]);
    await client.close();
  });

  it.each(['dual', 'old'])('calls tools of the upstream %s', async (name) => {
    const client = await connect(asKey(KEY));
    expect(await client.callTool({ name: `${name}__echo`, arguments: { text: 'hello' } })).toMatchObject({
      content: [{ type: 'text', text: 'hello' }],
    });
    expect(await client.callTool({ name: `${name}__add`, arguments: { a: 1, b: 2 } })).toMatchObject({
      structuredContent: { sum: 3 },
    });
    expect(await client.callTool({ name: `${name}__fail` })).toMatchObject({ isError: true });
    const mixed = await client.callTool({ name: `${name}__mixed` });
    expect(mixed).toMatchObject({ _meta: { 'example.com/trace': 'kept' } });
    expect((mixed.content as { type: string }[]).map(({ type }) => type)).toEqual([
      'text',
      'image',
      'audio',
      'resource_link',
      'resource',
    ]);
    await expect(client.callTool({ name: `${name}__reject` })).rejects.toMatchObject({ code: -32050 });
    await client.close();
  });

  it('calls the demo server at an endpoint of its own', async () => {
    const client = await connect(asKey(KEY), '/mcp/everything');
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain('echo');
    const result = await client.callTool({ name: 'echo', arguments: { message: 'hi' } });
    expect(JSON.stringify(result.content)).toContain('hi');
    await client.close();
  });

  it('uses a tool group', async () => {
    const client = await connect(asKey(KEY), '/mcp/sums');
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['dual__add', 'old__add']);
    await expect(client.callTool({ name: 'dual__echo' })).rejects.toThrow('Unknown tool');
    await client.close();
  });

  it('is shown what its key may, and nothing without grants', async () => {
    const limited = await connect(asKey(LIMITED_KEY));
    expect((await limited.listTools()).tools.map(({ name }) => name)).toEqual(['dual__add', 'dual__echo']);
    await expect(limited.callTool({ name: 'dual__mixed' })).rejects.toThrow('Unknown tool: dual__mixed');
    const nothing = await connect(asKey('vk-test-nothing'));
    expect((await nothing.listTools()).tools).toEqual([]);
    await Promise.all([limited.close(), nothing.close()]);
  });

  it('is refused with an unknown key', async () => {
    await expect(connect(asKey('vk-unknown-key'))).rejects.toThrow();
  });

  it('hears of progress', async () => {
    const client = await connect(asKey(KEY), '/mcp/dual');
    const seen: unknown[] = [];
    await callWith(client, 'slow', { onprogress: (progress) => void seen.push(progress) });
    // The client drops what comes in one piece with the answer; that nothing is lost on the wire, others show.
    expect(seen.length).toBeGreaterThanOrEqual(3);
    await client.close();
  });
});

describe('an upstream that misbehaves during a call', () => {
  it.each([
    ['call-huge', 'upstream_error'],
    ['call-mid-body', 'upstream_error'],
    ['call-hang', 'upstream_timeout'],
    ['html', 'upstream_unavailable'],
  ])('%s becomes a result with the code %s, and the others go on', async (name, code) => {
    const client = await modernClient(asKey(KEY));
    const [bad, good] = await Promise.all([
      client.callTool({ name: `${name}__noop` }),
      client.callTool({ name: 'dual__echo', arguments: { text: 'still here' } }),
    ]);
    expect(bad).toMatchObject({ isError: true, _meta: { 'sallyport/error': { code } } });
    expect(good).toMatchObject({ content: [{ text: 'still here' }] });
    await client.close();
  });
});

async function cancelledCalls(): Promise<number> {
  const state = await fetch(`${inject('dualEraUrl')}/control/state`);
  return (await state.json<{ cancelled: number }>()).cancelled;
}

describe('cancelling', () => {
  it.each(CLIENTS)('reaches the upstream from a client of %s', async (_line, connect) => {
    const before = await cancelledCalls();
    const client = await connect(asKey(KEY), '/mcp/dual');
    const abort = new AbortController();
    const started = Promise.withResolvers<void>();
    const call = callWith(client, 'slow', { signal: abort.signal, onprogress: () => started.resolve() });
    await started.promise;
    abort.abort();
    await expect(call).rejects.toThrow();
    await expect.poll(cancelledCalls, { timeout: 10_000 }).toBe(before + 1);
    await client.close();
  });
});
