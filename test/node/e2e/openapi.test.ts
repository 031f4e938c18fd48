// APIs behind the gateway as an agent sees them: tools like any other server's.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Fixture } from '../../support/fixture-http.ts';
import {
  eventually,
  freePort,
  newGatewayFolder,
  startGateway,
  type GatewayProcess,
} from '../../support/gateway-process.ts';
import { BOOKSHOP_TOKEN, startBookshop, type SeenRequest } from '../../support/openapi-api.ts';
import { bookshopSwagger, bookshopYaml } from '../../support/openapi-descriptions.ts';
import { connectToolClient, ERAS, type ToolClient } from '../../support/tool-client.ts';

const KEY = 'vk-e2e-openapi';
const GRANTS = ['books', 'old', 'web', 'flaky', 'gone', 'page'];

interface Shown {
  readonly name: string;
  readonly inputSchema?: { readonly properties?: object };
  readonly outputSchema?: object;
  readonly annotations?: object;
}

let shop: Fixture;
let gateway: GatewayProcess;
let unused: number;

function configText(): string {
  const clients = GRANTS.map((name) => `{ name: ${name}, allowed_tools: ["*"] }`).join(', ');
  return `
mcp:
  servers:
    - { name: books, type: openapi, spec: ./books.yaml, headers: { Authorization: "Bearer \${BOOKSHOP_TOKEN}" }, timeout: 1s }
    - { name: old, type: openapi, spec: old.json }
    - { name: web, type: openapi, spec: "${shop.url}/spec/books.json?token=spec-secret", base_url: "${shop.url}/v1?api_key=query-secret" }
    - { name: flaky, type: openapi, spec: "${shop.url}/spec/flaky.json", base_url: "${shop.url}/v1" }
    - { name: gone, type: openapi, spec: "http://127.0.0.1:${unused}/openapi.json" }
    - { name: page, type: openapi, spec: "${shop.url}/spec/html" }
virtual_keys:
  - key_name: reader
    key: ${KEY}
    mcp_clients: [${clients}]
  - key_name: narrow
    key: ${KEY}-narrow
    mcp_clients: [{ name: books, allowed_tools: [getBook] }]
`;
}

beforeAll(async () => {
  shop = await startBookshop();
  unused = await freePort();
  const folder = newGatewayFolder();
  writeFileSync(join(folder, 'books.yaml'), bookshopYaml(shop.url));
  writeFileSync(join(folder, 'old.json'), JSON.stringify(bookshopSwagger(shop.url)));
  gateway = await startGateway({ folder, env: { BOOKSHOP_TOKEN }, config: configText() });
}, 120_000);

afterAll(async () => {
  await gateway?.discard();
  await shop?.stop();
});

async function seen(mark: string): Promise<readonly SeenRequest[]> {
  const state = (await (await fetch(`${shop.url}/control/seen`)).json()) as { seen: SeenRequest[] };
  return state.seen.filter(({ url }) => url.includes(mark));
}

async function healthOf(
  server: string,
): Promise<{ state: string; tool_count: number; note?: string; last_error: { message: string } | null }> {
  return (await gateway.admin(`/api/servers/${server}/health`)) as never;
}

