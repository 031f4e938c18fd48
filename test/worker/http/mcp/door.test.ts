// What is refused before an era matters.
import { describe, expect, it } from 'vitest';
import { ACCEPT, mcpApp, modern, post, rpc, tool, URL_BASE, type McpApp } from './mcp-app.ts';

const appOfOne = (): McpApp => mcpApp({ catalogs: { s: { tools: [tool('a')] } } });

describe('a body', () => {
  it.each([
    ['no JSON at all', 'hello', -32700],
    ['a body that breaks off', '{"jsonrpc":"2.0","id":1', -32700],
    ['no body', '', -32700],
    ['JSON that is no message', '{"a":1}', -32600],
    ['a number', '17', -32600],
    ['a request with a null id', '{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600],
    ['a repeated method', '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/list"}', -32600],
    ['a repeated tool name', '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","name":"y"}}', -32600],
    ['an empty batch', '[]', -32600],
    ['a batch of no messages', '[17]', -32600],
  ])('is refused: %s', async (_what, body, code) => {
    const app = appOfOne();
    expect(await rpc(post(app, body))).toMatchObject({ status: 400, jsonrpc: '2.0', error: { code } });
    expect(await rpc(modern(app, 'tools/list'))).toMatchObject({ status: 200 });
  });

  it('over the limit is refused, and the gateway serves on', async () => {
    const app = mcpApp({ catalogs: {}, settings: { limits: { request_bytes: 1000 } } });
    expect(await rpc(modern(app, 'tools/list', { filler: 'x'.repeat(1000) }))).toMatchObject({ status: 413 });
    expect(await rpc(modern(app, 'tools/list'))).toMatchObject({ status: 200 });
  });

  it.each(['none', 'hash', 'full'])('nested without end harms nobody, audited as %s', async (content) => {
    const app = mcpApp({ catalogs: { s: { tools: [tool('a')] } }, settings: { audit: { content } } });
    let deep: unknown[] = [];
    for (let depth = 0; depth < 100_000; depth++) deep = [deep];
    expect([200, 400]).toContain((await modern(app, 'tools/call', { name: 's__a', arguments: { deep } })).status);
    expect(await rpc(modern(app, 'tools/list'))).toMatchObject({ status: 200 });
  });
});

describe('a request', () => {
  it.each([
    ['another media type', { 'content-type': 'text/plain' }, 415],
    ['a client that takes no JSON', { accept: 'text/event-stream' }, 406],
    ['a client that takes no streams', { accept: 'application/json' }, 406],
    ['tags that are none', { 'x-sallyport-tags': 'no equals sign' }, 400],
    ['narrowing by what cannot be names', { 'x-sallyport-include-servers': 'No Server!' }, 400],
  ])('is refused: %s', async (_what, headers, status) => {
    expect(await rpc(modern(appOfOne(), 'tools/list', {}, headers))).toMatchObject({ status, error: {} });
  });

  it.each(['PUT', 'PATCH', 'OPTIONS'])('is refused: %s, and what is allowed named', async (method) => {
    for (const path of ['/mcp', '/mcp/s']) {
      const response = await appOfOne().fetch(URL_BASE + path, { method, headers: { accept: ACCEPT } });
      expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST, GET, DELETE']);
      expect(await response.json()).toMatchObject({ jsonrpc: '2.0', error: {} });
    }
  });

  it('is answered alike for what is not there and what is not granted', async () => {
    const app = mcpApp({
      catalogs: { s: {}, secret: {}, off: {}, empty: {} },
      grants: { s: ['*'], off: ['*'], empty: [] },
      disabled: ['off'],
    });
    const paths = ['secret', 'theirs', 'off', 'empty', 'no-such'].map((name) => `/mcp/${name}`);
    const answers = await Promise.all(paths.map((path) => rpc(modern(app, 'tools/list', {}, {}, path))));
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(answers[0]?.status).toBe(404);
  });

  it.each([
    ['a page of somebody else', { origin: 'http://evil.example', host: 'evil.example' }, 403],
    ['a page of somebody else at our name', { origin: 'https://evil.example' }, 403],
    ['a page of this machine', { origin: 'http://localhost:6274' }, 200],
    ['nobody in particular', {}, 200],
  ])('from %s gets %d', async (_who, headers, status) => {
    expect((await modern(appOfOne(), 'tools/list', {}, headers)).status).toBe(status);
  });

  it.each([
    ['evil.example.com', 403],
    ['mcp.example.com', 200],
    ['127.0.0.1:8080', 200],
    ['localhost:1', 200],
  ])('to the host %s gets %d where names are told apart', async (host, status) => {
    const app = mcpApp({ catalogs: {}, allowedHosts: 'mcp.example.com' });
    expect((await modern(app, 'tools/list', {}, { host })).status).toBe(status);
  });
});
