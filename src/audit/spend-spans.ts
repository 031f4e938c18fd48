// Spend is summed by hour, by day and by month (UTC): a stretch of time is read from the largest spans that fill it. Pure.
import { DAY_MS, HOUR_MS, monthOf } from '../lib/time.ts';

export const SPEND_BUCKETS = ['hour', 'day', 'week', 'month'] as const;
export type SpendBucket = (typeof SPEND_BUCKETS)[number];

export interface SpendSpan {
  readonly span: 'hour' | 'day' | 'month';
  /** Milliseconds since the epoch. */
  readonly start: number;
}

const HOURS_KEPT_MS = 92 * DAY_MS;
/** Three years and the month that is under way. */
const MONTHS_KEPT = 36;

/** How long a time may be read in buckets at once: a busy gateway has thousands of sums for each span. */
export const LONGEST_RANGE_DAYS: Readonly<Record<SpendBucket, number>> = {
  hour: 14,
  day: 366,
  week: 366,
  month: Infinity,
};

/** The beginning of the first day whose hours are kept. @param now milliseconds since the epoch */
export function hoursKeptFrom(now: number): number {
  return Math.floor((now - HOURS_KEPT_MS) / DAY_MS) * DAY_MS;
}

/** The beginning of the first month of which anything is kept. */
export function keptFrom(now: number): number {
  return monthOf(now, -MONTHS_KEPT);
}

/**
 * Spans that together are exactly the time from `from` to `to`, none wider than the bucket.
 * @param from beginning of an hour, milliseconds since the epoch
 * @param to likewise
 */
export function spansOf(from: number, to: number, bucket?: SpendBucket): SpendSpan[] {
  const spans: SpendSpan[] = [];
  const mayBeMonth = bucket === undefined || bucket === 'month';
  for (let start = from; start < to;) {
    const nextMonth = monthOf(start, 1);
    if (mayBeMonth && start === monthOf(start, 0) && nextMonth <= to) {
      spans.push({ span: 'month', start });
      start = nextMonth;
    } else if (bucket !== 'hour' && start % DAY_MS === 0 && start + DAY_MS <= to) {
      spans.push({ span: 'day', start });
      start += DAY_MS;
    } else {
      spans.push({ span: 'hour', start });
      start += HOUR_MS;
    }
  }
  return spans;
}
