// Spans of time over which limits count, cut into buckets. A bucket is named by its beginning; all times are
// milliseconds since the epoch, and calendars are UTC.
import { DAY_MS, FIRST_MONDAY, HOUR_MS, monthOf } from '../lib/time.ts';
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

const UNITS = { m: 60_000, h: HOUR_MS, d: DAY_MS, w: 7 * DAY_MS, M: 30 * DAY_MS, Y: 365 * DAY_MS } as const;
type Unit = keyof typeof UNITS;

export interface Period {
  readonly count: number;
  readonly unit: Unit;
}

const PERIOD = /^(\d{1,4})([mhdwMY])$/;
/** Of a rolling window. Every unit is a multiple of so many milliseconds. */
const BUCKETS = 60;

/** @returns undefined for what is no period; one of zero is */
export function parsePeriod(text: string): Period | undefined {
  const [, count, unit] = PERIOD.exec(text) ?? [];
  return unit === undefined ? undefined : { count: Number(count), unit: unit as Unit };
}

/** How long it is where it is rolling. */
export function periodMs({ count, unit }: Period): number {
  return count * UNITS[unit];
}

const opened = new Map<string, Window>();

/** @throws RangeError for a period that is none, of no length, or by the calendar and not one unit long */
export function openWindow({ period, calendar }: LimitWindow): Window {
  const name = calendar ? `calendar ${period}` : period;
  const known = opened.get(name);
  if (known !== undefined) return known;
  const span = parsePeriod(period);
  if (span === undefined || span.count === 0 || (calendar && span.count !== 1))
    throw new RangeError(`no window: ${name}`);
  const window = calendar ? calendarWindow(span.unit) : rollingWindow(periodMs(span));
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
  const longest = { ...UNITS, M: 31 * DAY_MS, Y: 366 * DAY_MS }[unit];
  return {
    lengthMs: longest,
    startOf: bucketOf,
    bucketOf,
    oldestBucket: bucketOf,
    leavesAt: (bucket) => bucketOf(bucket + longest),
  };
}

function startOfUnit(unit: Unit): (at: number) => number {
  if (unit === 'M') return (at) => monthOf(at, 0);
  if (unit === 'Y') return (at) => Date.UTC(new Date(at).getUTCFullYear(), 0);
  const size = UNITS[unit];
  const origin = unit === 'w' ? FIRST_MONDAY : 0;
  return (at) => Math.floor((at - origin) / size) * size + origin;
}
