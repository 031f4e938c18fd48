// The upstreams of bench/catalog in one process: `/<tools>/<upstreams>/<index>/mcp` is one of so many servers that share
// so many tools among them. In both protocol eras.
import { createMcpHandler, Server } from '@modelcontextprotocol/server';
import type { McpHttpHandler } from '@modelcontextprotocol/server';
import { serveOverHttp } from './upstream-over-http.ts';

const property = (name: string) => ({
  type: 'string',
  description: `What the server is to take as ${name}: a few words that a model reads before it chooses.`,
});

/** About what a definition weighs in collections of real servers: 650 bytes. */
function tool(index: number) {
  return {
    name: `tool_${index}`,
    description: `Number ${index} of a collection. ${'It says at some length what it is good for. '.repeat(5)}`,
    inputSchema: {
      type: 'object' as const,
      properties: { message: property('message'), place: property('place') },
      required: ['message'],
    },
  };
}

function serverOf(tools: number, upstreams: number, index: number): () => Server {
  const own = Array.from({ length: tools }, (_, number) => number).filter((number) => number % upstreams === index);
  const definitions = own.map(tool);
  return () => {
    const server = new Server({ name: `part-${index}`, version: '1.0.0' }, { capabilities: { tools: {} } });
    server.setRequestHandler('tools/list', () => ({ tools: definitions }));
    server.setRequestHandler('tools/call', ({ params }) => ({
      content: [{ type: 'text', text: `Echo: ${String(params.arguments?.['message'])}` }],
    }));
    return server;
  };
}

const handlers = new Map<string, McpHttpHandler>();

function handlerOf(path: string): McpHttpHandler {
  const [, tools, upstreams, index] = path.split('/').map(Number);
  const handler = handlers.get(path) ?? createMcpHandler(serverOf(tools ?? 0, upstreams ?? 1, index ?? 0));
  handlers.set(path, handler);
  return handler;
}

serveOverHttp((request) => handlerOf(new URL(request.url).pathname).fetch(request));
