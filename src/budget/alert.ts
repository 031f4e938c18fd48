// Which alerts are due: shares of a limit that its counter has reached, each once per period. Pure.
import { DAY_MS, HOUR_MS } from '../lib/time.ts';
import type { Limit } from './limits.ts';

/** How a counter stands right after charges were added to it. */
export interface CounterStanding {
  /** Settled within the window, what was added included. */
  readonly spent: number;
  /** What was added just now. */
  readonly added: number;
  /** When the present window began; of a rolling one, a period before now. */
  readonly windowStart: number;
  /** See `LimitStanding.resetsAt`. */
  readonly resetsAt?: number;
}

/** The last alert for one share of one amount. Another amount is another threshold. */
export interface FiredAlert {
  readonly share: number;
  /** Of the calendar the start of the window it was for; of a rolling window when it was given. */
  readonly since: number;
  /** Of a rolling window: the counter has been below the share in the meantime. */
  readonly rearmed: boolean;
}

export interface AlertDecision {
  /** Shares to alert for, ascending. */
  readonly due: readonly number[];
  /** Shares whose last alert is to be remembered as rearmed. */
  readonly rearmed: readonly number[];
  /** `FiredAlert.since` of those that are due. */
  readonly since: number;
}

/** Whether there may be anything to decide; what was fired need not be known for it. */
export function reachesAlert(limit: Limit, spent: number): boolean {
  return limit.window !== undefined && (limit.alertAt ?? []).some((share) => reaches(limit, spent, share));
}

/**
 * A share is alerted for once per calendar window. In a rolling window it is alerted for once, and again only when the
 * counter has been below it since and a period has passed.
 * @param fired the last alerts of this counter for this amount
 */
export function decideAlerts(
  limit: Limit,
  standing: CounterStanding,
  fired: readonly FiredAlert[],
  now: number,
): AlertDecision {
  const calendar = limit.window?.calendar === true;
  const { spent, added, windowStart } = standing;
  const due: number[] = [];
  const rearmed: number[] = [];
  for (const share of new Set(limit.alertAt?.toSorted((a, b) => a - b))) {
    if (!reaches(limit, spent, share)) break;
    const last = fired.find((alert) => alert.share === share);
    // What is spent only falls between two charges, so that a look at the moment before the second misses nothing.
    const wasBelow = last?.rearmed === true || !reaches(limit, spent - added, share);
    if (last === undefined) due.push(share);
    else if (calendar) {
      if (last.since !== windowStart) due.push(share);
    } else if (wasBelow) {
      // A clock that was set back must not silence an alert for longer than a period.
      if (Math.abs(now - last.since) >= now - windowStart) due.push(share);
      else if (!last.rearmed) rearmed.push(share);
    }
  }
  return { due, rearmed, since: calendar ? windowStart : now };
}

/** Divided, not multiplied: 0.55 of 100 is a little more than 55 in binary. */
function reaches({ amount }: Limit, spent: number, share: number): boolean {
  return spent / amount >= share;
}

const FIRST_RETRY_MS = 5_000;
const LAST_RETRY_MS = HOUR_MS;
const GIVE_UP_AFTER_MS = DAY_MS;

/**
 * How long to wait after an attempt that failed, twice as long each time; undefined when there is to be no other.
 * @param attempt 1 for the first
 * @param age milliseconds since the alert was due
 * @param askedFor milliseconds, by the receiver
 * @param jitter in [0, 1): of alerts that failed together
 */
export function retryDelay(
  attempt: number,
  { age, askedFor = 0, jitter }: { readonly age: number; readonly askedFor?: number; readonly jitter: number },
): number | undefined {
  const backoff = FIRST_RETRY_MS * 2 ** Math.min(attempt - 1, 20) * (1 + jitter / 10);
  const delay = Math.round(Math.min(Math.max(backoff, askedFor), LAST_RETRY_MS));
  return age + delay > GIVE_UP_AFTER_MS ? undefined : delay;
}
