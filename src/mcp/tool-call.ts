// One tool call from permission to record. Whoever calls tools, a client or a script in the sandbox, calls them here.
import type { CallToolResult } from '@modelcontextprotocol/server';
import { err, ok, type Result } from '../lib/result.ts';
import { describeFault, log } from '../lib/log.ts';
import type { JsonObject } from '../lib/json-value.ts';
import { authorize } from '../policy/authorize.ts';
import { failure, type Failure } from '../policy/failure.ts';
import type { SettingsDocument } from '../config/document.ts';
import type { VirtualKey } from '../policy/snapshot.ts';
import type { Recorder } from '../audit/recorder.ts';
import type { LimitPorts } from '../budget/admit.ts';
import type { Tags } from '../audit/tags.ts';
import { findByWireName } from './catalog.ts';
import { DISCOVERY_DEADLINE_MS, REFRESH_AFTER_MS } from './limits.ts';
import type { UpstreamLinks } from './links.ts';
import type { Catalog, UpstreamViews } from './ports.ts';
import { isGranted, type Grant, type Scope } from './scope.ts';
import { toolCallEvent } from './request-event.ts';
import { admitRequest, settleRequest, type Admitted } from './request-limits.ts';
import { isToolResult, NOT_A_TOOL_RESULT } from './upstream/relayed-result.ts';
import { failedHere, readyView, requestUpstream, type Attempt, type Hop, type RoundFailure } from './upstream-round.ts';

export interface ToolCallPorts extends LimitPorts {
  readonly waitUntil: (promise: Promise<unknown>) => void;
  readonly recorder: Recorder;
  readonly upstreamViews: UpstreamViews;
  /** For callers that bring none of their own. */
  readonly links: UpstreamLinks;
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
  /** Of a legacy client; tells its sessions apart and opens none. */
  readonly session?: string;
  readonly tags?: Tags;
  /** The audit event of which this call is a part. */
  readonly parentId?: string;
}

export interface ToolInvocation {
  readonly upstream: string;
  /** Wire name. */
  readonly tool: string;
  /** Absent stays absent on the wire. */
  readonly arguments?: JsonObject;
  /** The caller's `_meta`, without the keys that belong to its own hop (protocol envelope, progress token). */
  readonly meta?: JsonObject;
  /** Whatever else the caller says in its parameters. */
  readonly more?: JsonObject;
  /** Cancels the call at the upstream too. */
  readonly signal: AbortSignal;
  readonly requestBytes?: number;
  /** Of a client that speaks MCP itself. */
  readonly hop?: Hop;
}

/** `tool_not_allowed` and `not_found` are for the record: a caller must not be told which of the two it was. */
export type ToolCallFailure = RoundFailure;
/**
 * What a tool of 2026-07-28 answers instead of its result, `input_required` or a task, comes as it is and has no
 * `content`; its `resultType` tells.
 */
export type ToolCallOutcome = Result<CallToolResult, ToolCallFailure>;

export interface ToolInvoker {
  /** Resolves when the call is over and, as the operator asked, recorded. Every call leaves one audit event. */
  invoke(caller: ToolCaller, invocation: ToolInvocation): Promise<ToolCallOutcome>;
}

