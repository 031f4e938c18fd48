// What a client does so that each client scenario sees everything it looks for; the suite watches from the other side.
import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';

export interface Access {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The revision under test; it decides the era of the client. */
  readonly revision: string;
  /** What the suite hands its client besides the URL. */
  readonly context: unknown;
}

const IDENTITY = { name: 'conformance-client', version: '1.0.0' };

async function withLegacyClient(access: Access, use: (client: LegacyClient) => Promise<void>): Promise<void> {
  const client = new LegacyClient(IDENTITY, { capabilities: { elicitation: { form: { applyDefaults: true } } } });
  // Accepts whatever the form fills in by itself.
  client.setRequestHandler(ElicitRequestSchema, () => ({ action: 'accept', content: {} }));
  const transport = new LegacyTransport(new URL(access.url), { requestInit: { headers: { ...access.headers } } });
  // The SDK's transport declares its optional members without `| undefined`, its interface with.
  await client.connect(transport as Parameters<LegacyClient['connect']>[0]);
  await use(client);
  await transport.terminateSession();
  await client.close();
}

interface ModernOptions {
  /** Runs while a question is open. */
  readonly whileAsked?: (client: ModernClient) => Promise<void>;
}

async function withModernClient(
  access: Access,
  use: (client: ModernClient) => Promise<void>,
  { whileAsked }: ModernOptions = {},
): Promise<void> {
  const client = new ModernClient(IDENTITY, {
    capabilities: { elicitation: {}, sampling: {}, roots: {} },
    versionNegotiation: { mode: { pin: '2026-07-28' } },
  });
  client.setRequestHandler('elicitation/create', async () => {
    await whileAsked?.(client);
    return { action: 'accept', content: { confirmed: true } };
  });
  const transport = new ModernTransport(new URL(access.url), { requestInit: { headers: { ...access.headers } } });
  await client.connect(transport);
  await use(client);
  await client.close();
}

function withClient(access: Access, use: (client: LegacyClient | ModernClient) => Promise<void>): Promise<void> {
  return access.revision === '2026-07-28' ? withModernClient(access, use) : withLegacyClient(access, use);
}

const listTools = (access: Access): Promise<void> =>
  withClient(access, async (client) => void (await client.listTools()));

const callWithoutArguments = (name: string) => (access: Access) =>
  withClient(access, async (client) => {
    await client.listTools();
    await client.callTool({ name, arguments: {} });
  });

async function addNumbers(access: Access): Promise<void> {
  await withClient(access, async (client) => {
    await client.listTools();
    const { content } = await client.callTool({ name: 'add_numbers', arguments: { a: 19, b: 23 } });
    if (!JSON.stringify(content).includes('42')) throw new Error(`the sum came as ${JSON.stringify(content)}`);
  });
}

async function echoSchema(access: Access): Promise<void> {
  await withClient(access, async (client) => {
    const { tools } = await client.listTools();
    const schema = tools.find((tool) => tool.name === 'json_schema_2020_12_tool')?.inputSchema;
    await client.callTool({ name: 'json_schema_echo', arguments: { schema } });
  });
}

async function callAskingTools(client: ModernClient): Promise<void> {
  await client.listTools();
  for (const name of ['test_mrtr_echo_state', 'test_mrtr_no_state', 'test_mrtr_no_result_type']) {
    await client.callTool({ name, arguments: {} });
  }
}

const answerRounds = (access: Access): Promise<void> =>
  withModernClient(access, callAskingTools, {
    whileAsked: async (client) => void (await client.callTool({ name: 'test_mrtr_unrelated', arguments: {} })),
  });

async function useEverything(access: Access): Promise<void> {
  await withModernClient(access, async (client) => {
    const { tools } = await client.listTools();
    for (const { name } of tools) await client.callTool({ name, arguments: {} });
    const { resources } = await client.listResources();
    for (const { uri } of resources) await client.readResource({ uri });
    const { prompts } = await client.listPrompts();
    for (const { name } of prompts) await client.getPrompt({ name });
    // The suite skips what it never saw.
    if ([tools, resources, prompts].some((list) => list.length === 0)) throw new Error('a list is empty');
  });
}

const TOOL_CALLS = z.object({
  toolCalls: z.array(z.object({ name: z.string(), arguments: z.record(z.string(), z.unknown()) })),
});

async function callAsTold(access: Access): Promise<void> {
  const { toolCalls } = TOOL_CALLS.parse(access.context);
  await withModernClient(access, async (client) => {
    await client.listTools();
    for (const call of toolCalls) await client.callTool(call);
  });
}

/** Whatever is shown is called: the legacy client has no rules about headers that would keep it from a tool. */
async function callAllShown(access: Access): Promise<void> {
  await withLegacyClient(access, async (client) => {
    const { tools } = await client.listTools();
    for (const { name } of tools) {
      const { content, isError } = await client.callTool({ name, arguments: { region: 'here' } });
      if (isError === true) throw new Error(`${name} failed: ${JSON.stringify(content)}`);
    }
  });
}

const BEHAVIORS: Readonly<Record<string, (access: Access) => Promise<void>>> = {
  initialize: listTools,
  tools_call: addNumbers,
  'elicitation-sep1034-client-defaults': callWithoutArguments('test_client_elicitation_defaults'),
  'sse-retry': callWithoutArguments('test_reconnection'),
  'request-metadata': listTools,
  'sep-2322-client-request-state': answerRounds,
  'http-standard-headers': useEverything,
  'http-custom-headers': callAsTold,
  'http-invalid-tool-headers': callAllShown,
  'json-schema-ref-no-deref': listTools,
  'json-schema-2020-12-preservation': echoSchema,
};

export async function behave(scenario: string, access: Access): Promise<void> {
  const behavior = BEHAVIORS[scenario];
  if (behavior === undefined) throw new Error(`no behavior for the scenario ${scenario}`);
  await behavior(access);
}