describe.each(ERAS)('for a client of the %s era', (era) => {
  const connect = (path = '/mcp', key = KEY): Promise<ToolClient> =>
    connectToolClient({ era, url: `${gateway.url}${path}`, key });

  it('lists operations as tools, and not how they are called', async () => {
    const client = await connect();
    const tools = (await client.listTools()) as readonly Shown[];
    const names = tools.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining(['books__getBook', 'books__listBooks', 'old__addBook', 'web__getBook']),
    );
    expect(names.filter((name) => /^(gone|page)__/.test(name))).toEqual([]);
    const getBook = tools.find(({ name }) => name === 'books__getBook');
    expect(getBook).toMatchObject({
      title: 'One book',
      inputSchema: { type: 'object', required: ['isbn'], properties: { isbn: { description: 'Of the book' } } },
      outputSchema: { type: 'object', required: ['isbn', 'title', 'id'], $defs: { Book: { type: 'object' } } },
      annotations: { readOnlyHint: true },
    });
    const text = JSON.stringify(tools);
    expect(text).not.toContain('sallyport/operation');
    expect(text).not.toContain(shop.url);
    await client.close();
  });

  it('calls them with the gateway’s credentials and gives back what they say', async () => {
    const client = await connect();
    // The SDK checks the structure against the schema that was listed.
    await client.listTools();
    const book = await client.callTool('books__getBook', { isbn: `978/${era}` });
    expect(book.structuredContent).toMatchObject({ title: 'Grüße', sequel: { title: null } });
    expect(JSON.parse(book.content[0]?.text ?? '')).toEqual(book.structuredContent);
    const [request] = await seen(`978%2F${era}`);
    expect(request?.headers.authorization).toBe(`Bearer ${BOOKSHOP_TOKEN}`);
    expect((await client.callTool('books__getCover', { isbn: '1' })).content[0]?.type).toBe('image');
    const made = await client.callTool('old__addBook', { body: { isbn: `made-${era}` } });
    expect(made.structuredContent).toMatchObject({ isbn: `made-${era}` });
    await client.callTool('web__getBook', { isbn: `web-${era}` });
    expect(await seen(`web-${era}`)).toMatchObject([{ url: `/v1/books/web-${era}?api_key=query-secret` }]);
    await client.close();
  });

  it('says what went wrong', async () => {
    const client = await connect('/mcp/books');
    const missing = await client.callTool('getBook', { isbn: 'missing' });
    expect(missing).toMatchObject({
      isError: true,
      content: [{ text: expect.stringMatching(/^HTTP 404 Not Found\n/) }],
    });
    expect(JSON.stringify(missing)).not.toContain(BOOKSHOP_TOKEN);
    expect(await client.callTool('getBook', { isbn: '../orders' })).toMatchObject({ isError: true });
    expect(await client.callTool('liar')).toMatchObject({ isError: true });
    const slow = await client.callTool('slow');
    expect(slow).toMatchObject({ isError: true, content: [{ text: 'upstream "books" did not answer in time' }] });
    const down = await client.callTool('down');
    expect(down).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('answered HTTP 503') }] });
    // A success in between: the API as a whole is well.
    expect((await client.callTool('getBook', { isbn: '1' })).isError).toBeUndefined();
    await client.close();
  });

  it('keeps to what is granted', async () => {
    const client = await connect('/mcp', `${KEY}-narrow`);
    expect((await client.listTools()).map(({ name }) => name)).toEqual(['books__getBook']);
    await expect(client.callTool('books__removeBook', { isbn: '1' })).rejects.toMatchObject({ code: -32602 });
    expect((await seen('/v1/books/1')).filter(({ method }) => method === 'DELETE')).toEqual([]);
    await client.close();
  });
});

it('records each call like any other', async () => {
  const client = await connectToolClient({
    era: 'modern',
    url: `${gateway.url}/mcp`,
    key: KEY,
    headers: { 'x-sallyport-tags': 'case=openapi' },
  });
  await client.callTool('books__getBook', { isbn: 'missing' });
  await client.close();
  type Row = { outcome: string; reason?: string; server?: string; tool?: string; key_name?: string; tags?: unknown };
  const event = await eventually('the event', 10_000, async () => {
    const page = (await gateway.admin('/api/audit-events?kind=tool.call&limit=100')) as { items: Row[] };
    return page.items.find(({ tags }) => JSON.stringify(tags ?? {}).includes('openapi'));
  });
  expect(event).toMatchObject({
    outcome: 'error',
    reason: 'tool_error',
    server: 'books',
    tool: 'getBook',
    key_name: 'reader',
  });
});

