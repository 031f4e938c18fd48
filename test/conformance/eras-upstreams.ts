// Two upstreams that do everything of which the eras differ, each of one era only, with the same tools: one on the SDK's
// stable line and stateless, one on its maintenance line with sessions.
import { randomUUID } from 'node:crypto';
import { createMcpHandler, inputRequired, inputResponse, Server as ModernServer } from '@modelcontextprotocol/server';
import type { McpHttpHandler, ServerContext } from '@modelcontextprotocol/server';
import { Server as LegacyServer } from '@modelcontextprotocol/sdk/server/index.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import {
  CallToolRequestSchema,
  ListResourcesRequestSchema,
  ListToolsRequestSchema,
  ReadResourceRequestSchema,
  SetLevelRequestSchema,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import type { LoggingLevel } from '@modelcontextprotocol/sdk/types.js';
import { listen, readText, sendJson, serveFetch } from '../support/fixture-http.ts';
import type { Fixture } from '../support/fixture-http.ts';

export const WATCHED = 'test://watched';
const WAIT_MS = 20_000;

export const NAME_FORM = {
  message: 'Who are you?',
  requestedSchema: {
    type: 'object' as const,
    properties: { name: { type: 'string' as const } },
    required: ['name'],
  },
};
export const SAMPLING = {
  messages: [{ role: 'user' as const, content: { type: 'text' as const, text: 'Say something.' } }],
  maxTokens: 10,
};

interface State {
  readonly tools: string[];
  /** What was cancelled, by the argument that names the call. */
  readonly cancelled: string[];
}

const newState = (): State => ({
  tools: ['ask_user', 'ask_model', 'ask_roots', 'count', 'chatter', 'wait', 'learn', 'touch', 'hello'],
  cancelled: [],
});

const definitions = ({ tools }: State) => tools.map((name) => ({ name, inputSchema: { type: 'object' as const } }));
const RESOURCES = [{ uri: WATCHED, name: 'watched' }];
const text = (said: string) => ({ content: [{ type: 'text' as const, text: said }] });

function waitFor(signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), WAIT_MS);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}

// ---------------------------------------------------------------------------------------------------------- modern

async function callModern(
  state: State,
  tell: McpHttpHandler['notify'],
  request: { readonly name: string; readonly arguments?: Record<string, unknown> | undefined },
  { mcpReq }: ServerContext,
) {
  const said = mcpReq.inputResponses;
  switch (request.name) {
    case 'ask_user': {
      const view = inputResponse(said, 'who');
      if (view.kind !== 'elicit') {
        return inputRequired({ inputRequests: { who: inputRequired.elicit(NAME_FORM) }, requestState: 'asked' });
      }
      return text(view.action === 'accept' ? `hello ${String(view.content?.['name'])}` : view.action);
    }
    case 'ask_model': {
      const view = inputResponse(said, 'words');
      if (view.kind !== 'sampling') {
        return inputRequired({ inputRequests: { words: inputRequired.createMessage(SAMPLING) } });
      }
      return text(`model: ${JSON.stringify(view.result.content)}`);
    }
    case 'ask_roots': {
      const view = inputResponse(said, 'roots');
      if (view.kind !== 'roots') return inputRequired({ inputRequests: { roots: inputRequired.listRoots() } });
      return text(view.roots.map(({ uri }) => uri).join(' '));
    }
    case 'count': {
      const progressToken = mcpReq._meta?.progressToken;
      for (const progress of progressToken === undefined ? [] : [1, 2, 3]) {
        await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total: 3 } });
      }
      return text('counted');
    }
    case 'chatter':
      for (const level of ['debug', 'info', 'error'] as const) await mcpReq.log(level, `at ${level}`);
      return text('said');
    case 'wait':
      if (await waitFor(mcpReq.signal)) state.cancelled.push(String(request.arguments?.['mark']));
      return text('waited');
    case 'learn':
      state.tools.push(String(request.arguments?.['name']));
      tell.toolsChanged();
      return text('learnt');
    case 'touch':
      tell.resourceUpdated(WATCHED);
      return text('touched');
    default:
      return text(`called ${request.name}`);
  }
}

/** `/mcp` speaks 2026-07-28 only; `/control/state` tells what it saw. */
export async function startModernUpstream(): Promise<Fixture> {
  const state = newState();
  const handler: McpHttpHandler = createMcpHandler(
    () => {
      const server = new ModernServer(
        { name: 'modern-only', version: '1.0.0' },
        { capabilities: { tools: { listChanged: true }, resources: { subscribe: true }, logging: {} } },
      );
      server.setRequestHandler('tools/list', () => ({ tools: definitions(state) }));
      server.setRequestHandler('resources/list', () => ({ resources: RESOURCES }));
      server.setRequestHandler('resources/read', () => ({ contents: [{ uri: WATCHED, text: 'still here' }] }));
      server.setRequestHandler('tools/call', (request, context) =>
        callModern(state, handler.notify, request.params, context),
      );
      return server;
    },
    { legacy: 'reject', keepAliveMs: 500 },
  );
  return listen((incoming, outgoing) => {
    if (incoming.url === '/control/state') return sendJson(outgoing, state);
    void serveFetch((request) => handler.fetch(request), incoming, outgoing);
  });
}

