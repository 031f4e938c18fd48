// The HTTP of the legacy eras: Streamable HTTP with sessions (2025-03-26 to 2025-11-25) and HTTP+SSE (2024-11-05). A
// session itself lives in its object; here is decided whether a request may reach it, and what statuses its answers have.
import { SUPPORTED_PROTOCOL_VERSIONS } from '@modelcontextprotocol/server';
import { newSessionNonce, type SessionHolder, type SessionIds, type SessionPlace } from '../../auth/session-id.ts';
import { at, isObject } from '../../lib/json-value.ts';
import { isRequest } from '../../mcp/protocol/message.ts';
import { newStreamName } from '../../mcp/session/event-id.ts';
import { isLegacyVersion, OLDEST_HANDSHAKE, readHandshake } from '../../mcp/session/handshake.ts';
import type {
  SessionAnswer,
  SessionListen,
  SessionPost,
  SessionRefusal,
  SessionState,
} from '../../mcp/session/ports.ts';
import type { Narrowing } from '../../mcp/narrowing.ts';
import type { ToolCaller } from '../../mcp/tool-call.ts';
import { failure } from '../../policy/failure.ts';
import type { ClientSessions } from '../../stores/objects/client-sessions.ts';
import { errorResponse } from '../error-response.ts';
import { streamResponse } from './reply.ts';

export interface LegacyRequest {
  readonly request: Request;
  /** A server or tool group; absent for all that the key may see. */
  readonly endpoint?: string | undefined;
  /** Of a POST, read and parsed. */
  readonly body?: { readonly value: unknown; readonly byteLength: number };
  readonly caller: Omit<ToolCaller, 'scope' | 'parentId'>;
  readonly narrowing: Narrowing;
  readonly sessionIds: SessionIds;
  readonly sessions: ClientSessions;
  /** Told until when the request runs, for its answer may begin before. */
  readonly runsUntil: (over: Promise<unknown>) => void;
}

const SESSION_HEADER = 'mcp-session-id';
/** Where a client of the old transport, which knows no such header, has its session. */
const SESSION_PARAMETER = 'session';
/** Parts session from event in the event ids of the old transport: it has nothing else to come back with. */
const SESSION_MARK = '~';
const SESSION_NOT_FOUND = -32001;
const FULL_RETRY_SECONDS = 30;
/** Its clients cannot end a session; one that lost its stream is back at once. */
const OLD_TRANSPORT_IDLE_MS = 60_000;

const REFUSALS: Readonly<Record<SessionRefusal, readonly [status: number, code: number, text: string]>> = {
  unknown_session: [404, SESSION_NOT_FOUND, 'Session not found: it has ended. Send "initialize" to begin another.'],
  revoked: [401, -32000, 'Unauthorized: this key may not use this endpoint any more'],
  stream_open: [409, -32000, 'Conflict: this session has its stream open already; only one is served'],
  unknown_event: [400, -32000, 'Bad Request: no stream of this session has the event that Last-Event-ID names'],
  invalid_message: [400, -32600, 'Invalid Request: send JSON-RPC 2.0 messages with a method, a result or an error'],
  too_many_messages: [400, -32600, 'Invalid Request: the batch has more messages than one POST may hold'],
};

/** Runs when it is known that the endpoint is there for the key. */
export async function answerLegacy(legacy: LegacyRequest): Promise<Response> {
  const { request } = legacy;
  const version = request.headers.get('mcp-protocol-version');
  if (version !== null && !isLegacyVersion(version)) {
    const known = SUPPORTED_PROTOCOL_VERSIONS.join(', ');
    const text = `Bad Request: Unsupported protocol version: ${version.slice(0, 100)} (supported: ${known})`;
    return jsonRpcError(400, -32000, text);
  }
  if (request.method === 'GET') return answerGet(legacy);
  if (request.method === 'DELETE') return answerDelete(legacy);
  return answerPost(legacy);
}

