// Servers that change their tools when a test says so: one for each path, in hand-written legacy JSON-RPC, stateless.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { listen, readText, sendJson } from './fixture-http.ts';
import type { Fixture } from './fixture-http.ts';

interface Changing {
  /** Null: it never answers when asked for them. */
  tools: readonly unknown[] | null;
  /** Names of the tools that were called. */
  readonly calls: string[];
}

interface RpcMessage {
  readonly id?: number | string;
  readonly method: string;
  readonly params?: { readonly name?: string };
}

/**
 * `PUT /<server>/tools` sets what `/<server>/mcp` lists, `GET /<server>/calls` tells what was called, and `GET /strays`
 * which other paths anybody asked for.
 */
export async function startChangingUpstream(): Promise<Fixture> {
  const servers = new Map<string, Changing>();
  const strays: string[] = [];
  return listen((request, response) => {
    const [, name = '', part = ''] = (request.url ?? '').split('/');
    if (name === 'strays') return sendJson(response, strays);
    const server = servers.get(name) ?? { tools: [], calls: [] };
    servers.set(name, server);
    if (part === 'calls') return sendJson(response, server.calls);
    if (part === 'tools') return void setTools(server, request, response);
    if (part === 'mcp') return void serve(server, request, response);
    strays.push(request.url ?? '');
    sendJson(response, { type: 'string' });
  });
}

async function setTools(server: Changing, request: IncomingMessage, response: ServerResponse): Promise<void> {
  server.tools = JSON.parse(await readText(request)) as unknown[] | null;
  sendJson(response, {});
}

async function serve(server: Changing, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== 'POST') return void response.writeHead(405).end();
  const message = JSON.parse(await readText(request)) as RpcMessage;
  if (message.id === undefined) return void response.writeHead(202).end();
  if (message.method === 'tools/list' && server.tools === null) return;
  const answer = answerTo(server, message);
  const failed = { error: { code: -32601, message: 'Method not found' } };
  sendJson(response, { jsonrpc: '2.0', id: message.id, ...(answer === undefined ? failed : { result: answer }) });
}

function answerTo(server: Changing, { method, params }: RpcMessage): unknown {
  const serverInfo = { name: 'changing', version: '1.0.0' };
  if (method === 'initialize') return { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo };
  if (method === 'tools/list') return { tools: server.tools };
  if (method === 'ping') return {};
  if (method !== 'tools/call') return undefined;
  server.calls.push(params?.name ?? '');
  return { content: [{ type: 'text', text: `${params?.name} ran` }] };
}