// ---------------------------------------------------------------------------------------------------------- legacy

const LEVELS: readonly LoggingLevel[] = [
  'debug',
  'info',
  'notice',
  'warning',
  'error',
  'critical',
  'alert',
  'emergency',
];

/** @param others the servers of all sessions: they share the state, and so what changes in it */
function newLegacyServer(state: State, others: ReadonlySet<LegacyServer>): LegacyServer {
  const server = new LegacyServer(
    { name: 'legacy-only', version: '1.0.0' },
    { capabilities: { tools: { listChanged: true }, resources: { subscribe: true }, logging: {} } },
  );
  const subscribed = new Set<string>();
  let level: LoggingLevel = 'info';
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: definitions(state) }));
  server.setRequestHandler(ListResourcesRequestSchema, () => ({ resources: RESOURCES }));
  server.setRequestHandler(ReadResourceRequestSchema, () => ({ contents: [{ uri: WATCHED, text: 'still here' }] }));
  server.setRequestHandler(SubscribeRequestSchema, ({ params }) => {
    subscribed.add(params.uri);
    return {};
  });
  server.setRequestHandler(UnsubscribeRequestSchema, ({ params }) => {
    subscribed.delete(params.uri);
    return {};
  });
  server.setRequestHandler(SetLevelRequestSchema, ({ params }) => {
    level = params.level;
    return {};
  });
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, extra) => {
    switch (params.name) {
      case 'ask_user': {
        // Not on the stream of this call but on the session's own, as many servers do.
        const answer = await server.elicitInput(NAME_FORM);
        return text(answer.action === 'accept' ? `hello ${String(answer.content?.['name'])}` : answer.action);
      }
      case 'ask_model': {
        const { content } = await server.createMessage(SAMPLING, { relatedRequestId: extra.requestId });
        return text(`model: ${JSON.stringify(content)}`);
      }
      case 'ask_roots': {
        const { roots } = await server.listRoots(undefined, { relatedRequestId: extra.requestId });
        return text(roots.map(({ uri }) => uri).join(' '));
      }
      case 'count': {
        const progressToken = params._meta?.progressToken;
        for (const progress of progressToken === undefined ? [] : [1, 2, 3]) {
          await extra.sendNotification({
            method: 'notifications/progress',
            params: { progressToken, progress, total: 3 },
          });
        }
        return text('counted');
      }
      case 'chatter':
        for (const said of ['debug', 'info', 'error'] as const) {
          if (LEVELS.indexOf(said) < LEVELS.indexOf(level)) continue;
          await extra.sendNotification({
            method: 'notifications/message',
            params: { level: said, data: `at ${said}` },
          });
        }
        return text('said');
      case 'wait':
        if (await waitFor(extra.signal)) state.cancelled.push(String(params.arguments?.['mark']));
        return text('waited');
      case 'learn':
        state.tools.push(String(params.arguments?.['name']));
        for (const other of others) void other.sendToolListChanged().catch(() => undefined);
        return text('learnt');
      case 'touch':
        if (subscribed.has(WATCHED)) void server.sendResourceUpdated({ uri: WATCHED }).catch(() => undefined);
        return text('touched');
      default:
        return text(`called ${params.name}`);
    }
  });
  return server;
}

/** `/mcp` speaks the legacy protocol only, with sessions; `/control/state` tells what it saw. */
export async function startLegacyUpstream(): Promise<Fixture> {
  const state = newState();
  const servers = new Set<LegacyServer>();
  const transports = new Map<string, StreamableHTTPServerTransport>();
  const open = async () => {
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      onsessioninitialized: (id) => void transports.set(id, transport),
    });
    const server = newLegacyServer(state, servers);
    servers.add(server);
    // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the SDK's transport is no event target
    transport.onclose = () => void servers.delete(server);
    // The SDK's own declaration of this class does not satisfy its interface under exactOptionalPropertyTypes.
    await server.connect(transport as Parameters<LegacyServer['connect']>[0]);
    return transport;
  };
  return listen((request, response) => {
    if (request.url === '/control/state') return sendJson(response, state);
    void (async () => {
      const sessionId = request.headers['mcp-session-id'];
      const body = await readText(request);
      const message: unknown = body === '' ? undefined : JSON.parse(body);
      const isFirst = sessionId === undefined && Object(message).method === 'initialize';
      const transport = isFirst ? await open() : transports.get(String(sessionId));
      if (transport !== undefined) return transport.handleRequest(request, response, message);
      const status = sessionId === undefined ? 400 : 404;
      sendJson(response, { jsonrpc: '2.0', id: null, error: { code: -32000, message: 'No such session' } }, status);
    })();
  });
}
