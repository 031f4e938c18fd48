// Spans of time over which limits count: `1m 1h 1d 1w 1M 1Y` and multiples.
import type { LimitWindow } from '../budget/limits.ts';
import { parsePeriod, periodMs } from '../budget/window.ts';

const LONGEST = { count: 10, unit: 'Y' } as const;

/** What is wrong with a period, in words; undefined where nothing is. */
export function periodProblem(text: string): string | undefined {
  const period = parsePeriod(text);
  if (period === undefined) return 'must be a period such as 1m, 1h, 1d, 1w, 1M or 1Y';
  if (period.count === 0) return 'must not be zero: over no time nothing can be counted';
  return periodMs(period) > periodMs(LONGEST) ? `must be at most ${LONGEST.count}${LONGEST.unit}` : undefined;
}

/** By the calendar a period has a beginning only where it is one unit. */
export function isCalendarPeriod(text: string): boolean {
  return /^1[mhdwMY]$/.test(text);
}

/** Equal for windows that are always the same span of time, however they are written. */
export function windowKey({ period: text, calendar }: LimitWindow): string {
  if (calendar) return `calendar ${text}`;
  const period = parsePeriod(text);
  return `rolling ${period === undefined ? text : periodMs(period)}`;
}
