// A listing as it is handed to whoever keeps the pins: every definition with its hash and what the scanner says of it.
import { canonicalDefinition, definitionHash } from './definition.ts';
import { excerptAround } from './excerpt.ts';
import type { Finding } from './finding.ts';
import { nameScanner, type ToolNames } from './name-rules.ts';
import { scanDefinition } from './scan.ts';
import type { TrustPolicy } from './standing.ts';

/** Of a whole listing the scanner reads so many characters; it holds up every other request meanwhile. */
const MAX_SCANNED = 4_000_000;
/** Of a whole listing; past it each definition keeps its gravest one. */
const MAX_FINDINGS = 2_000;
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

/** What the scanner said before, by hash; a cache, which may be emptied at any time. */
export type Scanned = Map<string, readonly Finding[]>;

export async function vetTools(
  tools: readonly { readonly name: string }[],
  policy: TrustPolicy,
  others: ToolNames,
  scanned: Scanned,
): Promise<Vetting> {
  const findNames = nameScanner(others);
  const definitions: Vetted[] = [];
  let read = 0;
  let told = 0;
  for (const tool of tools) {
    const canonical = canonicalDefinition(tool);
    read += canonical.length;
    const hash = await definitionHash(canonical);
    const findings = policy.scan === 'off' ? [] : [...findNames(tool.name), ...scanOnce(tool, hash, read, scanned)];
    definitions.push({ hash, findings: told > MAX_FINDINGS ? gravest(findings) : findings });
    told += findings.length;
  }
  return { ...policy, definitions };
}

function gravest(findings: readonly Finding[]): Finding[] {
  const [first] = [...findings.filter(({ severity }) => severity === 'high'), ...findings];
  return first === undefined ? [] : [first];
}

function scanOnce(tool: { readonly name: string }, hash: string, read: number, scanned: Scanned): readonly Finding[] {
  if (read > MAX_SCANNED) {
    const excerpt = 'the list of tools is too long to be read whole';
    return [{ rule: 'unread', severity: 'high', tool: excerptAround(tool.name), where: '', excerpt }];
  }
  const known = scanned.get(hash);
  if (known !== undefined) return known;
  const findings = scanDefinition(tool);
  if (scanned.size >= MAX_REMEMBERED) scanned.clear();
  scanned.set(hash, findings);
  return findings;
}
