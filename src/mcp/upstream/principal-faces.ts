// The kinds of clients that each principal has, told apart by what they can be asked. Each needs an object and sessions
// of its own, and it is the client that says what kind it is: they have to be few. Plain data of this isolate.

/** More than anybody uses. */
const MOST_FACES = 32;
/** As long as the sessions at legacy servers are kept unused. */
const FORGOTTEN_MS = 30 * 60_000;

/** When each was last used, by digest, by principal. */
const faces = new Map<string, Map<string, number>>();

/** @returns whether the principal may have a client of this kind too */
export function admitFace(principal: string, digest: string, now: number): boolean {
  const known = faces.get(principal) ?? new Map<string, number>();
  faces.set(principal, known);
  if (!known.has(digest) && known.size >= MOST_FACES) {
    for (const [one, usedAt] of known) if (now - usedAt > FORGOTTEN_MS) known.delete(one);
    if (known.size >= MOST_FACES) return false;
  }
  known.set(digest, now);
  return true;
}
