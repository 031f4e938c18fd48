// A caller of tools in either protocol era: the maintenance line of the official SDK for the sessions of old, its
// stable line pinned to the stateless revision.
import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

export const ERAS = ['legacy', 'modern'] as const;
export type Era = (typeof ERAS)[number];

export interface ToolResult {
  readonly content: readonly { readonly type: string; readonly text?: string }[];
  readonly isError?: boolean;
  readonly structuredContent?: unknown;
}

export interface ToolClient {
  /** Every page, in the order given. */
  listTools(): Promise<{ readonly name: string }[]>;
  callTool(name: string, args?: Readonly<Record<string, unknown>>): Promise<ToolResult>;
  close(): Promise<void>;
}

export interface ToolClientOptions {
  readonly era: Era;
  /** The whole endpoint, such as `http://127.0.0.1:8080/mcp`. */
  readonly url: string;
  readonly key: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export async function connectToolClient(options: ToolClientOptions): Promise<ToolClient> {
  const url = new URL(options.url);
  const requestInit = { headers: { authorization: `Bearer ${options.key}`, ...options.headers } };
  const identity = { name: 'sallyport-e2e', version: '1.0.0' };
  const client =
    options.era === 'legacy'
      ? new LegacyClient(identity)
      : new ModernClient(identity, { versionNegotiation: { mode: { pin: '2026-07-28' } } });
  if (client instanceof LegacyClient) {
    // The SDK's transport declares its optional members without `| undefined`, its interface with.
    await client.connect(new LegacyTransport(url, { requestInit }) as Parameters<LegacyClient['connect']>[0]);
  } else {
    await client.connect(new ModernTransport(url, { requestInit }));
  }
  return {
    listTools: async () => {
      const tools: { readonly name: string }[] = [];
      let cursor: string | undefined;
      do {
        const page: { tools: { name: string }[]; nextCursor?: string | undefined } = await client.listTools(
          cursor === undefined ? {} : { cursor },
        );
        tools.push(...page.tools);
        cursor = page.nextCursor;
      } while (cursor !== undefined);
      return tools;
    },
    callTool: async (name, args) => (await client.callTool({ name, arguments: { ...args } })) as ToolResult,
    close: () => client.close(),
  };
}
