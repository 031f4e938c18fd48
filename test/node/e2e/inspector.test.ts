// The protocol's own inspector as a client of the gateway, in both eras: a referee that none of us wrote.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFixtureV2 } from '../../conformance/fixture-v2.ts';
import type { Fixture } from '../../support/fixture-http.ts';
import { PROJECT_ROOT, startGateway, type GatewayProcess } from '../../support/gateway-process.ts';
import { ERAS } from '../../support/tool-client.ts';

const CLI = join(PROJECT_ROOT, 'node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js');
const KEY = 'vk-e2e-inspector';
/** Bounded in number, in time and to loopback. */
const LOAD = ['--load', '--load-requests', '200', '--load-concurrency', '10', '--load-duration', '20'];

const run = promisify(execFile);

interface Tool {
  readonly name: string;
  readonly inputSchema: unknown;
}

describe('the inspector', () => {
  let fixture: Fixture;
  let gateway: GatewayProcess;

  beforeAll(async () => {
    fixture = await startFixtureV2();
    const config = `mcp:
  servers: [{ name: fixture, type: http, url: "${fixture.url}/mcp" }]
virtual_keys:
  - { key_name: inspector, key: ${KEY}, mcp_clients: [{ name: fixture, allowed_tools: ["*"] }] }
`;
    gateway = await startGateway({ config });
  });

  afterAll(async () => {
    await gateway?.discard();
    await fixture?.stop();
  });

  describe.each(ERAS)('of the %s era', (era) => {
    /** Fails on any exit code but 0, with what the inspector said. */
    const inspect = async (url: string, ...args: string[]): Promise<unknown> => {
      const target = ['--cli', url, '--transport', 'http', '--header', `Authorization: Bearer ${KEY}`];
      const { stdout } = await run(
        process.execPath,
        [CLI, ...target, '--protocol-era', era, '--format', 'json', ...args],
        { env: { HOME: gateway.folder, PATH: process.env['PATH'] ?? '' }, timeout: 50_000 },
      );
      return (JSON.parse(stdout) as { readonly result: unknown }).result;
    };
    /** By name: the gateway gives a list an order of its own. */
    const list = async (url: string): Promise<Tool[]> => {
      const { tools } = (await inspect(url, '--method', 'tools/list', '--strict')) as { readonly tools: Tool[] };
      return tools.toSorted((one, other) => (one.name < other.name ? -1 : 1));
    };

    it('finds nothing wrong with the tools, which are those of the server', async () => {
      const direct = await list(fixture.url);
      const through = await list(`${gateway.url}/mcp/fixture`);
      expect(direct.length).toBeGreaterThan(20);
      expect(through).toEqual(direct);
    });

    it('finds the same tools, qualified, where all servers are together', async () => {
      const direct = await list(fixture.url);
      const through = await list(`${gateway.url}/mcp`);
      expect(through.map(({ name }) => name)).toEqual(direct.map(({ name }) => `fixture__${name}`));
    });

    it('calls a tool whose argument travels in a header too', async () => {
      const call = ['--method', 'tools/call', '--tool-name', 'test_x_mcp_header', '--tool-arg', 'region=eu-1'];
      const result = await inspect(`${gateway.url}/mcp/fixture`, ...call);
      expect(result).toMatchObject({ content: [{ type: 'text', text: 'region eu-1' }] });
    });

    it('sees no error under load', async () => {
      const call = ['--method', 'tools/call', '--tool-name', 'test_simple_text', ...LOAD];
      const report = await inspect(`${gateway.url}/mcp/fixture`, ...call);
      expect(report).toMatchObject({ requests: 200, ok: 200, toolErrors: 0, errors: 0 });
    });
  });
});
