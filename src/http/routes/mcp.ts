// `/mcp`: all that the key may use; `/mcp/<name>`: one server under its own names, or one tool group.
import { Hono } from 'hono';
import type { Context } from 'hono';
import { parseTags, TAGS_HEADER } from '../../audit/tags.ts';
import { presentedKey } from '../../auth/credential.ts';
import { at } from '../../lib/json-value.ts';
import { narrowScope, parseNarrowing, type Narrowing } from '../../mcp/narrowing.ts';
import { rpcError } from '../../mcp/protocol/errors.ts';
import { isRpcId } from '../../mcp/protocol/message.ts';
import { scopeOf, type Scope } from '../../mcp/scope.ts';
import type { ToolCaller } from '../../mcp/tool-call.ts';
import { decideStanding } from '../../policy/authorize.ts';
import { failure, type Failure } from '../../policy/failure.ts';
import type { PolicySnapshot } from '../../policy/snapshot.ts';
import type { AppEnv } from '../app-env.ts';
import { errorResponse } from '../error-response.ts';
import { isForeignHost, isForeignOrigin } from '../foreign-host.ts';
import { classifyPost } from '../mcp/classification.ts';
import { answerLegacy, type LegacyRequest } from '../mcp/legacy.ts';
import { answerModern } from '../mcp/modern.ts';
import { answerResponse } from '../mcp/reply.ts';
import { readJson } from '../read-json.ts';

/** Two parsers that disagree about a repeated `method`, `name` or `arguments` are two opinions on one request. */
const DUPLICATE_DEPTH = 2;
/** GET and DELETE are of the legacy eras, whose sessions they read and end. */
const HTTP_METHODS = ['POST', 'GET', 'DELETE'];

type McpContext = Context<AppEnv>;

/** What is asked of which part of the gateway. */
interface Call {
  readonly endpoint: string | undefined;
  readonly narrowing: Narrowing;
  readonly caller: ToolCaller;
}

/** Runs behind `authenticate('jsonrpc')`. */
export function mcpRoutes(): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();
  for (const path of ['/', '/:endpoint']) routes.all(path, (c) => answer(c, c.req.param('endpoint')));
  return routes;
}

async function answer(c: McpContext, endpoint: string | undefined): Promise<Response> {
  const { method, headers } = c.req.raw;
  if (!HTTP_METHODS.includes(method)) {
    const refusal = refuse(c, failure('method_not_allowed', `Send ${HTTP_METHODS.join(', ')} requests here.`));
    refusal.headers.set('allow', HTTP_METHODS.join(', '));
    return refusal;
  }
  if (isForeignOrigin(headers)) return refuseTransport(403, 'Forbidden: this origin may not call us');
  if (isForeignHost(headers, c.env.SALLYPORT_ALLOWED_HOSTS)) {
    return refuseTransport(403, 'Forbidden: this gateway does not answer under this host name (see --allowed-hosts)');
  }
  const call = readCall(c, endpoint);
  if ('code' in call) return refuse(c, call);
  return method === 'POST' ? answerPost(c, call) : answerLegacy(legacyRequest(c, call));
}

/** What the headers say; the failure where they say something wrong. */
function readCall(c: McpContext, endpoint: string | undefined): Call | Failure {
  const { headers } = c.req.raw;
  const { snapshot, virtualKey, requestId, receivedAt } = c.var;
  const narrowing = parseNarrowing(headers);
  if (!narrowing.ok) return narrowing.error;
  const scope = scopeOf(snapshot, virtualKey, endpoint);
  if (scope === undefined) {
    return failure('not_found', 'For this key there is no server and no tool group of this name.');
  }
  const tags = parseTags(headers.get(TAGS_HEADER));
  if (!tags.ok) return tags.error;
  const userAgent = headers.get('user-agent');
  return {
    endpoint,
    narrowing: narrowing.value,
    caller: {
      virtualKey,
      scope: narrowScope(scope, narrowing.value),
      settings: snapshot.settings,
      requestId,
      receivedAt,
      ...(userAgent !== null && { client: userAgent }),
      ...(tags.value !== undefined && { tags: tags.value }),
    },
  };
}

