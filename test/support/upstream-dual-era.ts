// An upstream that speaks 2026-07-28 and the legacy protocol on one URL, stateless in both.
import { createMcpHandler, ProtocolError, Server } from '@modelcontextprotocol/server';
import type { CallToolResult, McpRequestContext, Tool } from '@modelcontextprotocol/server';
import { listen, sendJson, serveFetch } from './fixture-http.ts';
import type { Fixture } from './fixture-http.ts';
import { callFixtureTool, FIXTURE_TOOLS, newState } from './upstream-tools.ts';
import type { UpstreamState } from './upstream-tools.ts';

function serverFor(state: UpstreamState, context: McpRequestContext): Server {
  const server = new Server(
    { name: 'dual-era', version: '1.0.0' },
    { capabilities: { tools: {} }, instructions: 'Ask twice.' },
  );
  const headers = Object.fromEntries(context.requestInfo?.headers ?? []);
  server.setRequestHandler('tools/list', () => ({ tools: structuredClone(FIXTURE_TOOLS) as unknown as Tool[] }));
  server.setRequestHandler('tools/call', async (request, extra) => {
    const progressToken = request.params._meta?.progressToken;
    const result = await callFixtureTool(state, request.params, {
      signal: extra.mcpReq.signal,
      headers,
      reject: (code, message, data) => ProtocolError.fromError(code, message, data),
      progress: async (progress, total) => {
        if (progressToken === undefined) return;
        await extra.mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total } });
      },
    });
    return result as CallToolResult;
  });
  return server;
}

/** `/mcp` is the server, `/control/state` tells what it saw. */
export async function startDualEraUpstream(): Promise<Fixture> {
  const state = newState();
  const handler = createMcpHandler((context) => serverFor(state, context), { legacy: 'stateless' });
  return listen((incoming, outgoing) => {
    if (incoming.url === '/control/state') return sendJson(outgoing, state);
    void serveFetch(
      async (request) => {
        state.methods.push(request.headers.get('mcp-method') ?? `legacy ${request.method}`);
        return handler.fetch(request);
      },
      incoming,
      outgoing,
    );
  });
}
