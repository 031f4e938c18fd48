// Tools over the started gateway: the reference servers over stdio and over HTTP, for clients of both eras.
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, startGateway, type GatewayProcess } from '../../support/gateway-process.ts';
import type { Fixture } from '../../support/fixture-http.ts';
import { referenceServer } from '../../support/reference-servers.ts';
import { connectToolClient, ERAS, type ToolResult } from '../../support/tool-client.ts';
import { startEverythingUpstream } from '../../support/upstream-everything.ts';

const EVERYTHING_ALLOWED = ['echo', 'get-structured-content', 'get-sum', 'get-tiny-image'];

function configFor(files: string, everythingUrl: string): string {
  return `mcp:
  servers:
    - { name: files, type: stdio, command: ${JSON.stringify(referenceServer('server-filesystem', files))} }
    - { name: local, type: stdio, command: ${JSON.stringify(referenceServer('server-everything'))} }
    - { name: remote, type: http, url: "${everythingUrl}/mcp" }
    - { name: absent, type: stdio, command: ["/nonexistent/mcp-server"] }
    - { name: dead, type: stdio, command: ["/bin/sh", "-c", "echo the licence has run out >&2; exit 3"] }
    - { name: refused, type: http, url: "http://127.0.0.1:9/mcp" }
virtual_keys:
  - key_name: some
    key: vk-e2e-some-tools
    mcp_clients:
      - { name: files, allowed_tools: ["read_text_file", "list_*"] }
      - { name: local, allowed_tools: ${JSON.stringify(EVERYTHING_ALLOWED)} }
      - { name: remote, allowed_tools: ${JSON.stringify(EVERYTHING_ALLOWED)} }
      - { name: absent, allowed_tools: ["*"] }
      - { name: dead, allowed_tools: ["*"] }
      - { name: refused, allowed_tools: ["*"] }
  - { key_name: none, key: vk-e2e-no-tools }
`;
}

const EXPECTED_TOOLS = [
  ...['list_allowed_directories', 'list_directory', 'list_directory_with_sizes', 'read_text_file'].map(
    (name) => `files__${name}`,
  ),
  ...EVERYTHING_ALLOWED.map((name) => `local__${name}`),
  ...EVERYTHING_ALLOWED.map((name) => `remote__${name}`),
].toSorted();

