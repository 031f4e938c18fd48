import type { NamePatterns } from './snapshot.ts';

/** Exact names, `*` for every name, or a trailing `*` for a prefix; case counts. No pattern matches nothing. */
export function matchesAny(patterns: NamePatterns, name: string): boolean {
  return patterns.some((pattern) => matches(pattern, name));
}

function matches(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name;
}

/** The one that says most of a name: the name itself, else the longest prefix. */
export function mostSpecific(patterns: Iterable<string>, name: string): string | undefined {
  let best: string | undefined;
  for (const pattern of patterns) {
    if (pattern === name) return pattern;
    if (matches(pattern, name) && pattern.length > (best?.length ?? 0)) best = pattern;
  }
  return best;
}

/** The patterns that allow what either list allows; `*` swallows the others. */
export function unitePatterns(left: NamePatterns, right: NamePatterns): NamePatterns {
  const united = new Set([...left, ...right]);
  return united.has('*') ? ['*'] : [...united];
}
