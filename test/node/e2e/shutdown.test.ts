// However the gateway ends, nothing of it is left running.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterEach, describe, expect, it } from 'vitest';
import {
  eventually,
  newGatewayFolder,
  startGateway,
  survivors,
  type GatewayProcess,
} from '../../support/gateway-process.ts';
import { processesMentioning, type ProcessEntry } from '../../support/process-table.ts';
import { referenceServer } from '../../support/reference-servers.ts';
import { connectToolClient } from '../../support/tool-client.ts';

const KEY = 'vk-e2e-shutdown';
const GONE_WITHIN_MS = 10_000;

/** A stdio server with a child of its own, both carrying the folder's name so that they are found wherever they went. */
function configFor(folder: string): string {
  const server = referenceServer('server-everything').join(' ');
  return `mcp:
  servers:
    - name: parent
      type: stdio
      command: ["/bin/sh", "-c", "sleep 86400 </dev/null >/dev/null 2>&1 & exec ${server}"]
      env: { SALLYPORT_TEST_FOLDER: "${folder}" }
providers: [{ name: echo }]
virtual_keys:
  - key_name: all
    key: ${KEY}
    mcp_clients: [{ name: parent, allowed_tools: ["*"] }]
    providers: [{ name: echo }]
`;
}

async function echo(gateway: GatewayProcess): Promise<void> {
  const client = await connectToolClient({ era: 'modern', url: `${gateway.url}/mcp`, key: KEY });
  const result = await client.callTool('parent__echo', { message: 'still here' });
  expect(result.content).toEqual([{ type: 'text', text: 'Echo: still here' }]);
  await client.close();
}

describe.skipIf(process.platform !== 'linux')('the end of the gateway', () => {
  let gateway: GatewayProcess | undefined;
  afterEach(() => gateway?.discard());

  /** Started, used once, and seen to run all it should. */
  async function startUsed(): Promise<{ running: ProcessEntry[]; folder: string; started: GatewayProcess }> {
    const folder = newGatewayFolder();
    const started = await startGateway({ config: configFor(folder), folder });
    gateway = started;
    await echo(started);
    const running = [...started.processes(), ...processesMentioning(folder)];
    const commands = running.map(({ command }) => command).join('\n');
    expect(commands).toMatch(/workerd serve /);
    expect(commands).toMatch(/server-everything/);
    expect(commands).toMatch(/^sleep 86400/m);
    return { running, folder, started };
  }

  it.each(['SIGTERM', 'SIGINT'] as const)('%s ends with code 0 and leaves no process', async (signal) => {
    const { running, folder, started } = await startUsed();
    expect(await started.stop(signal)).toBe(0);
    expect(await survivors(running, 0)).toEqual([]);
    expect(processesMentioning(folder)).toEqual([]);
  });

  it('is told to those who listen, and does not wait for them', async () => {
    const { started } = await startUsed();
    const client = new Client(
      { name: 'listener', version: '1' },
      { versionNegotiation: { mode: { pin: '2026-07-28' } } },
    );
    const requestInit = { headers: { authorization: `Bearer ${KEY}` } };
    await client.connect(new StreamableHTTPClientTransport(new URL(`${started.url}/mcp`), { requestInit }));
    const subscription = await client.listen({ toolsListChanged: true });
    const begunAt = performance.now();
    expect(await started.stop()).toBe(0);
    expect(performance.now() - begunAt).toBeLessThan(5_000);
    expect(await subscription.closed).toBe('graceful');
    await client.close();
  });

  it('leaves no process when the command line is killed', async () => {
    const { running, folder, started } = await startUsed();
    await started.kill9();
    expect(await survivors(running, GONE_WITHIN_MS)).toEqual([]);
    expect(processesMentioning(folder)).toEqual([]);
  });

  it('starts a killed bridge again, without its servers of before', async () => {
    const { running, started } = await startUsed();
    const bridge = running.find(({ command }) => /^\S*node\S* .*bridge\/main\.ts/.test(command));
    expect(bridge).toBeDefined();
    process.kill(bridge?.pid ?? 0, 'SIGKILL');
    const servers = running.filter(({ command }) => /^sleep 86400|server-everything/.test(command));
    expect(await survivors(servers, GONE_WITHIN_MS)).toEqual([]);
    await eventually('the tool through a new bridge', 30_000, () =>
      echo(started).then(
        () => true,
        () => undefined,
      ),
    );
  });

  it('records on SIGTERM what the last batch held', async () => {
    const { folder, started } = await startUsed();
    const response = await fetch(`${started.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'echo/echo-1', messages: [{ role: 'user', content: 'the last words' }] }),
    });
    await response.arrayBuffer();
    const requestId = response.headers.get('x-sallyport-request-id');
    expect(response.status).toBe(200);
    expect(await started.stop()).toBe(0);
    const again = await startGateway({ config: configFor(folder), folder });
    gateway = again;
    const { items } = (await again.admin(`/api/audit-events?request_id=${requestId}`)) as {
      items: { kind: string; outcome: string }[];
    };
    expect(items).toEqual([expect.objectContaining({ kind: 'llm.call', outcome: 'ok' })]);
  });
});
