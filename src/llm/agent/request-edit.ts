// Edits to a request in its own text: what is not edited keeps every character, numbers beyond a double's included.
import { scanJson, type JsonSpan } from '../../lib/json-scan.ts';
import { isObject } from '../../lib/json-value.ts';
import type { LlmRequestBody } from '../model-name.ts';

const encoder = new TextEncoder();

/** The body with the items at the end of a top-level list, which is made where there is none. */
export function withItems(body: LlmRequestBody, member: string, items: readonly unknown[]): LlmRequestBody {
  if (items.length === 0) return body;
  const { text } = body;
  const span = body.members.get(member);
  const current = valueOf(body, member);
  const added = items.map((item) => JSON.stringify(item)).join(',');
  if (span === undefined || !Array.isArray(current)) return withMember(body, member, items);
  const close = span.end - 1;
  const comma = current.length === 0 ? '' : ',';
  return edited(body, text.slice(0, close) + comma + added + text.slice(close), member, [...current, ...items]);
}

/** The body with one top-level member set. */
export function withMember(body: LlmRequestBody, member: string, value: unknown): LlmRequestBody {
  const { text } = body;
  const literal = JSON.stringify(value);
  const span: JsonSpan | undefined = body.members.get(member);
  if (span !== undefined)
    return edited(body, text.slice(0, span.start) + literal + text.slice(span.end), member, value);
  const close = text.lastIndexOf('}');
  const comma = body.members.size === 0 ? '' : ',';
  const set = `${comma}${JSON.stringify(member)}:${literal}`;
  return edited(body, text.slice(0, close) + set + text.slice(close), member, value);
}

function valueOf(body: LlmRequestBody, member: string): unknown {
  return isObject(body.value) ? body.value[member] : undefined;
}

function edited(body: LlmRequestBody, text: string, member: string, value: unknown): LlmRequestBody {
  return {
    text,
    value: { ...(isObject(body.value) ? body.value : {}), [member]: value },
    members: scanJson(text, 0).members,
    byteLength: encoder.encode(text).byteLength,
  };
}
