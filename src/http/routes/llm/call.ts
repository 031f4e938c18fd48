import type { Handler } from 'hono';
import { parseTags, TAGS_HEADER } from '../../../audit/tags.ts';
import { toUsdText } from '../../../budget/money.ts';
import type { ChargePlan } from '../../../budget/limits.ts';
import { operatorFetch } from '../../../egress/fetch.ts';
import { refusesConnections } from '../../../egress/reachability.ts';
import { callWithTools } from '../../../llm/agent/agent-loop.ts';
import { callModel, refuseCall, type LlmAnswer, type LlmPorts, type LlmRequest } from '../../../llm/call-model.ts';
import type { LlmCaller } from '../../../llm/call-record.ts';
import type { Operation } from '../../../llm/operation.ts';
import type { Env } from '../../../env.ts';
import type { JsonObject } from '../../../lib/json-value.ts';
import type { Result } from '../../../lib/result.ts';
import type { Failure } from '../../../policy/failure.ts';
import type { Services } from '../../../services.ts';
import type { AppEnv } from '../../app-env.ts';
import { errorResponse, statusOf } from '../../error-response.ts';
import { rateLimitHeaders } from '../../rate-limit-headers.ts';
import { readJson } from '../../read-json.ts';
import { errorBodyOf, injectionFor, toolboxFor, TOOLS_HEADER } from './tool-injection.ts';

const CLIENT_LENGTH = 200;
/** Statuses with which a response may not be given a body. */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304]);
/** Only `model` is read here, and it stands at the top. */
const DUPLICATE_DEPTH = 1;

/** Serves one operation behind `authenticate`. @param model where the path names it */
export function serveCall(operation: Operation, model?: string): Handler<AppEnv> {
  return async function callTheModel(c) {
    const { raw: request } = c.req;
    // Read once: Hono copies all variables each time.
    const { services, snapshot, virtualKey, requestId, receivedAt } = c.var;
    const ports = portsOf(c.env, services);
    const client = request.headers.get('user-agent')?.slice(0, CLIENT_LENGTH);
    const { settings } = snapshot;
    const caller: LlmCaller = { virtualKey, settings, requestId, receivedAt, ...(client !== undefined && { client }) };
    const refused = async (reason: Failure): Promise<Response> =>
      errorResponse(await refuseCall(ports, caller, reason), operation.dialect, requestId);
    let plans: readonly ChargePlan[] = [];
    const answered = (answer: Result<LlmAnswer, Failure>): Response => {
      if (answer.ok && answer.value.over !== undefined) c.set('answerEnd', answer.value.over);
      const now = ports.now();
      const response = answer.ok
        ? responseOf(answer.value, now - receivedAt)
        : errorResponse(answer.error, operation.dialect, requestId);
      if (plans.length > 0)
        for (const [name, value] of rateLimitHeaders(ports.admission.standings(plans), operation.dialect, now))
          response.headers.set(name, value);
      return response;
    };

    const tags = parseTags(request.headers.get(TAGS_HEADER));
    if (!tags.ok) return refused(tags.error);
    const injection = injectionFor(request.headers.get(TOOLS_HEADER), operation, virtualKey);
    if (!injection.ok) return refused(injection.error);
    const body = await readJson(request, {
      maxBytes: settings.limits.request_bytes,
      duplicateDepth: DUPLICATE_DEPTH,
    });
    if (!body.ok) return refused(body.error);
    const tagged = tags.value === undefined ? caller : { ...caller, tags: tags.value };
    const call: LlmRequest = {
      operation,
      body: body.value,
      ...(model !== undefined && { model }),
      headers: request.headers,
      search: searchOf(request.url),
      signal: request.signal,
      providers: snapshot.providers,
      onPlans: (charged) => {
        plans = charged;
      },
    };
    if (injection.value === undefined) return answered(await callModel(ports, tagged, call));
    const toolbox = toolboxFor({ headers: request.headers, services, snapshot, virtualKey, caller: tagged });
    if (!toolbox.ok) return refused(toolbox.error);
    const errorBody = (reason: Failure): Promise<JsonObject> => errorBodyOf(reason, operation.dialect, requestId);
    return answered(
      await callWithTools({ ...ports, toolbox: toolbox.value, errorBody }, tagged, {
        ...call,
        agent: injection.value,
        maxDepth: settings.limits.agent_depth,
      }),
    );
  };
}

function portsOf(env: Env, services: Services): LlmPorts {
  return {
    now: services.now,
    waitUntil: services.waitUntil,
    random: Math.random,
    recorder: services.recorder,
    admission: services.admission,
    fetch: operatorFetch(env),
    refusesConnections: (url) => refusesConnections(env, url),
    statusOf,
  };
}

function searchOf(url: string): string {
  const mark = url.indexOf('?');
  return mark === -1 ? '' : url.slice(mark);
}

/** @param totalMs since the request arrived */
function responseOf({ status, headers, body, cost, upstreamMs }: LlmAnswer, totalMs: number): Response {
  const response = new Response(BODILESS.has(status) ? null : body, { status });
  for (const [name, value] of headers) response.headers.set(name, value);
  if (cost !== undefined) response.headers.set('x-sallyport-cost-usd', toUsdText(cost));
  const timing = `upstream;dur=${upstreamMs}, gateway;dur=${Math.max(0, totalMs - upstreamMs)}`;
  response.headers.set('server-timing', timing);
  return response;
}
