// The client under test is the gateway's upstream side: makes the scenario's server an upstream of a running gateway,
// plays the client of the gateway, and removes it again.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { behave } from './client-behavior.ts';

const HEALTH_TIMEOUT_MS = 10_000;

const ENVIRONMENT = z.object({
  GATEWAY_URL: z.url(),
  GATEWAY_ADMIN_TOKEN: z.string(),
  MCP_CONFORMANCE_SCENARIO: z.string(),
  MCP_CONFORMANCE_PROTOCOL_VERSION: z.string(),
  MCP_CONFORMANCE_CONTEXT: z.string().default('null'),
});

const environment = ENVIRONMENT.parse(process.env);
const scenarioUrl = z.url().parse(process.argv.at(-1));

async function admin(method: string, path: string, body?: unknown): Promise<unknown> {
  const response = await fetch(new URL(`/api/${path}`, environment.GATEWAY_URL), {
    method,
    headers: { authorization: `Bearer ${environment.GATEWAY_ADMIN_TOKEN}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}

const HEALTH = z.object({ state: z.string(), last_error: z.unknown() });

async function untilHealthy(server: string): Promise<void> {
  const deadline = Date.now() + HEALTH_TIMEOUT_MS;
  for (;;) {
    const health = HEALTH.parse(await admin('GET', `servers/${server}/health`));
    if (health.state === 'healthy') return;
    if (Date.now() > deadline) throw new Error(`${scenarioUrl} is no upstream: ${JSON.stringify(health)}`);
    await sleep(50);
  }
}

const server = `scenario-${randomUUID().slice(0, 8)}`;
const key = `vk-${randomUUID()}`;
await admin('POST', 'servers', { name: server, type: 'http', url: scenarioUrl });
await admin('POST', 'virtual-keys', {
  key_name: server,
  key,
  mcp_clients: [{ name: server, allowed_tools: ['*'] }],
});
try {
  await untilHealthy(server);
  await behave(environment.MCP_CONFORMANCE_SCENARIO, {
    url: new URL(`/mcp/${server}`, environment.GATEWAY_URL).href,
    headers: { authorization: `Bearer ${key}` },
    revision: environment.MCP_CONFORMANCE_PROTOCOL_VERSION,
    context: JSON.parse(environment.MCP_CONFORMANCE_CONTEXT) as unknown,
  });
} finally {
  await admin('DELETE', `virtual-keys/${server}`);
  await admin('DELETE', `servers/${server}`);
}