describe('tools through the started gateway', () => {
  let files: string;
  let everything: Fixture;
  let gateway: GatewayProcess;

  beforeAll(async () => {
    files = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-files-')));
    writeFileSync(join(files, 'note.txt'), 'a note');
    everything = await startEverythingUpstream();
    gateway = await startGateway({ config: configFor(files, everything.url) });
  });

  afterAll(async () => {
    await gateway?.discard();
    await everything?.stop();
    rmSync(files, { recursive: true, force: true });
  });

  describe.each(ERAS)('for a client of the %s era', (era) => {
    const connect = (path: string, key: string): ReturnType<typeof connectToolClient> =>
      connectToolClient({ era, url: `${gateway.url}${path}`, key });

    it('lists exactly the allowed tools, in the same order each time', async () => {
      const client = await connect('/mcp', 'vk-e2e-some-tools');
      const first = (await client.listTools()).map(({ name }) => name);
      const second = (await client.listTools()).map(({ name }) => name);
      expect(first.toSorted()).toEqual(EXPECTED_TOOLS);
      expect(second).toEqual(first);
      await client.close();
    });

    it.each(['local', 'remote'])('relays every kind of result of %s whole', async (server) => {
      const client = await connect('/mcp', 'vk-e2e-some-tools');
      const echo = await client.callTool(`${server}__echo`, { message: 'Grüße, 世界' });
      expect(echo.content).toEqual([{ type: 'text', text: 'Echo: Grüße, 世界' }]);
      const sum = await client.callTool(`${server}__get-sum`, { a: 19, b: 23 });
      expect(textOf(sum)).toContain('42');
      const image = await client.callTool(`${server}__get-tiny-image`);
      expect(image.content.map(({ type }) => type)).toContain('image');
      const weather = await client.callTool(`${server}__get-structured-content`, { location: 'New York' });
      expect(weather.structuredContent).toMatchObject({ temperature: expect.any(Number) });
      const bad = await client.callTool(`${server}__get-sum`, { a: 'not a number' });
      expect(bad.isError).toBe(true);
      await client.close();
    });

    it('serves one server alone under its own path, names unprefixed', async () => {
      const client = await connect('/mcp/files', 'vk-e2e-some-tools');
      const names = (await client.listTools()).map(({ name }) => name);
      expect(names.toSorted()).toEqual(
        EXPECTED_TOOLS.filter((name) => name.startsWith('files__')).map((name) => name.slice('files__'.length)),
      );
      expect(textOf(await client.callTool('read_text_file', { path: join(files, 'note.txt') }))).toBe('a note');
      await client.close();
    });

    it('lists nothing for a key without mcp_clients', async () => {
      const client = await connect('/mcp', 'vk-e2e-no-tools');
      expect(await client.listTools()).toEqual([]);
      await expect(client.callTool('files__read_text_file', {})).rejects.toMatchObject({ code: -32602 });
      await client.close();
    });

    it('refuses an unknown key', async () => {
      await expect(connect('/mcp', 'vk-e2e-unknown-key')).rejects.toThrow(/401|[Uu]nauthorized|key/);
    });
  });

  it('answers an unknown key and no key with 401', async () => {
    for (const headers of [{}, { authorization: 'Bearer vk-e2e-unknown-key' }, { 'x-api-key': 'vk-e2e-unknown-key' }]) {
      const response = await fetch(`${gateway.url}/mcp`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
      });
      expect(response.status).toBe(401);
      expect(response.headers.get('x-sallyport-request-id')).toBeTruthy();
      expect(await response.text()).toContain('invalid_key');
    }
  });

  it.each([
    ['absent', /nonexistent|not found|ENOENT|127/],
    ['dead', /the licence has run out/],
    ['refused', /connect|refused|reach/i],
  ])('says why %s is failing', async (server, reason) => {
    const health = (await gateway.admin(`/api/servers/${server}/health`)) as {
      state: string;
      last_error?: { message: string; at: number; stage: string };
    };
    expect(health.state).toBe('failing');
    expect(health.last_error?.message).toMatch(reason);
    expect(gateway.output()).toMatch(new RegExp(`${server}.*failing`));
  });

  it('leaves one audit event per call and per denial, with whose it was', async () => {
    const client = await connectToolClient({
      era: 'modern',
      url: `${gateway.url}/mcp`,
      key: 'vk-e2e-some-tools',
      headers: { 'x-sallyport-tags': 'case=audit' },
    });
    await client.callTool('local__echo', { message: 'audited' });
    await client.callTool('files__write_file', {}).catch(() => {});
    await client.close();
    type Row = { kind: string; outcome: string; key_name?: string; server?: string; tool?: string; tags?: unknown };
    const rows = await eventually('both events', 10_000, async () => {
      const page = (await gateway.admin('/api/audit-events?kind=tool.call&limit=100')) as { items: Row[] };
      const ours = page.items.filter(({ tags }) => JSON.stringify(tags ?? {}).includes('audit'));
      return ours.length >= 2 ? ours : undefined;
    });
    expect(rows).toHaveLength(2);
    expect(rows).toContainEqual(
      expect.objectContaining({ outcome: 'ok', server: 'local', tool: 'echo', key_name: 'some' }),
    );
    expect(rows).toContainEqual(expect.objectContaining({ outcome: 'denied', key_name: 'some' }));
  });
});

function textOf(result: ToolResult): string {
  return result.content.map(({ text }) => text ?? '').join('');
}
