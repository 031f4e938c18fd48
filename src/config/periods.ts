// Spans of time over which limits count: `1m 1h 1d 1w 1M 1Y` and multiples.
import type { LimitWindow } from '../budget/limits.ts';

const FORM = /^([0-9]{1,4})([mhdwMY])$/;
const UNIT_MINUTES: Readonly<Record<string, number>> = {
  m: 1,
  h: 60,
  d: 1440,
  w: 7 * 1440,
  M: 30 * 1440,
  Y: 365 * 1440,
};
const MAX_MINUTES = 10 * 365 * 1440;

/** What is wrong with a period, in words; undefined where nothing is. */
export function periodProblem(period: string): string | undefined {
  const minutes = rollingMinutes(period);
  if (minutes === undefined) return 'must be a period such as 1m, 1h, 1d, 1w, 1M or 1Y';
  if (minutes === 0) return 'must not be zero: over no time nothing can be counted';
  return minutes > MAX_MINUTES ? 'must be at most 10Y' : undefined;
}

/** By the calendar a period has a beginning only where it is one unit. */
export function isCalendarPeriod(period: string): boolean {
  return FORM.exec(period)?.[1] === '1';
}

/** Equal for windows that are always the same span of time, however they are written. */
export function windowKey({ period, calendar }: LimitWindow): string {
  return calendar ? `calendar ${period}` : `rolling ${rollingMinutes(period)}`;
}

function rollingMinutes(period: string): number | undefined {
  const [, count, unit = ''] = FORM.exec(period) ?? [];
  const minutes = UNIT_MINUTES[unit];
  return minutes === undefined ? undefined : Number(count) * minutes;
}