async function answerPost(c: McpContext, call: Call): Promise<Response> {
  const request = c.req.raw;
  if (!acceptsBoth(request.headers.get('accept'))) {
    return refuseTransport(406, 'Not Acceptable: accept both application/json and text/event-stream');
  }
  const body = await readJson(request, {
    maxBytes: call.caller.settings.limits.request_bytes,
    duplicateDepth: DUPLICATE_DEPTH,
  });
  if (!body.ok) {
    return body.error.code === 'invalid_request' && body.error.param === undefined
      ? answerResponse(null, rpcError(-32700, `Parse error: ${body.error.message}`), 400)
      : refuse(c, body.error);
  }
  const { value, byteLength } = body.value;
  const route = classifyPost(request.headers, value);
  switch (route.kind) {
    case 'legacy':
      return answerLegacy({ ...legacyRequest(c, call), body: { value, byteLength } });
    case 'modern': {
      const { services } = c.var;
      const { now, recorder, admission, requestStates, waitUntil } = services;
      const { keyId } = call.caller.virtualKey.principal;
      return answerModern({
        message: route.message as Parameters<typeof answerModern>[0]['message'],
        protocolVersion: route.classification.revision ?? '',
        headers: request.headers,
        requestBytes: byteLength,
        caller: call.caller,
        now,
        recorder,
        admission,
        requestStates,
        waitUntil,
        runsUntil: (over) => c.set('answerEnd', over),
        linksFor: (face) => services.linksOf(keyId, face),
        resolveScope: scopeNow(c, call),
      });
    }
    case 'reject': {
      const id = at(value, 'id');
      const error = rpcError(route.code, route.message, route.data);
      return answerResponse(isRpcId(id) ? id : null, error, route.httpStatus);
    }
  }
}

function legacyRequest(c: McpContext, { endpoint, narrowing, caller }: Call): LegacyRequest {
  const { sessionIds, clientSessions } = c.var.services;
  const runsUntil = (over: Promise<unknown>): void => c.set('answerEnd', over);
  return { request: c.req.raw, endpoint, narrowing, caller, sessionIds, sessions: clientSessions, runsUntil };
}

/** What the same request would be let see at another time; the same object while nothing changed. */
function scopeNow(c: McpContext, { endpoint, narrowing }: Call): () => Promise<Scope | undefined> {
  const { services } = c.var;
  let hash: Promise<string> | undefined;
  let last: { readonly snapshot: PolicySnapshot; readonly scope: Scope | undefined } | undefined;
  return async () => {
    const snapshot = await services.snapshot();
    const presented = presentedKey(c.req.raw.headers);
    if (!presented.ok) return undefined;
    hash ??= services.hashVirtualKey(presented.value);
    const virtualKey = snapshot.virtualKeys.get(await hash);
    if (virtualKey === undefined || !decideStanding(virtualKey, services.now()).allow) return undefined;
    if (last?.snapshot !== snapshot) {
      const scope = scopeOf(snapshot, virtualKey, endpoint);
      last = { snapshot, scope: scope && narrowScope(scope, narrowing) };
    }
    return last.scope;
  };
}

/** Both eras demand it of clients: which of the two an answer is, is the server's choice. */
function acceptsBoth(accept: string | null): boolean {
  if (accept === null) return false;
  if (accept.includes('*/*')) return true;
  return accept.includes('application/json') && accept.includes('text/event-stream');
}

function refuse(c: McpContext, refusal: Failure): Response {
  return errorResponse(refusal, 'jsonrpc', c.var.requestId);
}

function refuseTransport(status: number, message: string): Response {
  return answerResponse(null, rpcError(-32000, message), status);
}
