// Spans and moments of time, in milliseconds since the epoch; calendars are UTC.

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
/** 1970-01-05. */
export const FIRST_MONDAY = 4 * DAY_MS;

/** The beginning of a month, so many after that of `at`. */
export function monthOf(at: number, offset: number): number {
  const date = new Date(at);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + offset);
}

/** ISO 8601, without the milliseconds where there are none. */
export function toTimeText(at: number): string {
  return new Date(at).toISOString().replace('.000Z', 'Z');
}

/** Whether a moment is to come. One that is more than `most` ahead was set by a clock that has been put back since. */
export function isAhead(at: number, now: number, most: number): boolean {
  return now < at && at - now <= most;
}
