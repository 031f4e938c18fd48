export interface BackoffSettings {
  readonly baseMs: number;
  readonly maxMs: number;
}

/**
 * Milliseconds to wait after the `failures`-th failure in a row (from 1): doubling from the base to the maximum, of
 * which at least half is kept.
 * @param jitter from 0 up to, not including, 1; spreads those who failed together
 */
export function backoffDelay(failures: number, jitter: number, { baseMs, maxMs }: BackoffSettings): number {
  // Past 2^30 doublings mean nothing, and a shift would overflow.
  const doubled = baseMs * 2 ** Math.min(Math.max(failures - 1, 0), 30);
  const full = Math.min(doubled, Math.max(maxMs, baseMs));
  return Math.round(full * (0.5 + jitter / 2));
}