it('says what is left out, and why a server is failing', async () => {
  expect(gateway.output()).toMatch(
    /warning: .*books\.yaml|warning: .*mcp\.servers\[0\]\.spec: left out: GET \/foreign/,
  );
  expect(await healthOf('books')).toMatchObject({ state: 'healthy', tool_count: 20 });
  expect(await healthOf('gone')).toMatchObject({
    state: 'failing',
    last_error: { message: expect.stringContaining('has a description that cannot be read') },
  });
  expect(await healthOf('page')).toMatchObject({
    state: 'failing',
    last_error: { message: expect.stringContaining('its description is a web page') },
  });
});

it('shows no credential of an address', async () => {
  const shown = JSON.stringify(await gateway.admin('/api/servers/web'));
  expect(shown).toContain('/spec/books.json');
  expect(shown).not.toMatch(/spec-secret|query-secret/);
});

it('keeps the credentials of an address that was read and sent back', async () => {
  const spec = `${shop.url}/spec/books.json?token=kept-secret`;
  await gateway.admin('/api/servers/kept', { method: 'PUT', body: { type: 'openapi', spec } });
  const shown = (await gateway.admin('/api/servers/kept')) as Record<string, unknown>;
  expect(JSON.stringify(shown)).not.toContain('kept-secret');
  await gateway.admin('/api/servers/kept', { method: 'PUT', body: { ...shown, timeout: 5_000 } });
  await eventually('its tools', 10_000, async () => ((await healthOf('kept')).tool_count === 1 ? true : undefined));
  for (const { url } of await seen('/spec/books.json?token=kept')) expect(url).toContain('token=kept-secret');
});

it('takes a server from the admin API, its description in the request', async () => {
  const document = {
    openapi: '3.1.0',
    servers: [{ url: `${shop.url}/v1` }],
    paths: { '/whoami': { get: { operationId: 'who' } } },
  };
  await gateway.admin('/api/servers/sent', { method: 'PUT', body: { type: 'openapi', spec: { document } } });
  const health = await eventually('its tools', 10_000, async () => {
    const now = await healthOf('sent');
    return now.tool_count === 1 ? now : undefined;
  });
  expect(health.state).toBe('healthy');
  await expect(
    gateway.admin('/api/servers/bad', { method: 'PUT', body: { type: 'openapi', spec: './books.yaml' } }),
  ).rejects.toThrow('only the command line can read a file');
});

it('applies a change of a description’s file', async () => {
  const changed = bookshopYaml(shop.url).replace('operationId: whoami', 'operationId: whoAmINow');
  writeFileSync(join(gateway.folder, 'books.yaml'), changed);
  const client = await connectToolClient({ era: 'modern', url: `${gateway.url}/mcp/books`, key: KEY });
  await eventually('the new name', 15_000, async () => {
    const names = new Set((await client.listTools()).map(({ name }) => name));
    return names.has('whoAmINow') && !names.has('whoami') ? true : undefined;
  });
  writeFileSync(join(gateway.folder, 'books.yaml'), '<html>');
  await eventually('the complaint', 15_000, () =>
    /mcp\.servers\[0\]\.spec: the description is a web page/.test(gateway.output()) ? true : undefined,
  );
  expect((await client.callTool('whoAmINow')).structuredContent).toEqual({ authorized: true });
  await client.close();
  writeFileSync(join(gateway.folder, 'books.yaml'), changed);
});

it('calls after a restart what it knew before, though the description is out of reach', async () => {
  await gateway.stop();
  await fetch(`${shop.url}/control/flaky?is=gone`);
  const { folder } = gateway;
  gateway = await startGateway({ folder, env: { BOOKSHOP_TOKEN }, config: configText() });
  const client = await connectToolClient({ era: 'modern', url: `${gateway.url}/mcp`, key: KEY });
  expect((await client.listTools()).map(({ name }) => name)).toContain('flaky__getBook');
  const book = await client.callTool('flaky__getBook', { isbn: 'restarted' });
  expect(book.structuredContent).toMatchObject({ title: 'Grüße' });
  expect(await healthOf('flaky')).toMatchObject({ state: 'healthy', tool_count: 1 });
  await client.close();
}, 120_000);
