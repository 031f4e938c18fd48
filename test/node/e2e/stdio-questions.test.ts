// A stdio server that asks in the midst of a call, through bridge and gateway, of clients of both eras.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectEraClient, type Era } from '../../conformance/eras-client.ts';
import { startGateway, type GatewayProcess } from '../../support/gateway-process.ts';
import { referenceServer } from '../../support/reference-servers.ts';

const KEY = 'vk-e2e-questions';
const CONFIG = `mcp:
  servers:
    - { name: local, type: stdio, command: ${JSON.stringify(referenceServer('server-everything'))} }
virtual_keys:
  - { key_name: all, key: ${KEY}, mcp_clients: [{ name: local, allowed_tools: ["*"] }] }
`;

let gateway: GatewayProcess;
beforeAll(async () => {
  gateway = await startGateway({ config: CONFIG });
});
afterAll(() => gateway?.discard());

it.each<[Era, string, object]>([
  ['legacy', 'trigger-elicitation-request', {}],
  ['modern', 'trigger-elicitation-request', {}],
  ['legacy', 'trigger-sampling-request', { prompt: 'hello', maxTokens: 5 }],
  ['modern', 'trigger-sampling-request', { prompt: 'hello', maxTokens: 5 }],
])('a %s client is asked by %s of a process that serves many', async (era, tool, given) => {
  const client = await connectEraClient(era, `${gateway.url}/mcp/local`, { authorization: `Bearer ${KEY}` });
  const answer = JSON.stringify(await client.call(tool, given as Record<string, unknown>));
  expect(answer).not.toMatch(/not delivered|isError/);
  expect(answer).toMatch(tool.includes('sampling') ? /sampl/i : /accept|provided/i);
  await client.close();
});