async function answerPost(legacy: LegacyRequest): Promise<Response> {
  const value = legacy.body?.value;
  const { url } = legacy.request;
  const parameter = url.includes('?') ? new URL(url).searchParams.get(SESSION_PARAMETER) : null;
  if (parameter === null && isRequest(value) && value.method === 'initialize') return begin(legacy);
  const id = parameter ?? legacy.request.headers.get(SESSION_HEADER);
  if (id === null) return missingSession();
  const place = await legacy.sessionIds.open(id, holderOf(legacy));
  if (place === undefined) return refusal('unknown_session');
  const answer = await sessionAt(legacy, place).post(postOf(legacy, place.nonce));
  if (answer.kind !== 'stream') return responseOf(answer);
  const { readable, writable } = new IdentityTransformStream();
  // A client that hangs up ends it, too. The runtime moves the bytes by itself.
  legacy.runsUntil(answer.events.pipeTo(writable).catch(() => undefined));
  return streamResponse(readable);
}

async function answerGet(legacy: LegacyRequest): Promise<Response> {
  const { headers } = legacy.request;
  if (!accepts(headers.get('accept'), 'text/event-stream'))
    return jsonRpcError(406, -32000, 'Not Acceptable: a GET is answered with text/event-stream only');
  const lastEventId = headers.get('last-event-id') ?? undefined;
  const id = headers.get(SESSION_HEADER);
  if (id === null) return answerOldTransport(legacy, lastEventId);
  const place = await legacy.sessionIds.open(id, holderOf(legacy));
  if (place === undefined) return refusal('unknown_session');
  return responseOf(await sessionAt(legacy, place).listen(listenOf(legacy, place.nonce, lastEventId)));
}

async function answerDelete(legacy: LegacyRequest): Promise<Response> {
  const id = legacy.request.headers.get(SESSION_HEADER);
  if (id === null) return missingSession();
  const place = await legacy.sessionIds.open(id, holderOf(legacy));
  if (place === undefined) return refusal('unknown_session');
  const answer = await sessionAt(legacy, place).end(place.nonce);
  return answer.kind === 'accepted' ? new Response(null, { status: 204 }) : responseOf(answer);
}

async function begin(legacy: LegacyRequest): Promise<Response> {
  const params = at(legacy.body?.value, 'params');
  const { idle_timeout: idleMs } = legacy.caller.settings.sessions;
  const handshake = readHandshake(isObject(params) ? params : undefined);
  const state = await newState(legacy, { ...handshake, transport: 'streamable', idleMs });
  if (state === undefined) return tooManySessions(legacy);
  const session = sessionAt(legacy, state);
  const response = responseOf(await session.begin(state, postOf(legacy, state.nonce)));
  if (response.ok) response.headers.set(SESSION_HEADER, state.sessionId);
  return response;
}

/** A client that asks for a stream and has no session speaks the transport of 2024-11-05. */
async function answerOldTransport(legacy: LegacyRequest, lastEventId: string | undefined): Promise<Response> {
  const [id, eventId] = lastEventId?.split(SESSION_MARK) ?? [];
  const place = id === undefined ? undefined : await legacy.sessionIds.open(id, holderOf(legacy));
  if (id !== undefined && eventId !== undefined && place !== undefined) {
    const answer = await sessionAt(legacy, place).stream(
      listenOf(legacy, place.nonce, eventId),
      messagesUrl(legacy, id),
    );
    if (answer.kind !== 'refused') return responseOf(answer);
  }
  const state = await newState(legacy, { ...OLDEST_HANDSHAKE, transport: 'sse', idleMs: OLD_TRANSPORT_IDLE_MS });
  if (state === undefined) return tooManySessions(legacy);
  const first = listenOf(legacy, state.nonce);
  return responseOf(await sessionAt(legacy, state).beginStream(state, first, messagesUrl(legacy, state.sessionId)));
}

