// When the next probe is due.
import { backoffDelay } from './backoff.ts';

const MOST_BACKOFF_MS = 300_000;

export interface ProbeRhythm {
  readonly intervalMs: number;
  /** Unused for this long, an upstream is left alone. */
  readonly idleAfterMs: number;
  readonly disabled: boolean;
}

/**
 * Milliseconds since the epoch, or undefined when probing sleeps. Every `intervalMs` while well, in growing steps of up
 * to five minutes while failing.
 * @param jitter as in `backoffDelay`
 */
export function nextProbeAt(
  rhythm: ProbeRhythm,
  { lastUsedAt, failures }: { readonly lastUsedAt: number; readonly failures: number },
  now: number,
  jitter: number,
): number | undefined {
  if (rhythm.disabled || now - lastUsedAt >= rhythm.idleAfterMs) return undefined;
  if (failures === 0) return now + rhythm.intervalMs;
  return now + backoffDelay(failures, jitter, { baseMs: rhythm.intervalMs, maxMs: MOST_BACKOFF_MS });
}
