// One POST to an MCP endpoint, from its parsed body to its answer, in whichever era the client speaks.
import {
  classifyInboundRequest,
  createMcpHandler,
  legacyStatelessFallback,
  PerRequestHTTPServerTransport,
  SdkError,
  SdkErrorCode,
  SUPPORTED_PROTOCOL_VERSIONS,
} from '@modelcontextprotocol/server';
import type { JSONRPCRequest } from '@modelcontextprotocol/server';
import { describeFault, log } from '../lib/log.ts';
import { createBroker, isServed } from '../mcp/broker.ts';
import { cancelRequest, forgetRequest, trackRequest } from '../mcp/cancellation.ts';
import type { Exchange } from '../mcp/exchange.ts';
import { answerInTime } from './slow-answer.ts';

/** After which a tool call is answered as a stream. */
const PATIENCE_MS = 1_000;
/** A client that hung up is noticed no sooner than by the next of these. */
const KEEP_ALIVE_MS = 3_000;
/** How soon a legacy client's cancellation is noticed. */
const CANCELLATION_POLL_MS = 250;

export interface McpPost {
  /** Its body has been read already. */
  readonly request: Request;
  readonly body: unknown;
  readonly exchange: Omit<Exchange, 'era' | 'signal'>;
}

interface Message {
  readonly method?: unknown;
  readonly id?: unknown;
  readonly params?: unknown;
}

export async function answerMcp(post: McpPost): Promise<Response> {
  const { headers } = post.request;
  const version = headers.get('mcp-protocol-version');
  const method = headers.get('mcp-method');
  const name = headers.get('mcp-name');
  const route = classifyInboundRequest({
    httpMethod: 'POST',
    ...(version !== null && { protocolVersionHeader: version }),
    ...(method !== null && { mcpMethodHeader: method }),
    ...(name !== null && { mcpNameHeader: name }),
    body: post.body,
  });
  if (route.kind !== 'legacy') return answerModern(post);
  switch (route.reason) {
    case 'batch':
      return answerBatch(post);
    case 'notification':
      heedNotification(post);
      return new Response(null, { status: 202 });
    case 'initialize':
    case 'no-claim':
      return answerLegacy(post, route.requestedVersion);
    default:
      // Nothing was asked of this client, so its answer is to nobody.
      return new Response(null, { status: 202 });
  }
}

async function answerModern(post: McpPost): Promise<Response> {
  const { method, id } = messageOf(post.body);
  const hungUp = new AbortController();
  const exchange: Exchange = { ...post.exchange, era: 'modern', signal: hungUp.signal };
  let unsent: Error | undefined;
  let reported: Error | undefined;
  const makeBroker = () =>
    createBroker(exchange, typeof method === 'string' ? method : '', (fault) => {
      unsent = fault;
    });
  const handler = createMcpHandler(makeBroker, {
    legacy: 'reject',
    keepAliveMs: KEEP_ALIVE_MS,
    // What clients do wrong is reported here too; that is answered, and no matter for a log.
    onerror: (fault) => {
      reported = fault;
    },
  });
  const answer = handler.fetch(post.request, { parsedBody: post.body }).then((response) => {
    if (unsent !== undefined) return internalError(exchange, unsent, id);
    if (response.status >= 500) logFault(exchange, reported);
    return response;
  });
  return method === 'tools/call' ? inTime(answer, hungUp) : answer;
}

