// Spans of time over which limits count, cut into buckets. A bucket is named by its beginning; all times are
// milliseconds since the epoch, and calendars are UTC.
import type { LimitWindow } from './limits.ts';

export interface Window {
  /** The longest it ever is. */
  readonly lengthMs: number;
  /** When the window began whose end, or present moment, is `now`. */
  startOf(now: number): number;
  bucketOf(at: number): number;
  /** The first bucket that still counts: part of it may lie within the window. */
  oldestBucket(now: number): number;
  /** When a bucket ceases to count. */
  leavesAt(bucket: number): number;
}

const MINUTE = 60_000;
export const HOUR_MS = 60 * MINUTE;
const DAY = 24 * HOUR_MS;
const WEEK = 7 * DAY;
const UNITS = { m: MINUTE, h: HOUR_MS, d: DAY, w: WEEK, M: 30 * DAY, Y: 365 * DAY } as const;
type Unit = keyof typeof UNITS;

const PERIOD = /^(\d{1,4})([mhdwMY])$/;
/** Of a rolling window. Every unit is a multiple of so many milliseconds. */
const BUCKETS = 60;
/** The first Monday of the epoch. */
const FIRST_MONDAY = 4 * DAY;

const opened = new Map<string, Window>();

/** @throws RangeError for a period that is none, of no length, or by the calendar and not one unit long */
export function openWindow({ period, calendar }: LimitWindow): Window {
  const name = calendar ? `calendar ${period}` : period;
  const known = opened.get(name);
  if (known !== undefined) return known;
  const [, digits, unit] = PERIOD.exec(period) ?? [];
  const count = Number(digits);
  if (unit === undefined || !(count > 0) || (calendar && count !== 1)) throw new RangeError(`no window: ${name}`);
  const window = calendar ? calendarWindow(unit as Unit) : rollingWindow(count * UNITS[unit as Unit]);
  opened.set(name, window);
  return window;
}

/** No interval of `lengthMs` holds more than is counted: a bucket counts until the last of it has left. */
function rollingWindow(lengthMs: number): Window {
  const size = lengthMs / BUCKETS;
  const bucketOf = (at: number): number => Math.floor(at / size) * size;
  return {
    lengthMs,
    startOf: (now) => now - lengthMs,
    bucketOf,
    oldestBucket: (now) => bucketOf(now) - lengthMs,
    leavesAt: (bucket) => bucket + size + lengthMs,
  };
}

/** The whole window is one bucket. */
function calendarWindow(unit: Unit): Window {
  const bucketOf = startOfUnit(unit);
  const longest = { ...UNITS, M: 31 * DAY, Y: 366 * DAY }[unit];
  return {
    lengthMs: longest,
    startOf: bucketOf,
    bucketOf,
    oldestBucket: bucketOf,
    leavesAt: (bucket) => bucketOf(bucket + longest),
  };
}

function startOfUnit(unit: Unit): (at: number) => number {
  if (unit === 'M') return (at) => Date.UTC(new Date(at).getUTCFullYear(), new Date(at).getUTCMonth());
  if (unit === 'Y') return (at) => Date.UTC(new Date(at).getUTCFullYear(), 0);
  const size = UNITS[unit];
  const origin = unit === 'w' ? FIRST_MONDAY : 0;
  return (at) => Math.floor((at - origin) / size) * size + origin;
}
