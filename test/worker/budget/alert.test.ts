import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideAlerts, reachesAlert, type FiredAlert } from '../../../src/budget/alert.ts';
import { alertEvent, alertMessage, thresholdAlert } from '../../../src/budget/alert-message.ts';
import type { Limit } from '../../../src/budget/limits.ts';

const PERIOD = 1_000;
const AT = Date.UTC(2026, 10, 22, 12, 30);

function makeLimit(calendar: boolean, more: Partial<Limit> = {}): Limit {
  const window = { period: '1d', calendar };
  return { id: 'c', tier: 'team', name: 'eng', metric: 'cost', amount: 100, window, alertAt: [0.95, 0.8], ...more };
}

/** A counter with a real window, and what was fired for it: the reference that generated histories are run on. */
class Counter {
  readonly #charges: { at: number; amount: number }[] = [];
  #fired: (FiredAlert & { amount: number })[] = [];
  readonly alerts: { at: number; share: number; amount: number; windowStart: number }[] = [];

  windowStart(limit: Limit, now: number): number {
    return limit.window?.calendar === true ? Math.floor(now / PERIOD) * PERIOD : now - PERIOD;
  }

  spent(limit: Limit, now: number): number {
    const start = this.windowStart(limit, now);
    const counts = (at: number): boolean => (limit.window?.calendar === true ? at >= start : at > start);
    return this.#charges.filter(({ at }) => counts(at)).reduce((sum, { amount }) => sum + amount, 0);
  }

  charge(limit: Limit, amount: number, now: number): readonly number[] {
    this.#charges.push({ at: now, amount });
    const windowStart = this.windowStart(limit, now);
    const standing = { spent: this.spent(limit, now), added: amount, windowStart };
    const own = this.#fired.filter((alert) => alert.amount === limit.amount);
    const { due, rearmed, since } = decideAlerts(limit, standing, own, now);
    for (const share of due) {
      this.alerts.push({ at: now, share, amount: limit.amount, windowStart });
      this.#fired = this.#fired.filter((alert) => alert.amount !== limit.amount || alert.share !== share);
      this.#fired.push({ share, amount: limit.amount, since, rearmed: false });
    }
    this.#fired = this.#fired.map((alert) =>
      alert.amount === limit.amount && rearmed.includes(alert.share) ? { ...alert, rearmed: true } : alert,
    );
    if (due.length + rearmed.length > 0) expect(reachesAlert(limit, standing.spent)).toBe(true);
    return due;
  }
}

describe('a share of a limit', () => {
  it.each([true, false])('is alerted for when it is reached exactly, ascending, once (calendar: %s)', (calendar) => {
    const limit = makeLimit(calendar, { alertAt: [0.95, 0.8, 0.55, 0.55] });
    const counter = new Counter();
    expect(counter.charge(limit, 54, 5)).toEqual([]);
    expect(counter.charge(limit, 1, 6)).toEqual([0.55]);
    expect(counter.charge(limit, 24, 7)).toEqual([]);
    expect(counter.charge(limit, 16, 8)).toEqual([0.8, 0.95]);
    expect(counter.charge(limit, 50, 9)).toEqual([]);
  });

  it('is alerted for again in the next calendar window', () => {
    const counter = new Counter();
    expect(counter.charge(makeLimit(true), 90, 10)).toEqual([0.8]);
    expect(counter.charge(makeLimit(true), 79, PERIOD)).toEqual([]);
    expect(counter.charge(makeLimit(true), 1, PERIOD + 1)).toEqual([0.8]);
  });

  it('is alerted for again in a rolling window once it was below and a period has passed', () => {
    const counter = new Counter();
    const limit = makeLimit(false, { alertAt: [0.8] });
    expect(counter.charge(limit, 40, 0)).toEqual([]);
    expect(counter.charge(limit, 45, 900)).toEqual([0.8]);
    // The first part has left: below, and reached again within a period of the alert.
    expect(counter.charge(limit, 40, 1_100)).toEqual([]);
    expect(counter.charge(limit, 1, 1_500)).toEqual([]);
    expect(counter.charge(limit, 39, 1_899)).toEqual([]);
    expect(counter.charge(limit, 1, 1_900)).toEqual([0.8]);
  });

  it('stays silent in a rolling window that was never below, however long', () => {
    const counter = new Counter();
    const limit = makeLimit(false, { alertAt: [0.8] });
    for (let now = 0; now < 20 * PERIOD; now += 100) counter.charge(limit, 10, now);
    expect(counter.alerts).toHaveLength(1);
  });

  it('is another threshold when the amount is another, and the same one when it comes back', () => {
    const counter = new Counter();
    expect(counter.charge(makeLimit(true), 80, 1)).toEqual([0.8]);
    expect(counter.charge(makeLimit(true, { amount: 200 }), 70, 2)).toEqual([]);
    expect(counter.charge(makeLimit(true, { amount: 200 }), 10, 3)).toEqual([0.8]);
    expect(counter.charge(makeLimit(true, { amount: 100 }), 1, 4)).toEqual([0.95]);
  });

  it('is not alerted for where there is nothing to alert for', () => {
    const standing = { spent: 100, added: 1, windowStart: 0 };
    const { alertAt: _, ...silent } = makeLimit(true);
    expect(decideAlerts(silent, standing, [], 1).due).toEqual([]);
    expect(reachesAlert(silent, 100)).toBe(false);
    const { window: __, ...concurrent } = makeLimit(true, { metric: 'concurrent' });
    expect(reachesAlert(concurrent, 100)).toBe(false);
    expect(reachesAlert(makeLimit(true, { amount: 0 }), 0)).toBe(false);
    expect(reachesAlert(makeLimit(true, { amount: 0 }), 1)).toBe(true);
  });

  it('outlives a clock that was set back, for a period at most', () => {
    const limit = makeLimit(false, { alertAt: [0.8] });
    const fired = [{ share: 0.8, since: 100 * PERIOD, rearmed: true }];
    const at = (now: number) =>
      decideAlerts(limit, { spent: 80, added: 80, windowStart: now - PERIOD }, fired, now).due;
    expect(at(100 * PERIOD - 1)).toEqual([]);
    expect(at(98 * PERIOD)).toEqual([0.8]);
  });
});

