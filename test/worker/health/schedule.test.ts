import { assert, double, integer, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffDelay } from '../../../src/health/backoff.ts';
import { nextProbeAt } from '../../../src/health/schedule.ts';

const jitter = double({ min: 0, max: 0.999_999, noNaN: true });
const RHYTHM = { intervalMs: 10_000, idleAfterMs: 3_600_000, disabled: false };

describe('backing off', () => {
  it('doubles from the base to the maximum', () => {
    const delays = [1, 2, 3, 4, 5, 6].map((failures) =>
      backoffDelay(failures, 0.999_999_9, { baseMs: 10, maxMs: 100 }),
    );
    expect(delays).toEqual([10, 20, 40, 80, 100, 100]);
  });

  it('keeps at least half and at most all of it, for any count of failures', () => {
    assert(
      property(integer({ min: 1, max: 1_000_000 }), jitter, (failures, chance) => {
        const delay = backoffDelay(failures, chance, { baseMs: 10_000, maxMs: 300_000 });
        const full = Math.min(10_000 * 2 ** Math.min(failures - 1, 30), 300_000);
        expect(delay).toBeGreaterThanOrEqual(full / 2);
        expect(delay).toBeLessThanOrEqual(full);
      }),
    );
  });

  it('never shrinks below an interval that is longer than the maximum', () => {
    expect(backoffDelay(1, 0.999_999_9, { baseMs: 600_000, maxMs: 300_000 })).toBe(600_000);
  });
});

describe('the next probe', () => {
  it('is due after the interval while all is well', () => {
    expect(nextProbeAt(RHYTHM, { lastUsedAt: 0, failures: 0 }, 1_000, 0.7)).toBe(11_000);
  });

  it('is due later and later while probes fail, at most five minutes', () => {
    const due = [1, 2, 3, 20].map((failures) => nextProbeAt(RHYTHM, { lastUsedAt: 0, failures }, 0, 0));
    expect(due).toEqual([5_000, 10_000, 20_000, 150_000]);
  });

  it('is not due when nobody used the upstream for long, or it is disabled', () => {
    expect(nextProbeAt(RHYTHM, { lastUsedAt: 0, failures: 0 }, 3_600_000, 0)).toBeUndefined();
    expect(nextProbeAt(RHYTHM, { lastUsedAt: 1, failures: 0 }, 3_600_000, 0)).toBe(3_610_000);
    expect(nextProbeAt({ ...RHYTHM, disabled: true }, { lastUsedAt: 0, failures: 0 }, 0, 0)).toBeUndefined();
  });

  it('always lies ahead', () => {
    assert(
      property(integer({ min: 0, max: 100 }), jitter, integer({ min: 0, max: 2 ** 40 }), (failures, chance, now) => {
        expect(nextProbeAt(RHYTHM, { lastUsedAt: now, failures }, now, chance)).toBeGreaterThan(now);
      }),
    );
  });
});
