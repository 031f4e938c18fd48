// Upstreams that do what upstreams do on a bad day, one path each. Hand-written legacy JSON-RPC, stateless.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { listen, readText, sendJson } from './fixture-http.ts';
import type { Fixture } from './fixture-http.ts';

interface RpcMessage {
  readonly id?: number | string;
  readonly method: string;
  readonly params?: { readonly cursor?: string; readonly name?: string };
}
type Quirk = (message: RpcMessage, response: ServerResponse, request: IncomingMessage) => void;

const INPUT = { type: 'object' };
const MEBIBYTE = Buffer.alloc(1024 * 1024, 'x');

function result(response: ServerResponse, message: RpcMessage, value: unknown): void {
  sendJson(response, { jsonrpc: '2.0', id: message.id, result: value });
}

/** Handshake and one tool; everything a quirk does not spoil. */
function behave(
  message: RpcMessage,
  response: ServerResponse,
  tools: readonly unknown[] = [{ name: 'noop', inputSchema: INPUT }],
): void {
  if (message.id === undefined) return void response.writeHead(202).end();
  if (message.method === 'initialize') {
    return result(response, message, {
      protocolVersion: '2025-11-25',
      capabilities: { tools: {} },
      serverInfo: { name: 'misbehaving', version: '1.0.0' },
    });
  }
  if (message.method === 'tools/list') return result(response, message, { tools });
  if (message.method === 'tools/call') return result(response, message, { content: [{ type: 'text', text: 'ok' }] });
  if (message.method === 'ping') return result(response, message, {});
  sendJson(response, { jsonrpc: '2.0', id: message.id, error: { code: -32601, message: 'Method not found' } });
}

/** Well until a tool is called. */
function onCall(spoil: Quirk): Quirk {
  return (message, response, request) => {
    if (message.method === 'tools/call') spoil(message, response, request);
    else behave(message, response);
  };
}

function flood(response: ServerResponse, mebibytes: number): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  let sent = 0;
  const more = (): void => {
    while (sent < mebibytes) {
      sent += 1;
      if (!response.write(MEBIBYTE)) return void response.once('drain', more);
    }
    response.end();
  };
  more();
}

const html: Quirk = (_message, response) =>
  void response.writeHead(200, { 'content-type': 'text/html' }).end('<html><body>Welcome to nginx</body></html>');
const hang: Quirk = () => {};
const close: Quirk = (_message, _response, request) => void request.socket.destroy();
const midBody: Quirk = (_message, response, request) => {
  response.writeHead(200, { 'content-type': 'application/json' }).write('{"jsonrpc":"2.0","id":');
  setTimeout(() => request.socket.destroy(), 50);
};
const midStream: Quirk = (_message, response, request) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' }).write('event: message\ndata: {"jsonrpc":');
  setTimeout(() => request.socket.destroy(), 50);
};
const badJson: Quirk = (_message, response) =>
  void response.writeHead(200, { 'content-type': 'application/json' }).end('{"jsonrpc": oops');
const huge: Quirk = (_message, response) => flood(response, 100);
const status =
  (code: number): Quirk =>
  (_message, response) =>
    void response.writeHead(code, { 'content-type': 'text/plain' }).end(`status ${code}`);

const PAGE = 500;
const TEN_THOUSAND = 10_000;
const page = (from: number): unknown[] =>
  Array.from({ length: PAGE }, (_, index) => ({
    name: `tool-${from + index}`,
    description: 'one of many',
    inputSchema: INPUT,
  }));

