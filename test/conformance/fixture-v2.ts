// A server for the suites on the SDK's stable line: 2026-07-28 without sessions and the legacy protocol with them, on
// one URL, backed by one definition.
import { randomUUID } from 'node:crypto';
import {
  CLIENT_CAPABILITIES_META_KEY,
  createMcpHandler,
  createRequestStateCodec,
  hostHeaderValidationResponse,
  inputRequired,
  isInputRequiredResult,
  isLegacyRequest,
  localhostAllowedHostnames,
  localhostAllowedOrigins,
  McpServer,
  originValidationResponse,
  ProtocolError,
  ProtocolErrorCode,
  ResourceNotFoundError,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server';
import type {
  CallToolResult,
  GetPromptResult,
  InputRequests,
  InputRequiredResult,
  JSONRPCMessage,
  McpHttpHandler,
  ReadResourceResult,
  Server,
  ServerContext,
  Tool,
} from '@modelcontextprotocol/server';
import { listen, serveFetch } from '../support/fixture-http.ts';
import type { Fixture } from '../support/fixture-http.ts';
import { ASKING_PROMPT } from './asking-tools.ts';
import type { Answers, Dialogue } from './asking-tools.ts';
import { EventLog } from './event-log.ts';
import { completionsOf, INPUT_REQUIRED_PROMPT, promptContents, readResource } from './surface.ts';
import { RESOURCE_TEMPLATES, RESOURCES, WATCHED_RESOURCE } from './surface.ts';
import { TASK_TOOLS, TaskBoard, TASKS_EXTENSION } from './tasks.ts';
import { callTaskTool, finishLater, serveTasks } from './tasks-v2.ts';
import { definitionOf, SurfaceState } from './surface-state.ts';
import type { Arguments, Change, ToolCall, ToolResult } from './tools.ts';

type Era = 'legacy' | 'modern';

/** What a client carries between two rounds. */
interface CarriedState {
  readonly of: string;
  readonly answers: Answers;
}

const requestState = createRequestStateCodec<CarriedState>({ key: crypto.getRandomValues(new Uint8Array(32)) });
const RETRY_AFTER_MS = 500;

function toolCall(state: SurfaceState, args: Arguments, context: ServerContext): ToolCall {
  const { mcpReq, http } = context;
  const progressToken = mcpReq._meta?.progressToken;
  return {
    arguments: args,
    progressToken,
    log: (message) => mcpReq.log('info', message, 'fixture'),
    progress: async (progress, total) => {
      if (progressToken === undefined) return;
      await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total } });
    },
    closeStream: () => http?.closeSSE?.(),
    change: (what) => state.change(what),
  };
}

/** One round: the questions that are open, or undefined where none is and the dialogue has its result. */
async function converse<Result>(
  dialogue: Dialogue<Result>,
  of: string,
  args: Arguments,
  server: Server,
  { mcpReq }: ServerContext,
): Promise<Result | InputRequiredResult | undefined> {
  const carried = mcpReq.requestState<CarriedState>();
  const known = carried?.of === of ? carried.answers : {};
  const answers: Answers = { ...known, ...mcpReq.inputResponses };
  const held = dialogue.keepsState === undefined || carried?.of === of || mcpReq.envelope === undefined;
  const result = held ? dialogue.finish(answers) : undefined;
  if (result !== undefined) return result;
  const envelope: Readonly<Record<string, unknown>> = mcpReq.envelope ?? {};
  const declared = envelope[CLIENT_CAPABILITIES_META_KEY] ?? server.getClientCapabilities() ?? {};
  const inputRequests = dialogue.ask(args, answers, declared as Arguments) as unknown as InputRequests;
  if (Object.keys(inputRequests).length === 0) return undefined;
  return inputRequired({
    inputRequests,
    ...(dialogue.keepsState === undefined ? {} : { requestState: await requestState.mint({ of, answers }) }),
  });
}

function isToolResult(outcome: ToolResult | InputRequiredResult | undefined): outcome is ToolResult {
  return outcome !== undefined && !isInputRequiredResult(outcome);
}

function toolsOf(state: SurfaceState) {
  return [...state.tools(), ...TASK_TOOLS];
}

function serveTools(server: Server, state: SurfaceState, board: TaskBoard): void {
  server.setRequestHandler('tools/list', () => ({ tools: toolsOf(state).map(definitionOf) as unknown as Tool[] }));
  server.setRequestHandler('tools/call', async ({ params }, context) => {
    const tool = toolsOf(state).find((candidate) => candidate.name === params.name);
    if (tool === undefined) throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown tool: ${params.name}`);
    const args = params.arguments ?? {};
    if ('run' in tool) return (await tool.run(toolCall(state, args, context))) as CallToolResult;
    if ('job' in tool) return callTaskTool(tool, board, args, context);
    const outcome = await converse(tool, tool.name, args, server, context);
    if ('thenTask' in tool && isToolResult(outcome)) return finishLater(board, args, outcome, context);
    return (outcome ?? { content: [{ type: 'text', text: 'This client cannot be asked.' }] }) as CallToolResult;
  });
}

function serveResources(server: Server, watched: Set<string>): void {
  server.setRequestHandler('resources/list', () => ({ resources: [...RESOURCES] }));
  server.setRequestHandler('resources/templates/list', () => ({ resourceTemplates: [...RESOURCE_TEMPLATES] }));
  server.setRequestHandler('resources/read', ({ params }) => {
    const content = readResource(params.uri);
    if (content === undefined) throw new ResourceNotFoundError(params.uri);
    return { contents: [content] } as ReadResourceResult;
  });
  server.setRequestHandler('resources/subscribe', ({ params }) => {
    watched.add(params.uri);
    return {};
  });
  server.setRequestHandler('resources/unsubscribe', ({ params }) => {
    watched.delete(params.uri);
    return {};
  });
}

function servePrompts(server: Server, state: SurfaceState): void {
  server.setRequestHandler('prompts/list', () => ({ prompts: structuredClone(state.prompts()) as never }));
  server.setRequestHandler('prompts/get', async ({ params }, context): Promise<GetPromptResult> => {
    const contents =
      params.name === INPUT_REQUIRED_PROMPT
        ? await converse(ASKING_PROMPT, params.name, params.arguments ?? {}, server, context)
        : promptContents(params.name, params.arguments ?? {});
    if (contents === undefined) throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown: ${params.name}`);
    if (!Array.isArray(contents)) return contents as unknown as GetPromptResult;
    return { messages: contents.map((content) => ({ role: 'user', content })) };
  });
  server.setRequestHandler('completion/complete', ({ params }) => {
    const values = completionsOf(params.argument.value);
    return { completion: { values, total: values.length, hasMore: false } };
  });
}