export interface ToolCallAttempt extends Attempt<CallToolResult> {
  /** Present once limits let the call pass. */
  readonly admitted?: Admitted;
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

const FAILED = 'tool.call.failed';

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

async function attemptCall(
  ports: ToolCallPorts,
  caller: ToolCaller,
  invocation: ToolInvocation,
): Promise<ToolCallAttempt> {
  const { upstream: server, tool } = invocation;
  const decision = authorize(caller.virtualKey, { kind: 'tool.call', upstream: server, tool }, ports.now());
  if (!decision.allow) return denied(decision.reason);
  const grant = caller.scope.grants.get(server);
  if (grant === undefined) return denied('upstream_not_granted');
  if (!isGranted(grant, 'tools', tool)) return denied('tool_not_granted');
  try {
    const ready = await findTool(ports, caller.scope, grant, invocation);
    if (!ready.ok) return { outcome: ready };
    const admitted = await admitRequest(ports, caller.virtualKey, grant.upstream, tool);
    if (!admitted.ok) return { outcome: admitted, denial: admitted.error.code };
    const startedAt = ports.now();
    const attempt = await callUpstream(ports, grant, caller, invocation).catch(
      // What failed here may have run there.
      (fault: unknown) => ({
        ...failedHere(FAILED, caller.requestId, server, fault),
        upstreamMs: ports.now() - startedAt,
      }),
    );
    return { ...attempt, admitted: admitted.value };
  } catch (fault) {
    return failedHere(FAILED, caller.requestId, server, fault);
  }
}

function denied(reason: string): ToolCallAttempt {
  return { outcome: err(failure('tool_not_allowed', 'The key may not call this tool.')), denial: reason };
}

/** Fails when the upstream cannot be tried now, or does not have the tool. */
async function findTool(
  ports: ToolCallPorts,
  { naming }: Scope,
  grant: Grant,
  { tool: name }: ToolInvocation,
): Promise<Result<undefined, Failure>> {
  const ready = await readyView(ports, grant.upstream);
  if (!ready.ok) return ready;
  const { catalog, listedAt } = ready.value;
  const isIn = (found: Catalog | undefined): boolean =>
    found !== undefined && findByWireName('tools', found, grant, { naming, name }) !== undefined;
  if (isIn(catalog)) return ok(undefined);
  const { name: server, trust, scan } = grant.upstream;
  if (catalog === undefined && (trust === 'pinned' || scan === 'block')) {
    // Trust fails closed: without a catalog nothing says that the tool is not withheld.
    const text = `The tools of the server "${server}" are not known yet; try again in a moment.`;
    return err(failure('upstream_unavailable', text, { retryAfterSeconds: 1 }));
  }
  // Health fails open: an upstream nobody could ask yet is asked by the call itself. What a request narrows itself to
  // cannot be told without a catalog.
  if (catalog === undefined && grant.shownTools === undefined) return ok(undefined);
  // The upstream may have learnt it since it was last asked.
  if (catalog !== undefined && ports.now() - (listedAt ?? catalog.at) > REFRESH_AFTER_MS) {
    const fresh = await ports.upstreamViews.refresh(grant.upstream, DISCOVERY_DEADLINE_MS);
    if (isIn(fresh.catalog)) return ok(undefined);
  }
  return err(failure('not_found', 'The server has no such tool.'));
}

async function callUpstream(
  ports: ToolCallPorts,
  { upstream }: Grant,
  caller: ToolCaller,
  invocation: ToolInvocation,
): Promise<ToolCallAttempt> {
  const { arguments: given, meta, more, signal } = invocation;
  const principal = caller.virtualKey.principal.keyId;
  const round = {
    method: 'tools/call',
    params: {
      ...more,
      name: invocation.tool,
      ...(given !== undefined && { arguments: given }),
      ...(meta !== undefined && { _meta: meta }),
    },
    signal,
    principal,
  };
  const hop = invocation.hop ?? { links: ports.links, wantsProgress: false };
  const { outcome, ...attempt } = await requestUpstream(ports, upstream, round, hop);
  if (!outcome.ok) return { ...attempt, outcome };
  const { value } = outcome;
  if (isToolResult(value) || isUnfinished(value)) return { ...attempt, outcome: ok(value) };
  const text = `upstream "${upstream.name}" answered with what ${NOT_A_TOOL_RESULT}`;
  ports.upstreamViews.report(upstream, { ok: false, stage: 'call', message: text });
  return { ...attempt, outcome: err(failure('upstream_error', text)) };
}

/** In place of a result: a request for input (2026-07-28), or a task that will have it (of either generation). */
function isUnfinished(value: JsonObject): value is JsonObject & CallToolResult {
  const { resultType, task } = value;
  return (typeof resultType === 'string' && resultType !== 'complete') || (typeof task === 'object' && task !== null);
}

/** @returns whether the event is as safe as the operator asked for */
async function record(
  ports: ToolCallPorts,
  caller: ToolCaller,
  invocation: ToolInvocation,
  attempt: ToolCallAttempt,
): Promise<boolean> {
  const { payer } = caller.virtualKey.principal;
  try {
    const { charges, cost } = attempt.admitted === undefined ? {} : settleRequest(attempt.admitted, attempt);
    const event = await toolCallEvent(caller, invocation, { ...attempt, cost }, ports.now());
    if (caller.settings.audit.durability.tool_calls === 'durable') await ports.recorder.durable(payer, event, charges);
    else ports.recorder.batched(payer, event, charges);
    return true;
  } catch (fault) {
    log('error', 'audit.event.lost', { request_id: caller.requestId, fault: describeFault(fault) });
    return false;
  }
}
