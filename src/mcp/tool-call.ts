// One tool call from permission to record. Whoever calls tools, a client or a script in the sandbox, calls them here.
import type { CallToolResult } from '@modelcontextprotocol/server';
import { err, ok, type Result } from '../lib/result.ts';
import { describeFault, log } from '../lib/log.ts';
import { authorize } from '../policy/authorize.ts';
import { failure, type Failure } from '../policy/failure.ts';
import type { SettingsDocument } from '../config/document.ts';
import type { VirtualKey } from '../policy/snapshot.ts';
import type { Recorder } from '../audit/recorder.ts';
import type { Tags } from '../audit/tags.ts';
import { showCatalog } from './catalog.ts';
import { DISCOVERY_DEADLINE_MS, REFRESH_AFTER_MS } from './limits.ts';
import type {
  CallUpstreamTool,
  Catalog,
  UpstreamCallFailure,
  UpstreamToolCall,
  UpstreamView,
  UpstreamViews,
} from './ports.ts';
import { isGranted, type Grant, type Scope } from './scope.ts';
import { toolCallEvent } from './tool-call-event.ts';

export interface ToolCallPorts {
  readonly now: () => number;
  readonly waitUntil: (promise: Promise<unknown>) => void;
  readonly recorder: Recorder;
  readonly upstreamViews: UpstreamViews;
  readonly callUpstreamTool: CallUpstreamTool;
}

/** On whose behalf tools are called, and what goes on the record of each call. */
export interface ToolCaller {
  readonly virtualKey: VirtualKey;
  readonly scope: Scope;
  readonly settings: SettingsDocument;
  readonly requestId: string;
  /** Milliseconds since the epoch. */
  readonly receivedAt: number;
  readonly client?: string;
  readonly tags?: Tags;
  /** The audit event of which this call is a part. */
  readonly parentId?: string;
}

export interface ToolInvocation extends Omit<UpstreamToolCall, 'name'> {
  readonly upstream: string;
  /** Wire name. */
  readonly tool: string;
  readonly requestBytes?: number;
}

/** `tool_not_allowed` and `not_found` are for the record: a caller must not be told which of the two it was. */
export type ToolCallFailure = Failure & Pick<Partial<UpstreamCallFailure>, 'answered'>;
export type ToolCallOutcome = Result<CallToolResult, ToolCallFailure>;

export interface ToolInvoker {
  /** Resolves when the call is over and, as the operator asked, recorded. Every call leaves one audit event. */
  invoke(caller: ToolCaller, invocation: ToolInvocation): Promise<ToolCallOutcome>;
}

/** How a call went, before it is recorded. */
export interface Attempt {
  readonly outcome: ToolCallOutcome;
  /** Why policy refused; absent when it did not. */
  readonly denial?: string;
  readonly cancelled?: boolean;
  /** Absent when nothing was sent upstream. */
  readonly upstreamMs?: number;
}

export function createToolInvoker(ports: ToolCallPorts): ToolInvoker {
  return {
    invoke(caller, invocation) {
      const outcome = callAndRecord(ports, caller, invocation);
      // A caller that hangs up takes its request's context along; the record must outlive it. Whoever waits for the
      // outcome meets its fault.
      ports.waitUntil(outcome.catch(() => undefined));
      return outcome;
    },
  };
}

async function callAndRecord(
  ports: ToolCallPorts,
  caller: ToolCaller,
  invocation: ToolInvocation,
): Promise<ToolCallOutcome> {
  const attempt = await attemptCall(ports, caller, invocation);
  const recorded = await record(ports, caller, invocation, attempt);
  if (recorded || attempt.denial !== undefined) return attempt.outcome;
  const text = 'The call could not be recorded, so its result is withheld; it may have taken effect.';
  return err(failure('audit_unavailable', text));
}

