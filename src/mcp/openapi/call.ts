// One call of an operation: one request, one answer.
import type { CallToolResult, Tool } from '@modelcontextprotocol/client';
import { deadlineSignal } from '../../egress/fetch.ts';
import { readBody } from '../../egress/response-limit.ts';
import { maskSecrets } from '../../egress/secrets.ts';
import { err, ok, type Result } from '../../lib/result.ts';
import type { UpstreamCallFailure, UpstreamNetwork, UpstreamToolCall, UpstreamViews } from '../ports.ts';
import { RPC } from '../protocol/errors.ts';
import { explainFailure } from '../upstream/explain-failure.ts';
import { planOf } from './plan.ts';
import { apiRequest, type ApiRequest } from './request.ts';
import { errorResult, toolResult, type ApiAnswer } from './response.ts';
import type { OpenApiUpstream } from './spec-source.ts';

const DEFAULT_TIMEOUT_MS = 60_000;
/** How long a call waits for the tools of a server that was never met. */
const ACQUAINTANCE_MS = 2_000;
const ERROR_TEXT_LENGTH = 300;

/** Said by whatever stands before an API that is not there, and so about the API as a whole. */
export const UNAVAILABLE: ReadonlyMap<number, 'upstream_error' | 'upstream_unavailable' | 'upstream_timeout'> = new Map(
  [
    [502, 'upstream_error'],
    [503, 'upstream_unavailable'],
    [504, 'upstream_timeout'],
  ],
);

export interface OpenApiCallDependencies {
  readonly network: UpstreamNetwork;
  readonly views: Pick<UpstreamViews, 'view'>;
  readonly maxResponseBytes: number;
}

/**
 * What an API refuses, with a status of 400 and above, is a result that says so: it concerns this call alone. A failure
 * is what concerns the API as a whole: it does not answer, or not in time, or not for itself.
 */
export async function callOperation(
  dependencies: OpenApiCallDependencies,
  upstream: OpenApiUpstream,
  call: UpstreamToolCall,
): Promise<Result<CallToolResult, UpstreamCallFailure>> {
  const { catalog } = await dependencies.views.view(upstream, ACQUAINTANCE_MS);
  if (catalog === undefined) return err(failed('upstream_unavailable', upstream, 'has no tools yet', 'list'));
  const tool = catalog.tools.find(({ name }) => name === call.name);
  const plan = tool === undefined ? undefined : planOf(tool);
  if (tool === undefined || plan === undefined) return err(unknownTool(call.name));
  const base = upstream.base_url ?? plan.base;
  if (base === undefined) return err(failed('upstream_error', upstream, 'has no address', 'call'));
  const request = apiRequest(base, plan, call.arguments ?? {});
  if (!request.ok) return ok(badArguments(request.error));
  return send(dependencies, { ...upstream, base_url: base }, { tool, call, request: request.value });
}

interface Sending {
  readonly tool: Tool;
  readonly call: UpstreamToolCall;
  readonly request: ApiRequest;
}

async function send(
  { network, maxResponseBytes }: OpenApiCallDependencies,
  upstream: OpenApiUpstream,
  { tool, call, request }: Sending,
): Promise<Result<CallToolResult, UpstreamCallFailure>> {
  const { url, ...init } = request;
  const signal = deadlineSignal(upstream.timeout ?? DEFAULT_TIMEOUT_MS, call.signal);
  const mask = (text: string): string => maskSecrets(text, upstream);
  try {
    const response = await network.endpoint(upstream).fetch(url, { ...init, signal });
    const { status, statusText, headers } = response;
    const answer: ApiAnswer = { status, statusText, headers, body: await readBody(response, maxResponseBytes) };
    const code = UNAVAILABLE.get(status);
    if (code !== undefined) return err(unavailable(code, upstream, answer, mask));
    return ok(status >= 400 ? errorResult(answer, mask) : toolResult(upstream.name, tool, answer));
  } catch (error) {
    if (call.signal.aborted) return err(failed('upstream_error', upstream, 'was not waited for', 'call'));
    return err(explainFailure(error, upstream, 'call'));
  }
}

function badArguments(problem: string): CallToolResult {
  return { content: [{ type: 'text', text: `Nothing was sent: ${problem}.` }], isError: true };
}

/** As servers of MCP answer it. */
function unknownTool(name: string): UpstreamCallFailure {
  const message = `Unknown tool: ${name}`;
  return { code: 'upstream_error', message, stage: 'call', answered: { code: RPC.invalidParams } };
}

function unavailable(
  code: UpstreamCallFailure['code'],
  upstream: OpenApiUpstream,
  answer: ApiAnswer,
  mask: (text: string) => string,
): UpstreamCallFailure {
  const text = mask(new TextDecoder().decode(answer.body)).trim();
  const said = text === '' || text.startsWith('<') ? '' : `: ${text.slice(0, ERROR_TEXT_LENGTH)}`;
  const retryAfter = Number(answer.headers.get('retry-after') ?? '');
  return {
    ...failed(code, upstream, `answered HTTP ${answer.status}${said}`, 'call'),
    ...(Number.isSafeInteger(retryAfter) && retryAfter > 0 && { retryAfterSeconds: retryAfter }),
  };
}

function failed(
  code: UpstreamCallFailure['code'],
  { name }: OpenApiUpstream,
  predicate: string,
  stage: UpstreamCallFailure['stage'],
): UpstreamCallFailure {
  return { code, message: `upstream "${name}" ${predicate}`, stage };
}
