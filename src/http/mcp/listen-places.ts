// How many subscriptions each key holds open in this isolate. Plain data, and each place is held by showing signs of
// life: a connection that ends without a word takes its place with it.

const MOST_PER_KEY = 1_024;
/** Longer than any of those who hold a place stays silent. */
const LOST_MS = 30_000;

const places = new Map<string, Map<symbol, number>>();

export interface ListenPlace {
  keep(now: number): void;
  leave(): void;
}

/** @returns undefined when the key has all its places taken */
export function takeListenPlace(keyId: string, now: number): ListenPlace | undefined {
  const taken = places.get(keyId) ?? new Map<symbol, number>();
  if (taken.size >= MOST_PER_KEY) {
    for (const [place, keptAt] of taken) if (now - keptAt > LOST_MS) taken.delete(place);
  }
  if (taken.size >= MOST_PER_KEY) return undefined;
  const place = Symbol('listen');
  taken.set(place, now);
  places.set(keyId, taken);
  return {
    keep: (at) => void taken.set(place, at),
    leave: () => {
      taken.delete(place);
      if (taken.size === 0 && places.get(keyId) === taken) places.delete(keyId);
    },
  };
}
