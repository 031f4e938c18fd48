// The server that one request of a client meets. It lives for that request: a shared one would mix up its clients.
import { ProtocolError, ProtocolErrorCode, Server } from '@modelcontextprotocol/server';
import type { JSONRPCRequest, Result, ServerContext } from '@modelcontextprotocol/server';
import { PRODUCT } from '../lib/product.ts';
import type { Exchange } from './exchange.ts';
import { instructionsFor } from './instructions.ts';
import { callTool } from './methods/tools-call.ts';
import { listTools } from './methods/tools-list.ts';

export const SERVER_INFO = { ...PRODUCT, title: 'Sallyport' };

type Method = (exchange: Exchange, request: JSONRPCRequest, context: ServerContext, server: Server) => Promise<Result>;

const METHODS: ReadonlyMap<string, Method> = new Map<string, Method>([
  ['tools/call', callTool],
  ['tools/list', listTools],
]);

/** What the SDK answers by itself in each era. */
const BUILT_IN = {
  modern: ['server/discover', 'subscriptions/listen'],
  legacy: ['initialize', 'ping'],
} as const;

export function isServed(method: string, era: Exchange['era']): boolean {
  return METHODS.has(method) || BUILT_IN[era].some((builtIn) => builtIn === method);
}

/**
 * @param method of the request to be served; undefined for a legacy batch, which holds several
 * @param onFault hears of an answer that could not be sent; the exchange ends with that
 */
export async function createBroker(
  exchange: Exchange,
  method: string | undefined,
  onFault: (fault: Error) => void,
): Promise<Server> {
  const introduces = method === 'initialize' || method === 'server/discover';
  const instructions = introduces ? await instructionsFor(exchange.caller.scope, exchange.upstreamViews) : '';
  const server = new Server(SERVER_INFO, { capabilities: { tools: {} }, ...(instructions !== '' && { instructions }) });
  // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the SDK's server is no event target
  server.onerror = (fault) => {
    onFault(fault);
    // Left open, the client would wait for ever.
    void server.close().catch(onFault);
  };
  // Not `setRequestHandler`: it would put every result through a schema, which drops the members it does not know.
  // Absent, the SDK answers an unknown method itself, as 2026-07-28 wants it: with status 404.
  if (method === undefined || METHODS.has(method)) {
    server.fallbackRequestHandler = async (request, context) => {
      const serve = METHODS.get(request.method);
      if (serve === undefined) throw new ProtocolError(ProtocolErrorCode.MethodNotFound, 'Method not found');
      return serve(exchange, request, context, server);
    };
  }
  return server;
}
