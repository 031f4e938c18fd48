// What of a tool's definition is vouched for: all that a model reads or is bound by.
import { canonicalJson } from '../lib/canonical-json.ts';
import { sha256 } from '../lib/sha256.ts';

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
export function definitionHash(canonical: string): Promise<string> {
  return sha256(canonical);
}

/** @throws RangeError when it is nested so deeply that the stack ends */
export function canonicalDefinition(tool: { readonly name: string }): string {
  return canonicalJson(pinnedPart(tool));
}