const QUIRKS: Readonly<Record<string, Quirk>> = {
  fine: (message, response) => behave(message, response),
  html,
  hang,
  close,
  'mid-body': midBody,
  'bad-json': badJson,
  huge,
  unauthorized: status(401),
  forbidden: status(403),
  error: status(500),
  redirect: (_message, response) =>
    void response.writeHead(307, { location: 'http://127.0.0.1:1/elsewhere?token=secret-in-location' }).end(),
  'call-html': onCall(html),
  'call-hang': onCall(hang),
  'call-close': onCall(close),
  'call-mid-body': onCall(midBody),
  'call-mid-stream': onCall(midStream),
  'call-bad-json': onCall(badJson),
  'call-huge': onCall(huge),
  'call-error': onCall(status(500)),
  'call-unauthorized': onCall(status(401)),
  'call-answers-400': onCall((message, response) => {
    const error = { code: -32602, message: 'no such tool', data: { tool: message.params?.name } };
    sendJson(response, { jsonrpc: '2.0', id: message.id, error }, 400);
  }),
  'leaks-credentials': (_message, response, request) =>
    void response.writeHead(500).end(`cannot use ${String(request.headers.authorization)} here`),
  'list-error': (message, response) => {
    if (message.method === 'tools/list') status(500)(message, response, response.req);
    else behave(message, response);
  },
  'many-tools': (message, response) => {
    if (message.method !== 'tools/list') return behave(message, response);
    const from = Number(message.params?.cursor ?? 0);
    const next = from + PAGE;
    result(response, message, { tools: page(from), ...(next < TEN_THOUSAND ? { nextCursor: String(next) } : {}) });
  },
  'endless-paging': (message, response) => {
    if (message.method !== 'tools/list') return behave(message, response);
    result(response, message, { tools: [], nextCursor: String(Number(message.params?.cursor ?? 0) + 1) });
  },
  'odd-catalog': (message, response) => {
    const { method } = message;
    if (method === 'initialize') {
      const capabilities = { tools: {}, resources: {}, prompts: {} };
      const serverInfo = { name: 'odd', version: '1.0.0' };
      return result(response, message, { protocolVersion: '2025-11-25', capabilities, serverInfo });
    }
    if (method === 'resources/list') {
      return result(response, message, { resources: [{ uri: 'x://1' }, { uri: 'x://\u0000' }, { name: 'no uri' }, 7] });
    }
    if (method === 'prompts/list') {
      const error = { code: -32603, message: 'prompts are out of order' };
      return sendJson(response, { jsonrpc: '2.0', id: message.id, error });
    }
    behave(message, response, [
      { name: 'bell\u0007', inputSchema: INPUT },
      { name: 'long', description: 'x'.repeat(2 * MEBIBYTE.length), inputSchema: INPUT },
      { name: 'huge', inputSchema: { type: 'object', description: 'x'.repeat(2 * MEBIBYTE.length) } },
      { name: 'far', inputSchema: { $ref: 'http://127.0.0.1:1/schema.json' } },
    ]);
  },
  'odd-schemas': (message, response) =>
    behave(message, response, [
      { name: 'no-schema' },
      { inputSchema: INPUT },
      { name: 'odd-output', inputSchema: INPUT, outputSchema: { anyOf: [{ $ref: '#/nowhere' }, { pattern: '(' }] } },
      { name: 'ok', inputSchema: INPUT, unheardOf: 'kept' },
    ]),
};

/** `/<quirk>/mcp` misbehaves in its way; `/control/counts` tells how many tool calls each path received. */
export async function startMisbehavingUpstream(): Promise<Fixture> {
  const calls: Record<string, number> = {};
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<unknown> => {
    if (request.url === '/control/counts') return sendJson(response, calls);
    const name = request.url?.split('/')[1] ?? '';
    const quirk = QUIRKS[name];
    if (quirk === undefined) return response.writeHead(404).end('no such quirk');
    const body = await readText(request);
    if (request.method === 'GET' && name !== 'hang') return response.writeHead(405).end();
    const message: RpcMessage = body === '' ? { method: '' } : JSON.parse(body);
    if (message.method === 'tools/call') calls[name] = (calls[name] ?? 0) + 1;
    return quirk(message, response, request);
  };
  return listen((request, response) => void serve(request, response));
}
