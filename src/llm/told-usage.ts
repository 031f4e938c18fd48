// From the counts that a provider told to a usage that can be true. What cannot be true is unknown, and the rest is then a
// lower bound: a count is never made up, never negative, and never zero by mistake.
import type { Usage } from '../budget/usage.ts';

type Name = {
  [member in keyof Usage]-?: NonNullable<Usage[member]> extends number ? member : never;
}[keyof Usage];
type Counts = { [name in Name]?: number };

/** As the provider has them; null and undefined were not told. */
export type ToldCounts = { readonly [name in Name]?: unknown };

/** More than any answer has; a provider that reports it is broken. */
const MAX_COUNT = 1e12;

/** Parts that do not overlap each other: together they are at most the whole. */
const PARTITIONS: readonly { readonly whole: Name; readonly parts: readonly Name[] }[] = [
  { whole: 'inputTokens', parts: ['cacheReadTokens', 'cacheWriteTokens'] },
  { whole: 'inputTokens', parts: ['inputAudioTokens', 'inputImageTokens', 'inputVideoTokens'] },
  { whole: 'cacheReadTokens', parts: ['cacheReadAudioTokens', 'cacheReadImageTokens'] },
  { whole: 'cacheWriteTokens', parts: ['cacheWrite1hTokens'] },
  { whole: 'outputTokens', parts: ['reasoningTokens', 'outputAudioTokens', 'outputImageTokens'] },
];
const INPUT: readonly Name[] = [
  'inputTokens',
  'cacheReadTokens',
  'cacheWriteTokens',
  'cacheWrite1hTokens',
  'inputAudioTokens',
  'inputImageTokens',
  'inputVideoTokens',
  'cacheReadAudioTokens',
  'cacheReadImageTokens',
];
const OUTPUT: readonly Name[] = ['outputTokens', 'reasoningTokens', 'outputAudioTokens', 'outputImageTokens'];

export interface Answered {
  /** Whether the provider has said all that it has to say of the usage. */
  readonly isFinal: boolean;
  /** Pieces seen of what was generated: each is at least one token. */
  readonly pieces: number;
  /** Embeddings generate nothing. */
  readonly hasOutput: boolean;
  readonly terms?: readonly string[];
  readonly hasOtherCharges?: boolean;
}

export function believableUsage(
  told: ToldCounts,
  { isFinal, pieces, hasOutput, terms = [], hasOtherCharges = false }: Answered,
): Usage {
  const counts: Counts = {};
  let isCertain = isFinal;
  for (const name of Object.keys(told) as Name[]) {
    const value = told[name];
    if (value === undefined || value === null) continue;
    if (isCount(value)) counts[name] = value;
    else isCertain = false;
  }
  if (!isConsistent(counts, INPUT)) drop(counts, INPUT);
  if (!hasOutput || !isConsistent(counts, OUTPUT)) drop(counts, OUTPUT);
  // A request has tokens, and so has an answer that says something.
  if (counts.inputTokens === 0) drop(counts, INPUT);
  if (counts.outputTokens === 0 && pieces > 0) drop(counts, OUTPUT);
  if (counts.inputTokens === undefined || (hasOutput && counts.outputTokens === undefined)) isCertain = false;
  if (pieces > 0 && (counts.outputTokens === undefined || !isFinal))
    counts.outputTokens = Math.max(counts.outputTokens ?? 0, pieces);
  return {
    ...counts,
    ...(terms.length > 0 && { terms }),
    ...(hasOtherCharges && { hasOtherCharges }),
    certainty: isCertain ? 'exact' : 'lower_bound',
  };
}

/** The terms that were named, under the kind they are of. */
export function termsOf(named: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(named).flatMap(([kind, value]) =>
    typeof value === 'string' && value !== '' ? [`${kind}:${value.slice(0, 50).toLowerCase()}`] : [],
  );
}

export function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= MAX_COUNT;
}

function isConsistent(counts: Counts, group: readonly Name[]): boolean {
  return PARTITIONS.every(({ whole, parts }) => {
    if (!group.includes(whole)) return true;
    const sum = parts.reduce((total, part) => total + (counts[part] ?? 0), 0);
    return sum <= (counts[whole] ?? 0);
  });
}

function drop(counts: Counts, names: readonly Name[]): void {
  for (const name of names) delete counts[name];
}
