// `/servers/<name>/mcp`: MCP Streamable HTTP in front of one stdio server, in both eras.
import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  INVALID_REQUEST,
  METHOD_NOT_FOUND,
  PARSE_ERROR,
  errorResponse,
  isModern,
  isNotification,
  isRequest,
  toMessage,
} from './json-rpc.ts';
import type { RpcMessage, RpcNotification, RpcRequest, RpcResponse } from './json-rpc.ts';
import type { Lane } from './lane.ts';
import { EventStream, Reply, acceptsEventStream, sendJson } from './reply.ts';
import { readBody } from './request-body.ts';
import type { Session } from './session.ts';
import type { OpenSession, StdioServer } from './stdio-server.ts';

const PROBE_HEADER = 'x-sallyport-probe';
const SESSION_HEADER = 'mcp-session-id';

interface Incoming {
  readonly server: StdioServer;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly isProbe: boolean;
}

export async function serveMcp(server: StdioServer, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const incoming: Incoming = { server, request, response, isProbe: request.headers[PROBE_HEADER] === '1' };
  switch (request.method) {
    case 'POST':
      return post(incoming);
    case 'GET':
      return listen(incoming);
    case 'DELETE':
      return withSession(incoming, ({ session }) => {
        server.close(session.id);
        response.writeHead(204).end();
      });
    default:
      response.setHeader('allow', 'POST, GET, DELETE');
      return sendJson(response, 405, { code: 'method_not_allowed', message: 'use POST, GET or DELETE' });
  }
}

async function post(incoming: Incoming): Promise<void> {
  const { server, request, response, isProbe } = incoming;
  const body = await readBody(request);
  if (!body.ok) return sendJson(response, body.status, errorResponse(null, PARSE_ERROR, body.message));
  const message = toMessage(body.value);
  if (message === undefined) {
    const text = 'the body must be one JSON-RPC 2.0 message; batches are not part of MCP';
    return sendJson(response, 400, errorResponse(null, INVALID_REQUEST, text));
  }
  const modern = isModern(message);
  if (isProbe && server.isAsleep(modern ? 'open' : 'legacy')) {
    response.writeHead(204, { 'x-sallyport-child': 'idle' }).end();
    return;
  }
  if (modern && isRequest(message)) return callModern(incoming, message);
  if (modern && isNotification(message)) return notify(incoming, server.modernLane(), message);
  if (isRequest(message) && message.method === 'initialize') return initialize(incoming, message);
  return withSession(incoming, (open) => inSession(incoming, open, message));
}

async function callModern(incoming: Incoming, message: RpcRequest): Promise<void> {
  const { server, response } = incoming;
  const lane = server.modernLane();
  if (lane === undefined) {
    const text = `${message.method} is of an era that this server does not speak: it accepts nothing before initialize`;
    return sendJson(response, 404, errorResponse(message.id, METHOD_NOT_FOUND, text));
  }
  await call(incoming, lane, message, { onResponse: (answer) => server.judge(lane, message, answer) });
}

async function initialize(incoming: Incoming, message: RpcRequest): Promise<void> {
  const { server, response } = incoming;
  const reply = new Reply(response, { request: message, acceptsStream: false, isModern: false });
  // Others may share the handshake, so it goes on when this client leaves; the session it would have had must not.
  const opened = await server.open(message);
  if (!opened.ok) return reply.unavailable(opened.error);
  const { session } = opened.value;
  if (session !== undefined && response.destroyed) server.close(session.id);
  else if (session !== undefined) response.setHeader(SESSION_HEADER, session.id);
  reply.respond(opened.value.response);
}

async function inSession(incoming: Incoming, open: OpenSession, message: RpcMessage): Promise<void> {
  const { server, response } = incoming;
  const { lane, session } = open;
  if (isRequest(message)) return call(incoming, lane, message, { session });
  if (isNotification(message)) return notify(incoming, lane, message, session);
  if (lane.relay?.answer(message, session) !== true) server.log('debug', 'bridge.answer.unawaited', { id: message.id });
  response.writeHead(202).end();
}

interface CallContext {
  readonly session?: Session;
  readonly onResponse?: (response: RpcResponse) => void;
}

async function call(incoming: Incoming, lane: Lane, message: RpcRequest, context: CallContext): Promise<void> {
  const { server, request, response, isProbe } = incoming;
  const acceptsStream = acceptsEventStream(request);
  const reply = new Reply(response, { request: message, acceptsStream, isModern: context.session === undefined });
  const ready = await lane.ready();
  if (!ready.ok) return reply.unavailable(ready.error);
  if (context.session !== undefined && server.find(context.session.id) === undefined) {
    // A new process did not agree to what this session was told.
    if (response.headersSent) return reply.close();
    return sessionNotFound(response);
  }
  if (response.destroyed) return;
  const cancel = lane.request(ready.value, { request: message, sink: reply, probe: isProbe, ...context });
  response.once('close', () => {
    if (!response.writableFinished) cancel('the client closed the connection');
  });
}

/** A notification starts no process: one that is not there has nothing to be told. */
function notify(incoming: Incoming, lane: Lane | undefined, message: RpcNotification, session?: Session): void {
  if (lane?.relay !== undefined) lane.notify(lane.relay, message, session);
  incoming.response.writeHead(202).end();
}

function listen(incoming: Incoming): Promise<void> | void {
  const { request, response, isProbe } = incoming;
  if (!acceptsEventStream(request)) {
    return sendJson(response, 406, { code: 'not_acceptable', message: 'a GET must accept text/event-stream' });
  }
  return withSession(incoming, ({ session }) => {
    const stream = new EventStream(response);
    // A probe's stream is kept open for its client's sake, and keeps no server awake.
    if (isProbe) return;
    session.streams.add(stream);
    response.once('close', () => session.streams.delete(stream));
  });
}

function withSession(incoming: Incoming, use: (open: OpenSession) => Promise<void> | void): Promise<void> | void {
  const { server, request, response } = incoming;
  const id = request.headers[SESSION_HEADER];
  if (typeof id !== 'string') {
    const text = 'an Mcp-Session-Id header is required; send initialize first';
    return sendJson(response, 400, errorResponse(null, INVALID_REQUEST, text));
  }
  const open = server.find(id);
  return open === undefined ? sessionNotFound(response) : use(open);
}

function sessionNotFound(response: ServerResponse): void {
  sendJson(response, 404, errorResponse(null, -32001, 'session not found; send initialize to open a new one'));
}
