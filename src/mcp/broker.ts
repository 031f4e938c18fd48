// The server that one request of a client meets. It lives for that request: a shared one would mix up its clients.
import { ProtocolError, ProtocolErrorCode, Server } from '@modelcontextprotocol/server';
import { isObject } from '../lib/json-value.ts';
import type { ClientRequest } from './client-request.ts';
import type { Exchange } from './exchange.ts';
import { linksOver } from './upstream/call-links.ts';
import { instructionsFor } from './instructions.ts';
import { serveRequest } from './serve.ts';
import { SERVER_INFO } from './shown-result.ts';

const METHODS: ReadonlySet<string> = new Set(['tools/call', 'tools/list']);

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
  if (method === undefined || METHODS.has(method)) {
    server.fallbackRequestHandler = async (request, context) => {
      if (!METHODS.has(request.method)) throw new ProtocolError(ProtocolErrorCode.MethodNotFound, 'Method not found');
      const envelope: unknown = context.mcpReq.envelope;
      const info = isObject(envelope) ? envelope['io.modelcontextprotocol/clientInfo'] : undefined;
      const caller = isObject(info)
        ? { ...exchange.caller, client: `${String(info['name'])}/${String(info['version'])}` }
        : exchange.caller;
      const served = {
        ...exchange,
        caller,
        peer: { era: exchange.era, protocolVersion: '', face: { capabilities: {} } },
        links: linksOver(exchange.callUpstreamTool, caller.virtualKey.principal.keyId),
        recorder: { durable: async () => undefined, batched: () => undefined },
        now: Date.now,
        signal: AbortSignal.any([exchange.signal, context.mcpReq.signal]),
        notify: (spoken) => void context.mcpReq.notify(spoken as never).catch(() => undefined),
      } satisfies ClientRequest;
      const answer = await serveRequest(served, {
        id: context.mcpReq.id,
        method: request.method,
        params: { ...request.params },
      });
      if ('result' in answer) return answer.result;
      throw ProtocolError.fromError(answer.error.code, answer.error.message, answer.error.data);
    };
  }
  return server;
}
