// The upstreams of bench/catalog in one process: `/<tools>/<upstreams>/<index>/mcp` is one of so many servers that share
// so many tools among them. In both protocol eras.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createMcpHandler, Server } from '@modelcontextprotocol/server';
import type { McpHttpHandler } from '@modelcontextprotocol/server';

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

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) headers.set(name, String(value));
  const path = request.url ?? '/';
  const answered = await handlerOf(path).fetch(
    new Request(`http://${headers.get('host') ?? '127.0.0.1'}${path}`, {
      method: request.method ?? 'GET',
      headers,
      ...(chunks.length === 0 ? {} : { body: Buffer.concat(chunks) }),
    }),
  );
  response.writeHead(answered.status, Object.fromEntries(answered.headers));
  for await (const part of answered.body ?? []) response.write(part);
  response.end();
}

const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
});
server.keepAliveTimeout = 0;
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('disconnect', () => process.exit(0));
