// A listing as it is handed to whoever keeps the pins: every definition with its hash and what the scanner says of it.
import { canonicalDefinition, definitionHash } from './definition.ts';
import { excerptAround } from './excerpt.ts';
import type { Finding } from './finding.ts';
import { nameScanner, type ToolNames } from './name-rules.ts';
import { scanDefinition } from './scan.ts';
import type { TrustPolicy } from './standing.ts';

/** Of one tool, as JSON. A larger one is of use to no model, and fits no row. */
const MAX_TOOL_BYTES = 1_000_000;
/** Of a whole listing the scanner reads so much; it holds up every other request meanwhile. */
const MAX_SCANNED = 4_000_000;
const MAX_REMEMBERED = 5_000;

export interface Vetted {
  readonly hash: string;
  readonly findings: readonly Finding[];
}

/** What is found out of a listing's tools. */
export interface Vetting extends TrustPolicy {
  /** One for each tool of the listing, in its order. */
  readonly definitions: readonly Vetted[];
}

export interface VettedTools<T> {
  readonly tools: readonly T[];
  readonly vetting: Vetting;
  /** What was left out, for the operator to read. */
  readonly note?: string;
}

/** What the scanner said before, by hash; a cache, which may be emptied at any time. */
export type Scanned = Map<string, readonly Finding[]>;

export async function vetTools<T extends { readonly name: string }>(
  listed: readonly T[],
  policy: TrustPolicy,
  others: ToolNames,
  scanned: Scanned,
): Promise<VettedTools<T>> {
  const findNames = nameScanner(others);
  const tools: T[] = [];
  const definitions: Vetted[] = [];
  let read = 0;
  for (const tool of listed) {
    if (new TextEncoder().encode(JSON.stringify(tool)).byteLength > MAX_TOOL_BYTES) continue;
    const canonical = canonicalDefinition(tool);
    read += canonical.length;
    const hash = await definitionHash(canonical);
    const findings = policy.scan === 'off' ? [] : [...findNames(tool.name), ...scanOnce(tool, hash, read, scanned)];
    tools.push(tool);
    definitions.push({ hash, findings });
  }
  const vetting = { ...policy, definitions };
  const left = listed.length - tools.length;
  if (left === 0) return { tools, vetting };
  const note = `${left} of its tools ${left === 1 ? 'is' : 'are'} left out: larger than ${MAX_TOOL_BYTES / 1e6} MB`;
  return { tools, vetting, note };
}

function scanOnce(tool: { readonly name: string }, hash: string, read: number, scanned: Scanned): readonly Finding[] {
  const known = scanned.get(hash);
  if (known !== undefined) return known;
  if (read > MAX_SCANNED) {
    const excerpt = 'the list of tools is too long to be read whole';
    return [{ rule: 'unread', severity: 'high', tool: excerptAround(tool.name), where: '', excerpt }];
  }
  const findings = scanDefinition(tool);
  if (scanned.size >= MAX_REMEMBERED) scanned.clear();
  scanned.set(hash, findings);
  return findings;
}
