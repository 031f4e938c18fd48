// A server for the suites on the SDK's maintenance line: the legacy protocol alone, with sessions that can be resumed.
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import {
  CallToolRequestSchema,
  CompleteRequestSchema,
  CreateMessageResultSchema,
  ElicitResultSchema,
  ErrorCode,
  GetPromptRequestSchema,
  ListPromptsRequestSchema,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  ListRootsResultSchema,
  ListToolsRequestSchema,
  McpError,
  ReadResourceRequestSchema,
  SetLevelRequestSchema,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import type {
  CallToolResult,
  JSONRPCMessage,
  LoggingLevel,
  ReadResourceResult,
  ServerNotification,
  ServerRequest,
  Tool,
} from '@modelcontextprotocol/sdk/types.js';
import { validateHostHeader, validateOriginHeader } from '@modelcontextprotocol/server';
import { listen, readText, sendJson } from '../support/fixture-http.ts';
import type { Fixture } from '../support/fixture-http.ts';
import { ASKING_PROMPT } from './asking-tools.ts';
import type { Dialogue, Question } from './asking-tools.ts';
import { EventLog } from './event-log.ts';
import { completionsOf, INPUT_REQUIRED_PROMPT, promptContents, readResource } from './surface.ts';
import { RESOURCE_TEMPLATES, RESOURCES, WATCHED_RESOURCE } from './surface.ts';
import { definitionOf, SurfaceState } from './surface-state.ts';
import type { Arguments, Change, ToolCall } from './tools.ts';

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;
type Sessions = Map<string, StreamableHTTPServerTransport>;

const RETRY_AFTER_MS = 500;
const MAX_ROUNDS = 4;
const RESULTS = {
  'elicitation/create': ElicitResultSchema,
  'sampling/createMessage': CreateMessageResultSchema,
  'roots/list': ListRootsResultSchema,
} as const;

/** What one client asked to hear of. */
interface Wishes {
  readonly watched: Set<string>;
  level: LoggingLevel;
}

function toolCall(state: SurfaceState, wishes: Wishes, args: Arguments, extra: Extra): ToolCall {
  const progressToken = extra._meta?.progressToken;
  return {
    arguments: args,
    progressToken,
    log: async (data) => {
      if (wishes.level !== 'debug' && wishes.level !== 'info') return;
      await extra.sendNotification({
        method: 'notifications/message',
        params: { level: 'info', logger: 'fixture', data },
      });
    },
    progress: async (progress, total) => {
      if (progressToken === undefined) return;
      await extra.sendNotification({ method: 'notifications/progress', params: { progressToken, progress, total } });
    },
    closeStream: () => extra.closeSSEStream?.(),
    change: (what) => state.change(what),
  };
}

async function push({ method, params }: Question, extra: Extra): Promise<unknown> {
  // The wire type of a question is wider than the union the SDK sends.
  const request = { method, ...(params === undefined ? {} : { params }) } as unknown as ServerRequest;
  return extra.sendRequest(request, RESULTS[method]);
}

/** All rounds, the questions of each pushed at once on the stream of the call. */
async function converse<Result>(
  dialogue: Dialogue<Result>,
  args: Arguments,
  server: Server,
  extra: Extra,
): Promise<Result | undefined> {
  const answers: Record<string, unknown> = {};
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const questions = Object.entries(dialogue.ask(args, answers, server.getClientCapabilities() ?? {}));
    const replies = questions.map(async ([key, question]) => [key, await push(question, extra)] as const);
    Object.assign(answers, Object.fromEntries(await Promise.all(replies)));
    const result = dialogue.finish(answers);
    if (result !== undefined) return result;
  }
  return undefined;
}

function serveTools(server: Server, state: SurfaceState, wishes: Wishes): void {
  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: state.tools().map(definitionOf) as unknown as Tool[],
  }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, extra) => {
    const tool = state.tools().find((candidate) => candidate.name === params.name);
    if (tool === undefined) throw new McpError(ErrorCode.InvalidParams, `Unknown tool: ${params.name}`);
    const args = params.arguments ?? {};
    if ('run' in tool) return (await tool.run(toolCall(state, wishes, args, extra))) as CallToolResult;
    const result = await converse(tool, args, server, extra);
    return (result ?? { content: [{ type: 'text', text: 'This client gave no answer.' }] }) as CallToolResult;
  });
}