async function attemptCall(ports: ToolCallPorts, caller: ToolCaller, invocation: ToolInvocation): Promise<Attempt> {
  const { upstream: server, tool } = invocation;
  const decision = authorize(caller.virtualKey, { kind: 'tool.call', upstream: server, tool }, ports.now());
  if (!decision.allow) return denied(decision.reason);
  const grant = caller.scope.grants.get(server);
  if (grant === undefined) return denied('upstream_not_granted');
  if (!isGranted(grant, 'tools', tool)) return denied('tool_not_granted');
  try {
    const ready = await findTool(ports, grant, invocation);
    return ready.ok ? await callUpstream(ports, grant, caller, invocation) : { outcome: ready };
  } catch (fault) {
    log('error', 'tool.call.failed', { request_id: caller.requestId, server, fault: describeFault(fault) });
    const text = `The gateway failed; its log names the fault under ${caller.requestId}.`;
    return { outcome: err(failure('internal_error', text)) };
  }
}

function denied(reason: string): Attempt {
  return { outcome: err(failure('tool_not_allowed', 'The key may not call this tool.')), denial: reason };
}

/** Fails when the upstream cannot be tried now, or does not have the tool. */
async function findTool(
  ports: ToolCallPorts,
  { upstream }: Grant,
  { tool }: ToolInvocation,
): Promise<Result<undefined, Failure>> {
  const view = await ports.upstreamViews.view(upstream, DISCOVERY_DEADLINE_MS);
  const unready = unavailable(upstream.name, view, ports.now());
  if (unready !== undefined) return err(unready);
  // Health fails open: an upstream nobody could ask yet is asked by the call itself.
  if (view.catalog === undefined || hasTool(view.catalog, upstream.name, tool)) return ok(undefined);
  // The upstream may have learnt it since it was last asked.
  if (ports.now() - (view.listedAt ?? view.catalog.at) > REFRESH_AFTER_MS) {
    const fresh = await ports.upstreamViews.refresh(upstream, DISCOVERY_DEADLINE_MS);
    if (hasTool(fresh.catalog, upstream.name, tool)) return ok(undefined);
  }
  return err(failure('not_found', 'The server has no such tool.'));
}

function hasTool(catalog: Catalog | undefined, upstream: string, tool: string): boolean {
  return catalog !== undefined && showCatalog(catalog, upstream, 'wire').byWireName.has(tool);
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

async function callUpstream(
  ports: ToolCallPorts,
  { upstream }: Grant,
  caller: ToolCaller,
  invocation: ToolInvocation,
): Promise<Attempt> {
  const { signal, arguments: given, meta, onProgress } = invocation;
  const startedAt = ports.now();
  const outcome = await ports.callUpstreamTool(upstream, caller.virtualKey.principal.keyId, {
    name: invocation.tool,
    signal,
    ...(given !== undefined && { arguments: given }),
    ...(meta !== undefined && { meta }),
    ...(onProgress !== undefined && { onProgress }),
  });
  const upstreamMs = ports.now() - startedAt;
  if (outcome.ok || outcome.error.answered !== undefined) {
    ports.upstreamViews.report(upstream, { ok: true, latencyMs: upstreamMs });
    return { outcome, upstreamMs };
  }
  // Says nothing about the upstream: it may have been about to answer.
  if (signal.aborted) return { outcome, upstreamMs, cancelled: true };
  const { stage, message, detail = message } = outcome.error;
  ports.upstreamViews.report(upstream, { ok: false, stage, message: detail });
  return { outcome, upstreamMs };
}

/** @returns whether the event is as safe as the operator asked for */
async function record(
  ports: ToolCallPorts,
  caller: ToolCaller,
  invocation: ToolInvocation,
  attempt: Attempt,
): Promise<boolean> {
  const { payer } = caller.virtualKey.principal;
  try {
    const event = await toolCallEvent(caller, invocation, attempt, ports.now());
    if (caller.settings.audit.durability.tool_calls === 'durable') await ports.recorder.durable(payer, event);
    else ports.recorder.batched(payer, event);
    return true;
  } catch (fault) {
    log('error', 'audit.event.lost', { request_id: caller.requestId, fault: describeFault(fault) });
    return false;
  }
}
