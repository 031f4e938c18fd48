// The configuration that newcomers paste first. Only what no test machine has is replaced: the folder `/data`.
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway, type GatewayProcess } from '../../support/gateway-process.ts';
import type { Fixture } from '../../support/fixture-http.ts';
import { referenceServer } from '../../support/reference-servers.ts';
import { connectToolClient, ERAS } from '../../support/tool-client.ts';
import { startEverythingUpstream } from '../../support/upstream-everything.ts';

const ARTICLE = readFileSync(new URL('../../fixtures/article.yaml', import.meta.url), 'utf8');
const FILESYSTEM_COMMAND = '["npx", "-y", "@modelcontextprotocol/server-filesystem", "/data"]';

describe('the introductory configuration', () => {
  let folder: string;
  let linear: Fixture;
  let gateway: GatewayProcess;

  beforeAll(async () => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-article-')));
    const data = join(folder, 'data');
    mkdirSync(data);
    writeFileSync(join(data, 'hello.txt'), 'hello from the data folder');
    linear = await startEverythingUpstream();
    // An npx without a network fails at once and says why, instead of bringing a server that no test has reviewed.
    writeFileSync(join(folder, '.npmrc'), 'offline=true\n');
    expect(ARTICLE).toContain(FILESYSTEM_COMMAND);
    gateway = await startGateway({
      config: ARTICLE.replace(FILESYSTEM_COMMAND, JSON.stringify(referenceServer('server-filesystem', data))),
      env: { HOME: folder, GITHUB_TOKEN: 'ghp_test', LINEAR_MCP_URL: `${linear.url}/mcp`, LINEAR_TOKEN: 'lin_test' },
    });
  });

  afterAll(async () => {
    await gateway?.discard();
    await linear?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('says that starlark means quickjs', () => {
    expect(gateway.output()).toMatch(/starlark.*quickjs/i);
  });

  it('shows the server that cannot start as failing, with the reason, and serves the others', async () => {
    const states = Object.fromEntries(
      await Promise.all(
        ['github-mcp', 'linear-mcp', 'filesystem'].map(async (name) => [
          name,
          (await gateway.admin(`/api/servers/${name}/health`)) as Record<string, unknown>,
        ]),
      ),
    ) as Record<string, { state: string; last_error?: { message: string } }>;
    expect(states['linear-mcp']?.state).toBe('healthy');
    expect(states['filesystem']?.state).toBe('healthy');
    expect(states['github-mcp']?.state).toBe('failing');
    expect(states['github-mcp']?.last_error?.message).toMatch(/ENOTCACHED|server-github|exited/);
    expect(gateway.output()).toMatch(/github-mcp.*failing/);
  });

  describe.each(ERAS)('for a client of the %s era', (era) => {
    it('lists exactly what vk-cc-eng may call, and calls it', async () => {
      const client = await connectToolClient({ era, url: `${gateway.url}/mcp`, key: 'vk-cc-eng' });
      const names = (await client.listTools()).map(({ name }) => name);
      expect(names.toSorted()).toEqual([
        'filesystem__list_directory',
        'filesystem__read_text_file',
        'filesystem__search_files',
      ]);
      const result = await client.callTool('filesystem__read_text_file', { path: join(folder, 'data/hello.txt') });
      expect(result.content).toEqual([{ type: 'text', text: 'hello from the data folder' }]);
      await client.close();
    });

    it('answers a tool that is not allowed as one that does not exist', async () => {
      const client = await connectToolClient({ era, url: `${gateway.url}/mcp`, key: 'vk-cc-eng' });
      const [denied, linearTool, missing] = await Promise.all(
        ['filesystem__write_file', 'linear-mcp__echo', 'filesystem__no_such'].map((name) =>
          client.callTool(name, { path: join(folder, 'data/new.txt'), content: 'x', message: 'x' }).then(
            (result) => expect.fail(`${name} answered ${JSON.stringify(result)}`),
            (error: unknown) => error as { code: number; message: string },
          ),
        ),
      );
      expect(missing).toMatchObject({ code: -32602, message: expect.stringContaining('filesystem__no_such') });
      const anonymous = missing?.message.replace('filesystem__no_such', 'NAME');
      expect(denied?.message.replace('filesystem__write_file', 'NAME')).toBe(anonymous);
      expect(linearTool?.message.replace('linear-mcp__echo', 'NAME')).toBe(anonymous);
      expect([denied?.code, linearTool?.code]).toEqual([-32602, -32602]);
      await client.close();
    });

    it('shows vk-cc-write all of linear-mcp and nothing of filesystem', async () => {
      const client = await connectToolClient({ era, url: `${gateway.url}/mcp`, key: 'vk-cc-write' });
      const names = (await client.listTools()).map(({ name }) => name);
      expect(names).toContain('linear-mcp__echo');
      expect(names.every((name) => name.startsWith('linear-mcp__'))).toBe(true);
      const result = await client.callTool('linear-mcp__echo', { message: 'ahoy' });
      expect(result.content).toEqual([{ type: 'text', text: 'Echo: ahoy' }]);
      await client.close();
    });
  });
});