function serveResources(server: Server, wishes: Wishes): void {
  server.setRequestHandler(ListResourcesRequestSchema, () => ({ resources: [...RESOURCES] }));
  server.setRequestHandler(ListResourceTemplatesRequestSchema, () => ({ resourceTemplates: [...RESOURCE_TEMPLATES] }));
  server.setRequestHandler(ReadResourceRequestSchema, ({ params }) => {
    const content = readResource(params.uri);
    // Of the 2025 revisions; it has no name in the SDK.
    if (content === undefined) throw new McpError(-32_002, 'Resource not found', { uri: params.uri });
    return { contents: [content] } as ReadResourceResult;
  });
  server.setRequestHandler(SubscribeRequestSchema, ({ params }) => {
    wishes.watched.add(params.uri);
    return {};
  });
  server.setRequestHandler(UnsubscribeRequestSchema, ({ params }) => {
    wishes.watched.delete(params.uri);
    return {};
  });
}

function servePrompts(server: Server, state: SurfaceState): void {
  server.setRequestHandler(ListPromptsRequestSchema, () => ({ prompts: structuredClone(state.prompts()) as never }));
  server.setRequestHandler(GetPromptRequestSchema, async ({ params }, extra) => {
    const args = params.arguments ?? {};
    const contents =
      params.name === INPUT_REQUIRED_PROMPT
        ? await converse(ASKING_PROMPT, args, server, extra)
        : promptContents(params.name, args);
    if (contents === undefined) throw new McpError(ErrorCode.InvalidParams, `Unknown prompt: ${params.name}`);
    return { messages: contents.map((content) => ({ role: 'user' as const, content })) };
  });
  server.setRequestHandler(CompleteRequestSchema, ({ params }) => {
    const values = completionsOf(params.argument.value);
    return { completion: { values, total: values.length, hasMore: false } };
  });
}

function newServer(state: SurfaceState, wishes: Wishes): Server {
  const server = new Server(
    { name: 'fixture-v1', title: 'Fixture on the maintenance line', version: '1.0.0' },
    {
      capabilities: {
        tools: { listChanged: true },
        resources: { listChanged: true, subscribe: true },
        prompts: { listChanged: true },
        logging: {},
        completions: {},
      },
      instructions: 'Open a session first.',
    },
  );
  serveTools(server, state, wishes);
  serveResources(server, wishes);
  servePrompts(server, state);
  server.setRequestHandler(SetLevelRequestSchema, ({ params }) => {
    wishes.level = params.level;
    return {};
  });
  return server;
}

async function open(state: SurfaceState, sessions: Sessions): Promise<StreamableHTTPServerTransport> {
  const wishes: Wishes = { watched: new Set(), level: 'debug' };
  const server = newServer(state, wishes);
  const hear = (change: Change): void => {
    if (change === 'tools') void server.sendToolListChanged();
    if (change === 'prompts') void server.sendPromptListChanged();
    if (change === 'watched-resource' && wishes.watched.has(WATCHED_RESOURCE)) {
      void server.sendResourceUpdated({ uri: WATCHED_RESOURCE });
    }
  };
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: () => randomUUID(),
    eventStore: new EventLog<JSONRPCMessage>(),
    retryInterval: RETRY_AFTER_MS,
    onsessioninitialized: (id) => {
      sessions.set(id, transport);
      state.subscribe(hear);
    },
    onsessionclosed: (id) => {
      sessions.delete(id);
      state.unsubscribe(hear);
    },
  });
  // The SDK's own declaration of this class does not satisfy its interface under exactOptionalPropertyTypes.
  await server.connect(transport as Parameters<Server['connect']>[0]);
  return transport;
}

function isForeign({ headers }: IncomingMessage): boolean {
  const local = ['localhost', '127.0.0.1', '[::1]'];
  return !validateHostHeader(headers.host, local).ok || !validateOriginHeader(headers.origin, local).ok;
}

async function serve(
  state: SurfaceState,
  sessions: Sessions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (isForeign(request)) return refuse(response, 403, 'Not from here');
  const id = request.headers['mcp-session-id'];
  const transport = id === undefined ? await open(state, sessions) : sessions.get(String(id));
  if (transport === undefined) return refuse(response, 404, 'Session not found');
  const body = await readText(request);
  await transport.handleRequest(request, response, body === '' ? undefined : (JSON.parse(body) as unknown));
}

function refuse(response: ServerResponse, status: number, message: string): void {
  sendJson(response, { jsonrpc: '2.0', id: null, error: { code: -32_001, message } }, status);
}

/** Any path is the server. */
export async function startFixtureV1(): Promise<Fixture> {
  const state = new SurfaceState();
  const sessions: Sessions = new Map();
  return listen((request, response) => void serve(state, sessions, request, response));
}

if (import.meta.main) console.log((await startFixtureV1()).url);
