// An upstream of the legacy protocol that keeps sessions, built on the SDK's maintenance line.
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import {
  CallToolRequestSchema,
  isInitializeRequest,
  ListToolsRequestSchema,
  McpError,
} from '@modelcontextprotocol/sdk/types.js';
import type { CallToolResult, Tool } from '@modelcontextprotocol/sdk/types.js';
import { listen, readText, sendJson } from './fixture-http.ts';
import type { Fixture } from './fixture-http.ts';
import { callFixtureTool, FIXTURE_TOOLS, newState } from './upstream-tools.ts';
import type { UpstreamState } from './upstream-tools.ts';

type Transports = Map<string, StreamableHTTPServerTransport>;

function newServer(state: UpstreamState): Server {
  const server = new Server({ name: 'legacy', version: '1.0.0' }, { capabilities: { tools: {} } });
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: FIXTURE_TOOLS as unknown as Tool[] }));
  server.setRequestHandler(CallToolRequestSchema, async (request, extra) => {
    const progressToken = request.params._meta?.progressToken;
    const headers = Object.fromEntries(
      Object.entries(extra.requestInfo?.headers ?? {}).map(([name, value]) => [name, String(value)]),
    );
    const result = await callFixtureTool(state, request.params, {
      signal: extra.signal,
      headers,
      sessionId: extra.sessionId,
      reject: (code, message, data) => new McpError(code, message, data),
      progress: async (progress, total) => {
        if (progressToken === undefined) return;
        await extra.sendNotification({ method: 'notifications/progress', params: { progressToken, progress, total } });
      },
    });
    return result as CallToolResult;
  });
  return server;
}

async function open(state: UpstreamState, transports: Transports): Promise<StreamableHTTPServerTransport> {
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: () => randomUUID(),
    onsessioninitialized: (id) => {
      state.sessions.push(id);
      transports.set(id, transport);
    },
  });
  // The SDK's own declaration of this class does not satisfy its interface under exactOptionalPropertyTypes.
  await newServer(state).connect(transport as Parameters<Server['connect']>[0]);
  return transport;
}

async function serve(
  state: UpstreamState,
  transports: Transports,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const sessionId = request.headers['mcp-session-id'];
  const body = await readText(request);
  const message: unknown = body === '' ? undefined : JSON.parse(body);
  state.methods.push(methodOf(message) ?? `http ${request.method}`);
  if (sessionId === undefined && isInitializeRequest(message)) {
    const opened = await open(state, transports);
    return opened.handleRequest(request, response, message);
  }
  const transport = typeof sessionId === 'string' ? transports.get(sessionId) : undefined;
  if (transport !== undefined) return transport.handleRequest(request, response, message);
  const status = sessionId === undefined ? 400 : 404;
  sendJson(response, { jsonrpc: '2.0', id: null, error: { code: -32000, message: 'Session not found' } }, status);
}

/** HTTP+SSE of 2024-11-05: answers come on the stream that a GET opened. */
async function serveStream(
  state: UpstreamState,
  streams: Map<string, SSEServerTransport>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method === 'GET') {
    const transport = new SSEServerTransport('/sse', response);
    streams.set(transport.sessionId, transport);
    await newServer(state).connect(transport);
    return;
  }
  const id = new URL(request.url ?? '', 'http://fixture').searchParams.get('sessionId') ?? '';
  await streams.get(id)?.handlePostMessage(request, response);
}

function methodOf(message: unknown): string | undefined {
  return typeof message === 'object' && message !== null && 'method' in message ? String(message.method) : undefined;
}

/**
 * `/mcp` is the server, `/sse` the same over the older transport, `/control/state` tells what it saw, `POST /control/drop-sessions` forgets every session, as a
 * restart does.
 */
export async function startLegacyUpstream(): Promise<Fixture> {
  const state = newState();
  const transports: Transports = new Map();
  const streams = new Map<string, SSEServerTransport>();
  return listen((request, response) => {
    if (request.url?.startsWith('/sse')) return void serveStream(state, streams, request, response);
    if (request.url === '/control/state') return sendJson(response, state);
    if (request.url === '/control/drop-sessions') {
      transports.clear();
      return sendJson(response, {});
    }
    void serve(state, transports, request, response);
  });
}
