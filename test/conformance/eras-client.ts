// A client of either era that does everything of which the eras differ, in one manner: the SDK's maintenance line for
// the sessions of old, its stable line pinned to the stateless revision.
import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import type { McpSubscription } from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
  LoggingMessageNotificationSchema,
  ResourceUpdatedNotificationSchema,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';

export const ERAS = ['modern', 'legacy'] as const;
export type Era = (typeof ERAS)[number];

/** What its user, its model and its host say. */
export const USER_NAME = 'Ada';
export const MODEL_WORDS = 'Something.';
export const ROOT = 'file:///workspace';

const IDENTITY = { name: 'eras', version: '1.0.0' };
const CAPABILITIES = { elicitation: { form: {} }, sampling: {}, roots: {} };
const ELICITED = { action: 'accept' as const, content: { name: USER_NAME } };
const SAMPLED = {
  role: 'assistant' as const,
  model: 'none',
  content: { type: 'text' as const, text: MODEL_WORDS },
};
const ROOTS = { roots: [{ uri: ROOT, name: 'workspace' }] };

export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: number) => void;
  readonly logLevel?: 'debug' | 'info' | 'error';
}

export interface EraClient {
  listTools(): Promise<string[]>;
  /** @returns the text of the result */
  call(name: string, args?: Record<string, unknown>, options?: CallOptions): Promise<string>;
  /** From here on the client hears of changed lists and, where it is given, of updates of the resource. */
  listen(uri?: string): Promise<void>;
  /** In the order they came: log messages, `list_changed`, `updated <uri>`. */
  readonly heard: string[];
  close(): Promise<void>;
}

export async function connectEraClient(era: Era, url: string, headers: Record<string, string>): Promise<EraClient> {
  const heard: string[] = [];
  const requestInit = { headers };
  return era === 'modern' ? modernClient(url, requestInit, heard) : legacyClient(url, requestInit, heard);
}

function textOf(result: unknown): string {
  const { content } = Object(result) as { content?: readonly { readonly text?: string }[] };
  return content?.map((block) => block.text ?? '').join('') ?? '';
}

async function modernClient(url: string, requestInit: RequestInit, heard: string[]): Promise<EraClient> {
  const client = new ModernClient(IDENTITY, {
    capabilities: CAPABILITIES,
    versionNegotiation: { mode: { pin: '2026-07-28' } },
  });
  client.setRequestHandler('elicitation/create', () => ELICITED);
  client.setRequestHandler('sampling/createMessage', () => SAMPLED);
  client.setRequestHandler('roots/list', () => ROOTS);
  client.setNotificationHandler('notifications/message', ({ params }) => void heard.push(String(params.data)));
  client.setNotificationHandler('notifications/tools/list_changed', () => void heard.push('list_changed'));
  client.setNotificationHandler(
    'notifications/resources/updated',
    ({ params }) => void heard.push(`updated ${params.uri}`),
  );
  await client.connect(new ModernTransport(new URL(url), { requestInit }));
  let subscription: McpSubscription | undefined;
  return {
    heard,
    // From the server, not from the client's own cache.
    listTools: async () => (await client.listTools({}, { cacheMode: 'bypass' })).tools.map((tool) => tool.name),
    call: async (name, args = {}, { signal, onProgress, logLevel } = {}) => {
      const meta = logLevel === undefined ? {} : { _meta: { 'io.modelcontextprotocol/logLevel': logLevel } };
      const result = await client.callTool(
        { name, arguments: args, ...meta },
        {
          ...(signal !== undefined && { signal }),
          ...(onProgress !== undefined && { onprogress: ({ progress }: { progress: number }) => onProgress(progress) }),
        },
      );
      return textOf(result);
    },
    listen: async (uri) => {
      const wanted = uri === undefined ? {} : { resourceSubscriptions: [uri] };
      subscription = await client.listen({ toolsListChanged: true, ...wanted });
    },
    close: async () => {
      await subscription?.close();
      await client.close();
    },
  };
}

async function legacyClient(url: string, requestInit: RequestInit, heard: string[]): Promise<EraClient> {
  const client = new LegacyClient(IDENTITY, { capabilities: CAPABILITIES });
  client.setRequestHandler(ElicitRequestSchema, () => ELICITED);
  client.setRequestHandler(CreateMessageRequestSchema, () => SAMPLED);
  client.setRequestHandler(ListRootsRequestSchema, () => ROOTS);
  client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => void heard.push(String(params.data)));
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => void heard.push('list_changed'));
  client.setNotificationHandler(
    ResourceUpdatedNotificationSchema,
    ({ params }) => void heard.push(`updated ${params.uri}`),
  );
  const transport = new LegacyTransport(new URL(url), { requestInit });
  await client.connect(transport as Parameters<LegacyClient['connect']>[0]);
  return {
    heard,
    listTools: async () => (await client.listTools()).tools.map((tool) => tool.name),
    call: async (name, args = {}, { signal, onProgress, logLevel } = {}) => {
      if (logLevel !== undefined) await client.setLoggingLevel(logLevel);
      const result = await client.callTool({ name, arguments: args }, undefined, {
        ...(signal !== undefined && { signal }),
        ...(onProgress !== undefined && { onprogress: ({ progress }: { progress: number }) => onProgress(progress) }),
      });
      return textOf(result);
    },
    // Its stream is opened after the handshake by itself.
    listen: async (uri) => {
      if (uri !== undefined) await client.subscribeResource({ uri });
    },
    close: async () => {
      await transport.terminateSession();
      await client.close();
    },
  };
}
