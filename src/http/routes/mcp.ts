// `/mcp`: all that the key may use; `/mcp/<name>`: one server under its own tool names, or one tool group.
import { Hono } from 'hono';
import type { Context } from 'hono';
import { parseTags, TAGS_HEADER } from '../../audit/tags.ts';
import type { SettingsDocument } from '../../config/document.ts';
import type { CallUpstreamTool } from '../../mcp/ports.ts';
import { scopeOf } from '../../mcp/scope.ts';
import { createToolInvoker } from '../../mcp/tool-call.ts';
import { createCallUpstreamTool } from '../../mcp/upstream/call.ts';
import { failure, type Failure } from '../../policy/failure.ts';
import type { Services } from '../../services.ts';
import type { AppEnv } from '../app-env.ts';
import { errorResponse } from '../error-response.ts';
import { isForeignHost, isForeignOrigin } from '../foreign-host.ts';
import { answerMcp } from '../mcp-exchange.ts';
import { readJson } from '../read-json.ts';

/** Two parsers that disagree about a repeated `method`, `name` or `arguments` are two opinions on one request. */
const DUPLICATE_DEPTH = 2;

type JoinUpstreams = (services: Services, settings: SettingsDocument) => CallUpstreamTool;

/** Runs behind `authenticate('jsonrpc')`. */
export function mcpRoutes(joinUpstreams: JoinUpstreams = overNetwork): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();
  for (const path of ['/', '/:endpoint']) {
    routes.post(path, (c) => answerPost(c, c.req.param('endpoint'), joinUpstreams));
    // There is no stream to resume and no session to end: every request stands alone.
    routes.all(path, (c) => {
      const refusal = refuse(c, failure('method_not_allowed', 'Send POST requests to this endpoint.'));
      refusal.headers.set('allow', 'POST');
      return refusal;
    });
  }
  return routes;
}

function overNetwork(services: Services, settings: SettingsDocument): CallUpstreamTool {
  return createCallUpstreamTool({
    network: services.upstreamNetwork,
    views: services.upstreamViews,
    sessions: services.upstreamSessions,
    maxResponseBytes: settings.limits.response_bytes,
    waitUntil: services.waitUntil,
  });
}

async function answerPost(
  c: Context<AppEnv>,
  endpoint: string | undefined,
  joinUpstreams: JoinUpstreams,
): Promise<Response> {
  const request = c.req.raw;
  const { services, snapshot, virtualKey, requestId, receivedAt } = c.var;
  const { settings } = snapshot;
  if (isForeignOrigin(request.headers)) return jsonRpcError(403, -32000, 'Forbidden: this origin may not call us');
  if (isForeignHost(request.headers, c.env.SALLYPORT_ALLOWED_HOSTS)) {
    const text = 'Forbidden: this gateway does not answer under this host name (see --allowed-hosts)';
    return jsonRpcError(403, -32000, text);
  }
  const scope = scopeOf(snapshot, virtualKey, endpoint);
  if (scope === undefined) {
    return refuse(c, failure('not_found', 'For this key there is no server and no tool group of this name.'));
  }
  if (!acceptsBoth(request.headers.get('accept'))) {
    return jsonRpcError(406, -32000, 'Not Acceptable: accept both application/json and text/event-stream');
  }
  const tags = parseTags(request.headers.get(TAGS_HEADER));
  if (!tags.ok) return refuse(c, tags.error);
  const body = await readJson(request, {
    maxBytes: settings.limits.request_bytes,
    duplicateDepth: DUPLICATE_DEPTH,
  });
  if (!body.ok) {
    return body.error.code === 'invalid_request' && body.error.param === undefined
      ? jsonRpcError(400, -32700, `Parse error: ${body.error.message}`)
      : refuse(c, body.error);
  }
  const userAgent = request.headers.get('user-agent');
  return answerMcp({
    request,
    body: body.value.value,
    exchange: {
      caller: {
        virtualKey,
        scope,
        settings,
        requestId,
        receivedAt,
        ...(userAgent !== null && { client: userAgent }),
        ...(tags.value !== undefined && { tags: tags.value }),
      },
      upstreamViews: services.upstreamViews,
      toolInvoker: createToolInvoker({ ...services, callUpstreamTool: joinUpstreams(services, settings) }),
      requestBytes: body.value.byteLength,
    },
  });
}

/** Both eras demand it of clients: which of the two an answer is, is the server's choice. */
function acceptsBoth(accept: string | null): boolean {
  if (accept === null) return false;
  if (accept.includes('*/*')) return true;
  return accept.includes('application/json') && accept.includes('text/event-stream');
}

function refuse(c: Context<AppEnv>, refusal: Failure): Response {
  return errorResponse(refusal, 'jsonrpc', c.var.requestId);
}

function jsonRpcError(status: number, code: number, message: string): Response {
  return Response.json({ jsonrpc: '2.0', id: null, error: { code, message } }, { status });
}
