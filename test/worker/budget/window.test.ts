import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openWindow } from '../../../src/budget/window.ts';

const at = (text: string): number => Date.parse(text);
const iso = (time: number): string => new Date(time).toISOString();
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

const PERIODS = ['1m', '5m', '90m', '1h', '7h', '1d', '30d', '1w', '2w', '1M', '3M', '1Y', '9Y'];
const periods = fc.constantFrom(...PERIODS);
const times = fc.integer({ min: at('1970-01-01'), max: at('2100-01-01') });

describe('a calendar window', () => {
  it.each([
    ['1m', '2026-11-22T20:27:52.123Z', '2026-11-22T20:27:00.000Z', '2026-11-22T20:28:00.000Z'],
    ['1h', '2026-11-22T20:27:52.123Z', '2026-11-22T20:00:00.000Z', '2026-11-22T21:00:00.000Z'],
    ['1d', '2026-11-22T20:27:52.123Z', '2026-11-22T00:00:00.000Z', '2026-11-23T00:00:00.000Z'],
    ['1w', '2026-11-22T23:59:59.999Z', '2026-11-16T00:00:00.000Z', '2026-11-23T00:00:00.000Z'],
    ['1w', '2026-11-23T00:00:00.000Z', '2026-11-23T00:00:00.000Z', '2026-11-30T00:00:00.000Z'],
    ['1M', '2026-11-30T23:59:59.999Z', '2026-11-01T00:00:00.000Z', '2026-12-01T00:00:00.000Z'],
    ['1M', '2028-02-29T12:00:00.000Z', '2028-02-01T00:00:00.000Z', '2028-03-01T00:00:00.000Z'],
    ['1M', '2026-12-31T12:00:00.000Z', '2026-12-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z'],
    ['1Y', '2028-12-31T23:59:59.999Z', '2028-01-01T00:00:00.000Z', '2029-01-01T00:00:00.000Z'],
    ['1Y', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z'],
  ])('of %s around %s begins at %s and ends at %s', (period, now, start, end) => {
    const window = openWindow({ period, calendar: true });
    expect(iso(window.startOf(at(now)))).toBe(start);
    expect(iso(window.oldestBucket(at(now)))).toBe(start);
    expect(iso(window.leavesAt(window.bucketOf(at(now))))).toBe(end);
  });

  it('counts a bucket until the next unit begins, and not a millisecond longer', () => {
    fc.assert(
      fc.property(fc.constantFrom('1m', '1h', '1d', '1w', '1M', '1Y'), times, (period, time) => {
        const window = openWindow({ period, calendar: true });
        const bucket = window.bucketOf(time);
        const end = window.leavesAt(bucket);
        expect(bucket).toBeLessThanOrEqual(time);
        expect(end).toBeGreaterThan(time);
        expect(window.oldestBucket(end - 1)).toBe(bucket);
        expect(window.oldestBucket(end)).toBe(end);
        expect(end - bucket).toBeLessThanOrEqual(window.lengthMs);
      }),
    );
  });
});

describe('a rolling window', () => {
  it('is thirty days for a month and 365 for a year', () => {
    expect(openWindow({ period: '1M', calendar: false }).lengthMs).toBe(30 * DAY);
    expect(openWindow({ period: '2Y', calendar: false }).lengthMs).toBe(730 * DAY);
  });

  it('counts what was used for as long as the window is, and at most a sixtieth longer', () => {
    fc.assert(
      fc.property(periods, times, (period, time) => {
        const window = openWindow({ period, calendar: false });
        const bucket = window.bucketOf(time);
        const leavesAt = window.leavesAt(bucket);
        expect(leavesAt - time).toBeGreaterThan(window.lengthMs);
        expect(leavesAt - time).toBeLessThanOrEqual((window.lengthMs * 61) / 60);
        expect(window.oldestBucket(leavesAt - 1)).toBeLessThanOrEqual(bucket);
        expect(window.oldestBucket(leavesAt)).toBeGreaterThan(bucket);
      }),
    );
  });

  it('has at most sixty-odd buckets', () => {
    fc.assert(
      fc.property(periods, times, (period, now) => {
        const window = openWindow({ period, calendar: false });
        const buckets = new Set<number>();
        const step = window.lengthMs / 600;
        for (let time = window.oldestBucket(now); time <= now; time += step) buckets.add(window.bucketOf(time));
        expect(buckets.size).toBeLessThanOrEqual(62);
      }),
      { numRuns: 30 },
    );
  });
});

it.each(['0d', '00h', '1s', '-1d', '1.5h', '', 'd', '10000m', '1d ', '1D'])('refuses the period "%s"', (period) => {
  expect(() => openWindow({ period, calendar: false })).toThrow(RangeError);
});

it.each(['2h', '12M'])('refuses %s by the calendar, which has no beginning', (period) => {
  expect(() => openWindow({ period, calendar: true })).toThrow(RangeError);
});