/** The handlers are the low-level ones; the SDK checks the headers of arguments for an McpServer alone. */
class SurfaceServer extends McpServer {
  readonly #state: SurfaceState;

  constructor(state: SurfaceState, ...options: ConstructorParameters<typeof McpServer>) {
    super(...options);
    this.#state = state;
  }

  override toolInputSchemaJson(name: string): Record<string, unknown> | undefined {
    return this.#state.tools().find((tool) => tool.name === name)?.inputSchema;
  }
}

interface SurfaceParts {
  readonly state: SurfaceState;
  readonly board: TaskBoard;
}

function newServer({ state, board }: SurfaceParts, era: Era, watched = new Set<string>()): SurfaceServer {
  const surface = new SurfaceServer(
    state,
    { name: 'fixture-v2', title: 'Fixture on the stable line', version: '1.0.0' },
    {
      capabilities: {
        tools: { listChanged: true },
        resources: { listChanged: true, subscribe: true },
        prompts: { listChanged: true },
        logging: {},
        completions: {},
        ...(era === 'modern' ? { extensions: { [TASKS_EXTENSION]: {} } } : {}),
      },
      instructions: 'Call whatever you like.',
      requestState: { verify: requestState.verify },
    },
  );
  serveTools(surface.server, state, board);
  if (era === 'modern') serveTasks(surface.server, board);
  serveResources(surface.server, watched);
  servePrompts(surface.server, state);
  return surface;
}

/** The sessions of legacy clients. */
class LegacySessions {
  readonly #transports = new Map<string, WebStandardStreamableHTTPServerTransport>();
  readonly #parts: SurfaceParts;

  constructor(parts: SurfaceParts) {
    this.#parts = parts;
  }

  async fetch(request: Request): Promise<Response> {
    const id = request.headers.get('mcp-session-id');
    const transport = id === null ? await this.#open() : this.#transports.get(id);
    if (transport !== undefined) return transport.handleRequest(request);
    return Response.json(
      { jsonrpc: '2.0', id: null, error: { code: -32_001, message: 'Session not found' } },
      { status: 404 },
    );
  }

  /** A request that opens no session is refused by the new transport, and both are forgotten. */
  async #open(): Promise<WebStandardStreamableHTTPServerTransport> {
    const watched = new Set<string>();
    const { server } = newServer(this.#parts, 'legacy', watched);
    const hear = (change: Change): void => {
      if (change === 'tools') void server.sendToolListChanged();
      if (change === 'prompts') void server.sendPromptListChanged();
      if (change === 'watched-resource' && watched.has(WATCHED_RESOURCE)) {
        void server.sendResourceUpdated({ uri: WATCHED_RESOURCE });
      }
    };
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      eventStore: new EventLog<JSONRPCMessage>(),
      retryInterval: RETRY_AFTER_MS,
      onsessioninitialized: (id) => {
        this.#transports.set(id, transport);
        this.#parts.state.subscribe(hear);
      },
      onsessionclosed: (id) => {
        this.#transports.delete(id);
        this.#parts.state.unsubscribe(hear);
      },
    });
    await server.connect(transport);
    return transport;
  }
}

function announceChanges(state: SurfaceState, modern: McpHttpHandler): void {
  state.subscribe((change) => {
    if (change === 'tools') modern.notify.toolsChanged();
    if (change === 'prompts') modern.notify.promptsChanged();
    if (change === 'watched-resource') modern.notify.resourceUpdated(WATCHED_RESOURCE);
  });
}

/** Any path is the server. */
export async function startFixtureV2(): Promise<Fixture> {
  const parts = { state: new SurfaceState(), board: new TaskBoard() };
  const modern = createMcpHandler(() => newServer(parts, 'modern'), { legacy: 'reject' });
  const legacy = new LegacySessions(parts);
  announceChanges(parts.state, modern);
  const handle = async (request: Request): Promise<Response> =>
    hostHeaderValidationResponse(request, localhostAllowedHostnames()) ??
    originValidationResponse(request, localhostAllowedOrigins()) ??
    ((await isLegacyRequest(request)) ? legacy.fetch(request) : modern.fetch(request));
  return listen((incoming, outgoing) => void serveFetch(handle, incoming, outgoing));
}

if (import.meta.main) console.log((await startFixtureV2()).url);
