// The only converter between an upstream's wire names and the qualified names shown where several upstreams share one
// list, for tools and prompts alike. A qualified name is `<server>__<name>`; upstream names hold no underscore, so the first `__` parts the two.

/** What every model provider accepts as a tool name. */
const MAX_LENGTH = 64;
const SEPARATOR = '__';
const INVALID_CHARACTER = /[^a-zA-Z0-9_-]/g;
const HASH_LENGTH = 8;
const HASH_MARK = '--';
/** Reserved for shortened and mended names: a wire name that ends like this is given a hash of its own. */
const HASHED = /--[0-9a-z]{8}$/;
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/** Qualified name → wire name, for the tools or the prompts of one upstream. */
export type QualifiedNames = ReadonlyMap<string, string>;

/**
 * Names each item. A name depends on the upstream and the wire name alone, so that it stays when other items come and
 * go: whatever cannot be shown as it is ends in a hash. Two wire names with one hash are told apart in their own order,
 * not in that of the list.
 */
export function qualifyNames(upstream: string, wireNames: Iterable<string>): QualifiedNames {
  const names = new Map<string, string>();
  for (const wireName of [...new Set(wireNames)].toSorted()) {
    let attempt = 0;
    let name = qualify(upstream, wireName, attempt);
    while (names.has(name)) name = qualify(upstream, wireName, ++attempt);
    names.set(name, wireName);
  }
  return names;
}

export interface QualifiedName {
  readonly upstream: string;
  /** Absent when only the upstream's catalog can tell, because the name ends in a hash. */
  readonly wireName?: string;
}

export function parseQualifiedName(name: string): QualifiedName | undefined {
  const at = name.indexOf(SEPARATOR);
  if (at <= 0) return undefined;
  const upstream = name.slice(0, at);
  const shown = name.slice(at + SEPARATOR.length);
  return HASHED.test(shown) ? { upstream } : { upstream, wireName: shown };
}

/** What all qualified names of an upstream begin with; no prefix of one upstream begins that of another. */
export function namePrefix(upstream: string): string {
  return `${upstream}${SEPARATOR}`;
}

function qualify(upstream: string, wireName: string, attempt: number): string {
  const prefix = namePrefix(upstream);
  const mended = wireName.replace(INVALID_CHARACTER, '_');
  const fits = prefix.length + mended.length <= MAX_LENGTH;
  if (mended === wireName && mended !== '' && fits && !HASHED.test(mended)) return prefix + mended;
  const room = MAX_LENGTH - prefix.length - HASH_MARK.length - HASH_LENGTH;
  return prefix + mended.slice(0, room) + HASH_MARK + stableHash(`${upstream}\n${wireName}\n${attempt}`);
}

/** 40 bits in base 32. It keeps names apart, and nothing secret depends on it. */
function stableHash(text: string): string {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    high = Math.imul(high ^ unit, 2654435761);
    low = Math.imul(low ^ unit, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  let hash = '';
  for (let character = 0; character < HASH_LENGTH / 2; character++) {
    hash += ALPHABET.charAt((high >>> (character * 5)) & 31) + ALPHABET.charAt((low >>> (character * 5)) & 31);
  }
  return hash;
}
