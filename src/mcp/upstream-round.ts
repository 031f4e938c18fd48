// One request to one upstream: whether it can be tried now, its `requestState` unsealed and sealed, and what health
// learns of how it went.
import { canonicalJson } from '../lib/canonical-json.ts';
import type { JsonObject } from '../lib/json-value.ts';
import { describeFault, log } from '../lib/log.ts';
import { err, type Result } from '../lib/result.ts';
import { failure, type Failure } from '../policy/failure.ts';
import type { Upstream } from '../policy/snapshot.ts';
import type { RequestStateBinding, RequestStates } from './client-request.ts';
import type { LinkRequest, UpstreamLinks } from './links.ts';
import { DISCOVERY_DEADLINE_MS } from './limits.ts';
import type { UpstreamCallFailure, UpstreamView, UpstreamViews } from './ports.ts';

export interface RoundPorts {
  readonly now: () => number;
  readonly upstreamViews: UpstreamViews;
}

/** What a client that speaks MCP adds to a request made for it. */
export interface Hop extends Pick<LinkRequest, 'wantsProgress' | 'logLevel' | 'onNotification' | 'ask' | 'onPause'> {
  readonly links: UpstreamLinks;
  /** Where the client may be handed what an upstream wants back: in 2026-07-28. */
  readonly requestStates?: RequestStates;
}

export interface Round {
  readonly method: string;
  /** With wire names; `inputResponses` and `requestState` as the client sent them. */
  readonly params: JsonObject;
  readonly signal: AbortSignal;
  /** Key id of the caller. */
  readonly principal: string;
}

/** `answered` is the upstream's own JSON-RPC error. */
export type RoundFailure = Failure & Pick<Partial<UpstreamCallFailure>, 'answered'>;

/** How a request went, before it is recorded. */
export interface Attempt<T = JsonObject> {
  readonly outcome: Result<T, RoundFailure>;
  /** Why policy refused; absent when it did not. */
  readonly denial?: string;
  readonly cancelled?: boolean;
  /** Absent when nothing was sent upstream. */
  readonly upstreamMs?: number;
}

const REFUSED_STATE =
  'Invalid requestState: it is expired, was changed, or belongs to another request. Make the request anew without it.';

/** The request as it stands, whether or not its upstream is well. */
export async function requestUpstream(
  ports: RoundPorts,
  upstream: Upstream,
  round: Round,
  { links, requestStates, ...hop }: Hop,
): Promise<Attempt> {
  const { inputResponses, requestState, ...params } = round.params;
  const binding = async (): Promise<RequestStateBinding> => ({
    principal: round.principal,
    method: round.method,
    upstream: upstream.name,
    digest: await digestOf(params),
  });
  let continued: JsonObject = {};
  if (requestStates !== undefined) {
    if (inputResponses !== undefined) continued = { inputResponses };
    if (requestState !== undefined) {
      const opened = typeof requestState === 'string' && (await requestStates.open(requestState, await binding()));
      if (!opened) return { outcome: err(failure('invalid_request', REFUSED_STATE)), denial: 'invalid_request_state' };
      continued = { ...continued, ...(opened.state !== undefined && { requestState: opened.state }) };
    }
  }
  const { method, signal } = round;
  const startedAt = ports.now();
  const outcome = await links.request(upstream, { ...hop, method, params: { ...params, ...continued }, signal });
  const upstreamMs = ports.now() - startedAt;
  if (outcome.ok) {
    ports.upstreamViews.report(upstream, { ok: true, latencyMs: upstreamMs });
    const { value } = outcome;
    const { resultType, requestState: state } = value;
    if (requestStates === undefined || resultType !== 'input_required' || typeof state !== 'string') {
      return { outcome, upstreamMs };
    }
    const sealed = await requestStates.seal(state, await binding());
    return { outcome: { ok: true, value: { ...value, requestState: sealed } }, upstreamMs };
  }
  if (outcome.error.answered !== undefined) {
    ports.upstreamViews.report(upstream, { ok: true, latencyMs: upstreamMs });
    return { outcome, upstreamMs };
  }
  // Says nothing about the upstream: it may have been about to answer.
  if (signal.aborted) return { outcome, upstreamMs, cancelled: true };
  const { stage, message, detail = message } = outcome.error;
  ports.upstreamViews.report(upstream, { ok: false, stage, message: detail });
  return { outcome, upstreamMs };
}

/** For a fault of the gateway's own, which the client is told without detail. @param event names it in the log */
export function failedHere(event: string, requestId: string, server: string, fault: unknown): Attempt<never> {
  log('error', event, { request_id: requestId, server, fault: describeFault(fault) });
  return { outcome: err(failure('internal_error', `The gateway failed; its log names the fault under ${requestId}.`)) };
}

/** The upstream's view, or why it is not to be tried now. Health fails open: who was never asked is asked now. */
export async function readyView(ports: RoundPorts, upstream: Upstream): Promise<Result<UpstreamView, Failure>> {
  const view = await ports.upstreamViews.view(upstream, DISCOVERY_DEADLINE_MS);
  const unready = unavailable(upstream.name, view, ports.now());
  return unready === undefined ? { ok: true, value: view } : err(unready);
}

function unavailable(server: string, view: UpstreamView, now: number): Failure | undefined {
  const { state, breaker, retryAt = now } = view.health;
  if (breaker === 'open' && retryAt > now) {
    const retryAfterSeconds = Math.max(1, Math.ceil((retryAt - now) / 1000));
    const text = `The server "${server}" keeps failing and is left alone; try again in ${retryAfterSeconds} s.`;
    return failure('upstream_unavailable', text, { retryAfterSeconds });
  }
  if (view.catalog !== undefined || state === 'unknown' || state === 'idle') return undefined;
  const text =
    state === 'needs_auth'
      ? `The server "${server}" waits for whoever runs this gateway to authorize it.`
      : `The server "${server}" has not come up yet; try again in a moment.`;
  return failure('upstream_unavailable', text);
}

/** Of what stays the same through the rounds of one request: `_meta` holds traces and progress tokens, which do not. */
async function digestOf({ _meta, ...params }: JsonObject): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(canonicalJson(params)));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
