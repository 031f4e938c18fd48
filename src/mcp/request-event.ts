// What the audit keeps of a client's request that reached, or was to reach, an upstream.
import type { CallToolResult } from '@modelcontextprotocol/server';
import { auditContent, type CallContent } from '../audit/content.ts';
import type { AuditEvent, AuditOutcome } from '../audit/event.ts';
import type { NanoUsd } from '../budget/money.ts';
import { newId } from '../lib/ids.ts';
import { NAME_LENGTH } from './limits.ts';
import type { ToolCaller, ToolInvocation } from './tool-call.ts';
import type { Attempt } from './upstream-round.ts';

/** Under which names clients tell the model's id of the tool use. */
const TOOL_USE_ID_KEYS = ['claudecode/toolUseId', 'anthropic/toolUseId', 'anthropic.com/toolUseId', 'toolUseId'];

/** @param now milliseconds since the epoch, when the call was over */
export async function toolCallEvent(
  caller: ToolCaller,
  invocation: ToolInvocation,
  attempt: Attempt<CallToolResult> & { readonly cost?: NanoUsd | undefined },
  now: number,
): Promise<AuditEvent> {
  const toolUseId = toolUseIdIn(invocation.meta);
  const { outcome } = attempt;
  const failedTool = outcome.ok && outcome.value.isError === true;
  return {
    ...(await requestEvent(caller, attempt, { arguments: invocation.arguments }, now)),
    kind: 'tool.call',
    ...(failedTool && { outcome: 'error', reason: 'tool_error' }),
    server: clip(invocation.upstream),
    tool: clip(invocation.tool),
    ...(attempt.cost !== undefined && { cost_nano_usd: attempt.cost }),
    ...(invocation.requestBytes !== undefined && { request_bytes: invocation.requestBytes }),
    ...(toolUseId !== undefined && { tool_use_id: clip(toolUseId) }),
  };
}

export interface RelayedSubject {
  readonly kind: 'resource.read' | 'prompt.get' | 'extension.call';
  /** Empty where the request names no server that the caller may know. */
  readonly upstream: string;
  /** URI, prompt or method, as the upstream knows it. */
  readonly subject: string;
  readonly arguments?: unknown;
  readonly requestBytes: number;
}

/** @param now milliseconds since the epoch, when the request was over */
export async function relayedEvent(
  caller: ToolCaller,
  { kind, upstream, subject, arguments: given, requestBytes }: RelayedSubject,
  attempt: Attempt,
  now: number,
): Promise<AuditEvent> {
  return {
    ...(await requestEvent(caller, attempt, { arguments: given }, now)),
    kind,
    ...(upstream !== '' && { server: clip(upstream) }),
    subject: clip(subject),
    request_bytes: requestBytes,
  };
}

async function requestEvent(
  caller: ToolCaller,
  attempt: Attempt<object>,
  content: CallContent,
  now: number,
): Promise<Omit<AuditEvent, 'kind'>> {
  const { principal } = caller.virtualKey;
  const result = attempt.outcome.ok ? attempt.outcome.value : undefined;
  return {
    id: newId('evt', now),
    at: caller.receivedAt,
    ...verdictOf(attempt),
    request_id: caller.requestId,
    ...(caller.parentId !== undefined && { parent_id: caller.parentId }),
    key_id: principal.keyId,
    key_name: principal.keyName,
    ...(principal.team !== undefined && { team: principal.team }),
    ...(principal.customer !== undefined && { customer: principal.customer }),
    principal: `${principal.kind}:${principal.keyId}`,
    ...(caller.session !== undefined && { session: caller.session }),
    ...(caller.client !== undefined && { client: clip(caller.client) }),
    latency_ms: now - caller.receivedAt,
    ...(attempt.upstreamMs !== undefined && { upstream_ms: attempt.upstreamMs }),
    ...(result !== undefined && { response_bytes: new TextEncoder().encode(JSON.stringify(result)).byteLength }),
    ...(caller.tags !== undefined && { tags: caller.tags }),
    ...(await auditContent(caller.settings.audit.content, { ...content, result })),
  };
}

function verdictOf(attempt: Attempt<object>): { outcome: AuditOutcome; reason?: string } {
  if (attempt.denial !== undefined) return { outcome: 'denied', reason: attempt.denial };
  if (attempt.cancelled === true) return { outcome: 'cancelled', reason: 'client_cancelled' };
  if (!attempt.outcome.ok) return { outcome: 'error', reason: attempt.outcome.error.code };
  const { value } = attempt.outcome;
  // The client comes again with what it was asked for, and then the call has an event of its own.
  const unfinished = 'resultType' in value && value.resultType === 'input_required';
  return unfinished ? { outcome: 'ok', reason: 'input_required' } : { outcome: 'ok' };
}

function toolUseIdIn(meta: ToolInvocation['meta']): string | undefined {
  for (const key of TOOL_USE_ID_KEYS) {
    const value = meta?.[key];
    if (typeof value === 'string') return value;
  }
  return undefined;
}

function clip(text: string): string {
  return text.slice(0, NAME_LENGTH);
}
