// What of a tool's definition is vouched for: all that a model reads or is bound by.
import { encodeBase64Url } from '../lib/base64url.ts';
import { canonicalJson } from '../lib/canonical-json.ts';

const PINNED_MEMBERS = ['name', 'title', 'description', 'inputSchema', 'outputSchema', 'annotations'] as const;

/** A tool as its server lists it; every member but the name is of whatever shape. */
export interface ToolDefinition {
  readonly name: string;
  readonly [member: string]: unknown;
}

/** The pinned members alone, absent ones left out. */
export function pinnedPart(tool: { readonly name: string }): ToolDefinition {
  const members = PINNED_MEMBERS.map((member) => [member, (tool as ToolDefinition)[member]] as const);
  return { ...Object.fromEntries(members.filter(([, value]) => value !== undefined)), name: tool.name };
}

/** SHA-256 of the canonical JSON (RFC 8785) of the pinned part, base64url. */
export async function definitionHash(canonical: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(canonical));
  return encodeBase64Url(new Uint8Array(digest));
}

/** @throws RangeError when it is nested so deeply that the stack ends */
export function canonicalDefinition(tool: { readonly name: string }): string {
  return canonicalJson(pinnedPart(tool));
}