describe('any history of charges', () => {
  const step = fc.record({
    after: fc.integer({ min: 0, max: 700 }),
    amount: fc.integer({ min: 0, max: 60 }),
    limit: fc.constantFrom(100, 100, 100, 50, 200),
  });

  it('brings at most one alert per share, amount and period, and none that was not reached', () => {
    fc.assert(
      fc.property(fc.boolean(), fc.array(step, { maxLength: 60 }), (calendar, steps) => {
        const counter = new Counter();
        let now = 0;
        for (const { after, amount, limit: size } of steps) {
          now += after;
          const limit = makeLimit(calendar, { amount: size });
          const due = counter.charge(limit, amount, now);
          expect(due.every((share) => counter.spent(limit, now) >= share * size)).toBe(true);
        }
        for (const [index, alert] of counter.alerts.entries()) {
          const before = counter.alerts
            .slice(0, index)
            .findLast(({ share, amount }) => share === alert.share && amount === alert.amount);
          if (before === undefined) continue;
          if (calendar) expect(before.windowStart).not.toBe(alert.windowStart);
          else expect(alert.at - before.at).toBeGreaterThanOrEqual(PERIOD);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('leaves no share unalerted that is reached', () => {
    fc.assert(
      fc.property(fc.boolean(), fc.array(step, { maxLength: 60 }), (calendar, steps) => {
        const counter = new Counter();
        let now = 0;
        for (const { after, amount } of steps) {
          now += after;
          const limit = makeLimit(calendar);
          counter.charge(limit, amount, now);
          const start = counter.windowStart(limit, now);
          for (const share of limit.alertAt ?? []) {
            if (counter.spent(limit, now) < share * limit.amount) continue;
            const told = counter.alerts.filter((alert) => alert.share === share);
            // Of a rolling window the last alert may be older: it stayed above ever since.
            expect(told.some((alert) => !calendar || alert.at >= start)).toBe(true);
          }
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('brings the alert of a rolling window back after a quiet period', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const counter = new Counter();
        const limit = makeLimit(false, { alertAt: [0.8] });
        let now = 0;
        for (const { after, amount } of steps) counter.charge(limit, amount, (now += after));
        expect(counter.charge(limit, 80, now + 2 * PERIOD)).toEqual([0.8]);
      }),
    );
  });
});

describe('what is told', () => {
  const standing = { spent: 81_234_567_890, added: 1, windowStart: AT, resetsAt: Date.UTC(2026, 10, 23) };
  const identity = { id: 'alr_1', at: AT };

  it('is in dollars for a budget', () => {
    const alert = thresholdAlert(makeLimit(true, { amount: 100e9 }), standing, 0.8, identity);
    expect(alertMessage(alert)).toEqual({
      type: 'limit.threshold',
      id: 'alr_1',
      timestamp: '2026-11-22T12:30:00Z',
      tier: 'team',
      name: 'eng',
      metric: 'cost',
      unit: 'usd',
      limit: 100,
      period: '1d',
      calendar: true,
      share: 0.8,
      spent: 81.23456789,
      spent_share: 0.812346,
      resets_at: '2026-11-23T00:00:00Z',
    });
  });

  it('is a count for a rate limit, with the tool it is of', () => {
    const limit = makeLimit(false, {
      tier: 'server',
      name: 'github',
      tool: 'create_*',
      metric: 'requests',
      amount: 10,
    });
    const alert = thresholdAlert(limit, { spent: 9, added: 1, windowStart: 0 }, 0.8, identity);
    expect(alertMessage(alert)).toMatchObject({
      tool: 'create_*',
      unit: 'requests',
      limit: 10,
      spent: 9,
      spent_share: 0.9,
      resets_at: null,
    });
    expect(alertMessage({ ...alert, amount: 0 })['spent_share']).toBeNull();
  });

  it('is an event that names what it is of', () => {
    const alert = thresholdAlert(makeLimit(true), standing, 0.8, identity);
    const delivered = { id: 'evt_1', at: AT, kind: 'limit.threshold', attempt: 2, team: 'eng' };
    const subject = 'team/eng reached 0.8 of cost per 1d';
    expect(alertEvent(alert, { attempt: 2 }, 'evt_1')).toEqual({ ...delivered, subject, outcome: 'ok' });
    expect(alertEvent(alert, { attempt: 2, reason: 'webhook_gone' }, 'evt_1')).toEqual({
      ...delivered,
      subject,
      outcome: 'error',
      reason: 'webhook_gone',
    });
  });
});
