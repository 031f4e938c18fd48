// The upstream of bench/mcp: an echo among twenty tools, over stdio or over HTTP, in both protocol eras.
import { createMcpHandler, Server } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { serveOverHttp } from './upstream-over-http.ts';

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

const handler = createMcpHandler(echoServer);
if (process.argv[2] === 'stdio') serveStdio(echoServer);
else serveOverHttp((request) => handler.fetch(request));
