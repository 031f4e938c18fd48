// Stops calling a server that keeps failing, and finds out gently when it is back.
import { backoffDelay } from './backoff.ts';

export interface Breaker {
  readonly state: 'closed' | 'open' | 'half_open';
  /** Failures in a row. */
  readonly failures: number;
  /** When open: from when a call may try again; milliseconds since the epoch. */
  readonly retryAt: number;
}

/** `tick` lets time pass; `jitter` as in `backoffDelay`. */
export type BreakerEvent =
  | { readonly kind: 'success' }
  | { readonly kind: 'failure'; readonly jitter: number }
  | { readonly kind: 'tick' };

export const closedBreaker: Breaker = { state: 'closed', failures: 0, retryAt: 0 };
export const FAILURES_TO_OPEN = 3;
const OPEN = { baseMs: 5_000, maxMs: 300_000 };

/**
 * closed → open after `FAILURES_TO_OPEN` failures in a row → half_open when its time has passed → closed by a success,
 * open again and for longer by a failure. A success closes it from any state.
 */
export function transition(breaker: Breaker, event: BreakerEvent, now: number): Breaker {
  if (event.kind === 'success') return closedBreaker;
  const { state, failures, retryAt } = breaker;
  if (event.kind === 'tick') return state === 'open' && now >= retryAt ? { ...breaker, state: 'half_open' } : breaker;
  const inARow = failures + 1;
  if (inARow < FAILURES_TO_OPEN) return { state: 'closed', failures: inARow, retryAt: 0 };
  // Calls that began before it opened still fail now and tell nothing new: only a trial's failure prolongs.
  if (state === 'open' && now < retryAt) return { ...breaker, failures: inARow };
  const openings = inARow - FAILURES_TO_OPEN + 1;
  return { state: 'open', failures: inARow, retryAt: now + backoffDelay(openings, event.jitter, OPEN) };
}
