// A file server that takes the folders it may touch from its client's roots, behind a gateway whose disk is not the
// client's to open.
import { mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ListRootsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { newGatewayFolder, startGateway, type GatewayProcess } from '../../support/gateway-process.ts';
import { referenceServer } from '../../support/reference-servers.ts';

const KEY = 'vk-e2e-roots';
const folder = newGatewayFolder();
const granted = join(folder, 'granted');
const wanted = join(folder, 'wanted');

let gateway: GatewayProcess;
beforeAll(async () => {
  for (const path of [granted, wanted]) mkdirSync(path);
  const command = JSON.stringify([...referenceServer('server-filesystem'), realpathSync(granted)]);
  gateway = await startGateway({
    folder,
    config: `mcp:
  servers:
    - { name: withheld, type: stdio, command: ${command}, isolation: session }
    - { name: relayed, type: stdio, command: ${command}, isolation: session, roots: relay }
virtual_keys:
  - key_name: all
    key: ${KEY}
    mcp_clients:
      - { name: withheld, allowed_tools: ["*"] }
      - { name: relayed, allowed_tools: ["*"] }
`,
  });
});
afterAll(() => gateway?.discard());

it.each([
  ['keeps to its own folders', 'withheld', granted],
  ['takes them from its client where the configuration says so', 'relayed', wanted],
])('%s', async (_name, server, allowed) => {
  const client = new Client({ name: 'roots', version: '1.0.0' }, { capabilities: { roots: { listChanged: true } } });
  client.setRequestHandler(ListRootsRequestSchema, () => ({ roots: [{ uri: pathToFileURL(wanted).href }] }));
  const transport = new StreamableHTTPClientTransport(new URL(`${gateway.url}/mcp/${server}`), {
    requestInit: { headers: { authorization: `Bearer ${KEY}` } },
  });
  await client.connect(transport as Parameters<Client['connect']>[0]);
  // Told again and again: what the server asks before the stream of its session is open, nobody hears.
  const folders = async () => {
    await client.sendRootsListChanged();
    return JSON.stringify((await client.callTool({ name: 'list_allowed_directories' })).content);
  };
  await expect.poll(folders, { timeout: 20_000, interval: 200 }).toContain(allowed);
  // Nor does it come to know of them later.
  for (let time = 0; time < 3; time++) expect(await folders()).toContain(allowed);
  await client.close();
});