/** @returns undefined where the key has as many sessions as it may */
async function newState(
  legacy: LegacyRequest,
  begun: Pick<SessionState, 'protocolVersion' | 'face' | 'transport' | 'idleMs'>,
): Promise<SessionState | undefined> {
  const { keyId, endpoint } = holderOf(legacy);
  const nonce = newSessionNonce();
  const slot = await legacy.sessions.take(keyId, nonce, legacy.caller.settings.sessions.per_key);
  if (slot === undefined) return undefined;
  const sessionId = await legacy.sessionIds.seal({ slot, nonce }, { keyId, endpoint });
  const place = { slot, nonce, keyId, ...(endpoint !== undefined && { endpoint }) };
  return { ...begun, ...place, sessionId, standaloneStream: newStreamName() };
}

function holderOf({ caller, endpoint }: LegacyRequest): SessionHolder {
  return { keyId: caller.virtualKey.principal.keyId, endpoint };
}

function sessionAt(legacy: LegacyRequest, { slot }: Pick<SessionPlace, 'slot'>): ReturnType<ClientSessions['at']> {
  return legacy.sessions.at(holderOf(legacy).keyId, slot);
}

function listenOf({ narrowing }: LegacyRequest, nonce: string, lastEventId?: string): SessionListen {
  return { nonce, narrowing, ...(lastEventId !== undefined && { lastEventId }) };
}

function postOf({ request, body, caller, narrowing }: LegacyRequest, nonce: string): SessionPost {
  const { requestId, receivedAt, client, tags } = caller;
  return {
    nonce,
    narrowing,
    requestId,
    receivedAt,
    ...(client !== undefined && { client }),
    ...(tags !== undefined && { tags }),
    body: body?.value,
    bytes: body?.byteLength ?? 0,
    prefersStream: prefersStream(request.headers.get('accept')),
  };
}

/** Of two kinds that are equally welcome, the one named first. */
function prefersStream(accept: string | null): boolean {
  const stream = accept?.indexOf('text/event-stream') ?? -1;
  const json = accept?.indexOf('application/json') ?? -1;
  return stream !== -1 && json !== -1 && stream < json;
}

function accepts(accept: string | null, type: string): boolean {
  return accept !== null && (accept.includes(type) || accept.includes('*/*'));
}

function messagesUrl({ request }: LegacyRequest, sessionId: string): string {
  return `${new URL(request.url).pathname}?${SESSION_PARAMETER}=${sessionId}`;
}

function responseOf(answer: SessionAnswer): Response {
  switch (answer.kind) {
    case 'json':
      return new Response(answer.json, { headers: { 'content-type': 'application/json' } });
    case 'stream':
      return streamResponse(answer.events);
    case 'accepted':
      return new Response(null, { status: 202 });
    case 'over':
      // What tells an event source to stop coming back (WHATWG HTML §9.2.1).
      return new Response(null, { status: 204 });
    case 'refused':
      return refusal(answer.refusal);
  }
}

function refusal(reason: SessionRefusal): Response {
  const [status, code, text] = REFUSALS[reason];
  return jsonRpcError(status, code, text);
}

function missingSession(): Response {
  const text =
    'Bad Request: Mcp-Session-Id header is required. Send "initialize" first, then repeat the id it answers with.';
  return jsonRpcError(400, -32000, text);
}

function tooManySessions({ caller }: LegacyRequest): Response {
  const text = `The key has ${caller.settings.sessions.per_key} sessions, all of them in use. End some, or try again later.`;
  return errorResponse(
    failure('rate_limited', text, { retryAfterSeconds: FULL_RETRY_SECONDS }),
    'jsonrpc',
    caller.requestId,
  );
}

function jsonRpcError(status: number, code: number, message: string): Response {
  return Response.json({ jsonrpc: '2.0', id: null, error: { code, message } }, { status });
}
