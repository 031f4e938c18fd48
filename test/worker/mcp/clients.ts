// The official SDK's clients of both lines, over a `fetch` of ours.
import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import type { ClientCapabilities } from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { CfWorkerJsonSchemaValidator } from '@modelcontextprotocol/sdk/validation/cfworker';
import { URL_BASE } from '../http/mcp/mcp-app.ts';

type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

const IDENTITY = { name: 'test-client', version: '1.2.3' };

export async function modernClient(
  fetch: Fetch,
  path = '/mcp',
  capabilities: ClientCapabilities = {},
): Promise<ModernClient> {
  const client = new ModernClient(IDENTITY, { capabilities, versionNegotiation: { mode: { pin: '2026-07-28' } } });
  await client.connect(new ModernTransport(new URL(path, URL_BASE), { fetch: fetch as typeof globalThis.fetch }));
  return client;
}

/** The stable line in the handshake of the eras before. */
export async function stableLegacyClient(fetch: Fetch, path = '/mcp'): Promise<ModernClient> {
  const client = new ModernClient(IDENTITY, { versionNegotiation: { mode: 'legacy' } });
  await client.connect(new ModernTransport(new URL(path, URL_BASE), { fetch: fetch as typeof globalThis.fetch }));
  return client;
}

/** The maintenance line, an implementation of its own. */
export async function legacyClient(fetch: Fetch, path = '/mcp'): Promise<LegacyClient> {
  // The default validator compiles code, which workerd forbids.
  const client = new LegacyClient(IDENTITY, { jsonSchemaValidator: new CfWorkerJsonSchemaValidator() });
  const transport = new LegacyTransport(new URL(path, URL_BASE), { fetch: fetch as typeof globalThis.fetch });
  await client.connect(transport as Parameters<LegacyClient['connect']>[0]);
  return client;
}

export const CLIENTS = [
  ['2026-07-28, stable line', modernClient],
  ['legacy, stable line', stableLegacyClient],
  ['legacy, maintenance line', legacyClient],
] as const;

interface CallOptions {
  readonly onprogress?: (progress: unknown) => void;
  readonly signal?: AbortSignal;
}

/** The two lines take the options of a call at different places. */
export async function callWith(
  client: ModernClient | LegacyClient,
  name: string,
  options: CallOptions,
): Promise<unknown> {
  return client instanceof LegacyClient
    ? client.callTool({ name }, undefined, options)
    : client.callTool({ name }, options);
}
