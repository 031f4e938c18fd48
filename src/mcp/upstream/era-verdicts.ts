// Servers of 2026-07-28 that lately refused the old handshake: plain data of the isolate, by fingerprint.

/** A server may be given the other era at any time. */
const KEPT_MS = 24 * 3_600_000;
const MOST = 10_000;
const refusedAt = new Map<string, number>();

export function refusedLegacy(fingerprint: string, now: number): boolean {
  const at = refusedAt.get(fingerprint);
  return at !== undefined && now - at < KEPT_MS;
}

export function noteLegacyRefused(fingerprint: string, now: number): void {
  refusedAt.delete(fingerprint);
  refusedAt.set(fingerprint, now);
  const [oldest] = refusedAt.keys();
  if (refusedAt.size > MOST && oldest !== undefined) refusedAt.delete(oldest);
}

export function forgetVerdict(fingerprint: string): void {
  refusedAt.delete(fingerprint);
}
