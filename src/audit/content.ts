// What of a call's arguments and result goes onto its audit event: the operator's `audit.content`.
import { canonicalJson } from '../lib/canonical-json.ts';
import type { AuditEvent } from './event.ts';
import { redact } from './redact.ts';

export type AuditContentPolicy = 'none' | 'hash' | 'redacted' | 'full';

/** Of the kept text of either; a longer one is replaced by its beginning and a notice. */
export const MAX_CONTENT_LENGTH = 65_536;
const KEPT_BEGINNING = 8_192;

export interface CallContent {
  readonly arguments?: unknown;
  readonly result?: unknown;
}

/** SHA-256 in hex over the canonical JSON of the arguments, and, where the policy asks for it, both as JSON text. */
export async function auditContent(
  policy: AuditContentPolicy,
  content: CallContent,
): Promise<Pick<AuditEvent, 'args_sha256' | 'arguments' | 'result'>> {
  if (policy === 'none') return {};
  const digest = content.arguments === undefined ? undefined : await hashArguments(content.arguments);
  return {
    ...(digest !== undefined && { args_sha256: digest }),
    ...(policy !== 'hash' && keptContent(policy, content)),
  };
}

function keptContent(policy: 'redacted' | 'full', content: CallContent): Pick<AuditEvent, 'arguments' | 'result'> {
  const text = (value: unknown): string => keptText(policy === 'redacted' ? redact(value) : value);
  return {
    ...(content.arguments !== undefined && { arguments: text(content.arguments) }),
    ...(content.result !== undefined && { result: text(content.result) }),
  };
}

function keptText(value: unknown): string {
  const text = JSON.stringify(value);
  if (text.length <= MAX_CONTENT_LENGTH) return text;
  const notice = `cut: ${text.length} characters, more than the ${MAX_CONTENT_LENGTH} that are kept`;
  return JSON.stringify({ notice, begins: text.slice(0, KEPT_BEGINNING) });
}

/** Nothing for arguments nested past the stack: they are no reason to fail the call, and none would be searched for. */
async function hashArguments(value: unknown): Promise<string | undefined> {
  let text: string;
  try {
    text = canonicalJson(value);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
