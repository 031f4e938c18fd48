// What the audit keeps of a tool call.
import { auditContent } from '../audit/content.ts';
import type { AuditEvent, AuditOutcome } from '../audit/event.ts';
import { newId } from '../lib/ids.ts';
import { NAME_LENGTH } from './limits.ts';
import type { Attempt, ToolCaller, ToolInvocation } from './tool-call.ts';

/** Under which names clients tell the model's id of the tool use. */
const TOOL_USE_ID_KEYS = ['claudecode/toolUseId', 'anthropic/toolUseId', 'anthropic.com/toolUseId', 'toolUseId'];

/** @param now milliseconds since the epoch, when the call was over */
export async function toolCallEvent(
  caller: ToolCaller,
  invocation: ToolInvocation,
  attempt: Attempt,
  now: number,
): Promise<AuditEvent> {
  const { principal } = caller.virtualKey;
  const result = attempt.outcome.ok ? attempt.outcome.value : undefined;
  const toolUseId = toolUseIdIn(invocation.meta);
  return {
    id: newId('evt', now),
    at: caller.receivedAt,
    kind: 'tool.call',
    ...verdictOf(attempt),
    request_id: caller.requestId,
    ...(caller.parentId !== undefined && { parent_id: caller.parentId }),
    key_id: principal.keyId,
    key_name: principal.keyName,
    ...(principal.team !== undefined && { team: principal.team }),
    ...(principal.customer !== undefined && { customer: principal.customer }),
    principal: `${principal.kind}:${principal.keyId}`,
    server: clip(invocation.upstream),
    tool: clip(invocation.tool),
    ...(caller.client !== undefined && { client: clip(caller.client) }),
    latency_ms: now - caller.receivedAt,
    ...(attempt.upstreamMs !== undefined && { upstream_ms: attempt.upstreamMs }),
    ...(invocation.requestBytes !== undefined && { request_bytes: invocation.requestBytes }),
    ...(result !== undefined && { response_bytes: new TextEncoder().encode(JSON.stringify(result)).byteLength }),
    ...(caller.tags !== undefined && { tags: caller.tags }),
    ...(toolUseId !== undefined && { tool_use_id: clip(toolUseId) }),
    ...(await auditContent(caller.settings.audit.content, { arguments: invocation.arguments, result })),
  };
}

function verdictOf(attempt: Attempt): { outcome: AuditOutcome; reason?: string } {
  if (attempt.denial !== undefined) return { outcome: 'denied', reason: attempt.denial };
  if (attempt.cancelled === true) return { outcome: 'cancelled', reason: 'client_cancelled' };
  if (!attempt.outcome.ok) return { outcome: 'error', reason: attempt.outcome.error.code };
  return attempt.outcome.value.isError === true ? { outcome: 'error', reason: 'tool_error' } : { outcome: 'ok' };
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