async function answerLegacy(post: McpPost, requestedVersion: string | undefined): Promise<Response> {
  // Classified as a request, so it has an id and a method.
  const message = post.body as JSONRPCRequest;
  const { id, method } = message;
  const isHandshake = method === 'initialize';
  if (!isHandshake && requestedVersion !== undefined && !SUPPORTED_PROTOCOL_VERSIONS.includes(requestedVersion)) {
    const known = SUPPORTED_PROTOCOL_VERSIONS.join(', ');
    return jsonRpcError(400, id, -32000, `Unsupported protocol version: ${requestedVersion} (supported: ${known})`);
  }
  // Status 404 would tell a legacy client that its session is gone.
  if (!isServed(method, 'legacy')) return jsonRpcError(200, id, -32601, 'Method not found');

  const hungUp = new AbortController();
  const exchange: Exchange = { ...post.exchange, era: 'legacy', signal: hungUp.signal };
  if (method !== 'tools/call') return serveAlone(exchange, message, post.request, () => {});
  const client = clientOf(post);
  const running = trackRequest(client, id);
  const watch = setInterval(() => {
    if (running.cancelled) hungUp.abort();
  }, CANCELLATION_POLL_MS);
  const answer = serveAlone(exchange, message, post.request, () => {
    clearInterval(watch);
    forgetRequest(client, id, running);
  });
  return inTime(answer, hungUp);
}

/** Serves one legacy request as JSON, or as a stream once progress is told. `onEnd` is called after the last of it. */
async function serveAlone(
  exchange: Exchange,
  message: JSONRPCRequest,
  request: Request,
  onEnd: () => void,
): Promise<Response> {
  let unsent: Error | undefined;
  try {
    const broker = await createBroker(exchange, message.method, (fault) => {
      unsent = fault;
    });
    // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the SDK's server is no event target
    broker.onclose = onEnd;
    const transport = new PerRequestHTTPServerTransport({
      classification: { era: 'legacy' },
      keepAliveMs: KEEP_ALIVE_MS,
    });
    await broker.connect(transport);
    return await transport.handleMessage(message, { request });
  } catch (fault) {
    onEnd();
    // The client is gone; nobody reads this status.
    if (unsent === undefined && fault instanceof SdkError && fault.code === SdkErrorCode.ConnectionClosed) {
      return new Response(null, { status: 499 });
    }
    return internalError(exchange, unsent ?? fault, message.id);
  }
}

/** Batches were part of 2025-03-26 only; the SDK still knows how to answer them. */
async function answerBatch(post: McpPost): Promise<Response> {
  const exchange: Exchange = { ...post.exchange, era: 'legacy', signal: post.request.signal };
  const serve = legacyStatelessFallback(
    () => createBroker(exchange, undefined, (fault) => logFault(exchange, fault)),
    (fault) => logFault(exchange, fault),
  );
  return serve(post.request, { parsedBody: post.body });
}

function heedNotification(post: McpPost): void {
  const { method, params } = messageOf(post.body);
  if (method !== 'notifications/cancelled' || typeof params !== 'object' || params === null) return;
  const id = 'requestId' in params ? params.requestId : undefined;
  if (typeof id === 'string' || typeof id === 'number') cancelRequest(clientOf(post), id);
}

function clientOf({ exchange, request }: McpPost): string {
  return JSON.stringify([
    exchange.caller.virtualKey.principal.keyId,
    new URL(request.url).pathname,
    request.headers.get('user-agent'),
  ]);
}

function inTime(answer: Promise<Response>, hungUp: AbortController): Promise<Response> {
  return answerInTime(answer, {
    patienceMs: PATIENCE_MS,
    keepAliveMs: KEEP_ALIVE_MS,
    onHangUp: () => hungUp.abort(),
  });
}

function messageOf(body: unknown): Message {
  return typeof body === 'object' && body !== null ? body : {};
}

function logFault(exchange: Exchange, fault: unknown): void {
  log('error', 'mcp.request.failed', { request_id: exchange.caller.requestId, fault: describeFault(fault) });
}

function internalError(exchange: Exchange, fault: unknown, id: unknown): Response {
  logFault(exchange, fault);
  return jsonRpcError(500, id, -32603, 'Internal error');
}

function jsonRpcError(status: number, id: unknown, code: number, message: string): Response {
  return Response.json({ jsonrpc: '2.0', id, error: { code, message } }, { status });
}
