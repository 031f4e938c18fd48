// The upstream of bench/mcp: an echo among twenty tools, over stdio or over HTTP, in both protocol eras.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createMcpHandler, Server } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';

const TOOL_NAMES = ['echo', ...Array.from({ length: 19 }, (_, index) => `unused_${index + 1}`)];
const TOOLS = TOOL_NAMES.map((name) => ({
  name,
  description: 'Answers with the message it was given.',
  inputSchema: {
    type: 'object' as const,
    properties: { message: { type: 'string', description: 'What to say back.' } },
    required: ['message'],
  },
}));

function echoServer(): Server {
  const server = new Server({ name: 'bench-upstream', version: '1.0.0' }, { capabilities: { tools: {} } });
  server.setRequestHandler('tools/list', () => ({ tools: TOOLS }));
  server.setRequestHandler('tools/call', ({ params }) => ({
    content: [{ type: 'text', text: `Echo: ${String(params.arguments?.['message'])}` }],
  }));
  return server;
}

function serveHttp(): void {
  const handler = createMcpHandler(echoServer);
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const headers = new Headers();
    for (const [name, value] of Object.entries(request.headers)) headers.set(name, String(value));
    const answered = await handler.fetch(
      new Request(`http://${headers.get('host') ?? '127.0.0.1'}${request.url ?? '/'}`, {
        method: request.method ?? 'GET',
        headers,
        ...(chunks.length === 0 ? {} : { body: Buffer.concat(chunks) }),
      }),
    );
    response.writeHead(answered.status, Object.fromEntries(answered.headers));
    for await (const part of answered.body ?? []) response.write(part);
    response.end();
  };
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });
  server.keepAliveTimeout = 0;
  server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
  process.on('disconnect', () => process.exit(0));
}

if (process.argv[2] === 'stdio') serveStdio(echoServer);
else serveHttp();
