import { describe, expect, it, vi } from 'vitest';
import type { WebhookReceipt } from '../../../src/egress/webhook.ts';
import { DAY, makeLimit, MIDNIGHT, withAlerts } from './alert-rig.ts';

const LIMIT = makeLimit();
const failed = (more = {}): Promise<WebhookReceipt> =>
  Promise.resolve({ outcome: 'failed', reason: 'answered 500', ...more });

describe('what a counter reached', () => {
  it('is told once, lowest share first', () =>
    withAlerts(async (rig) => {
      expect(rig.consider(LIMIT, 79)).toBe(false);
      expect(rig.consider(LIMIT, 96, 17)).toBe(true);
      expect(rig.consider(LIMIT, 97, 1)).toBe(false);
      await rig.deliver();
      expect(rig.shares).toEqual([0.8, 0.95]);
      expect(rig.sent[0]).toMatchObject({ at: MIDNIGHT, name: 'eng', spent: 96, resetsAt: MIDNIGHT + DAY });
      expect(rig.outbox.nextAttemptAt).toBeUndefined();
      await rig.ring();
      expect(rig.sent).toHaveLength(2);
      expect(rig.alarmAt).toBe(Infinity);
    }));

  it('is told by an event that says that nobody listens, too', () =>
    withAlerts(async (rig) => {
      rig.answer = async () => ({ outcome: 'not_configured' });
      rig.consider(LIMIT, 80);
      await rig.deliver();
      expect(rig.events).toMatchObject([{ kind: 'limit.threshold', outcome: 'ok', team: 'eng', attempt: 1 }]);
      expect(rig.outbox.nextAttemptAt).toBeUndefined();
    }));

  it('is logged once, however many attempts are made', () =>
    withAlerts(async (rig) => {
      rig.answer = () => failed();
      rig.consider(LIMIT, 80);
      await rig.deliver();
      await rig.ring();
      expect(rig.logged.filter(({ event }) => event === 'limit.threshold')).toMatchObject([
        { tier: 'team', name: 'eng', metric: 'cost', share: 0.8, spent: 80, amount: 100, period: '1d' },
      ]);
    }));

  it('is told again of the next window, of another amount and of another counter', () =>
    withAlerts(async (rig) => {
      rig.consider(LIMIT, 80);
      expect(rig.consider(makeLimit({ id: 'c2' }), 80)).toBe(true);
      expect(rig.consider(makeLimit({ amount: 90 }), 80)).toBe(true);
      expect(rig.consider(LIMIT, 81, 1)).toBe(false);
      rig.now += DAY;
      expect(rig.consider(LIMIT, 80)).toBe(true);
      await rig.deliver();
      expect(rig.shares).toEqual([0.8, 0.8, 0.8, 0.8]);
    }));

  it('is told again of a rolling window that was below for a while within the period', () =>
    withAlerts(async (rig) => {
      const rolling = makeLimit({ window: { period: '1d', calendar: false }, alertAt: [0.8] });
      expect(rig.consider(rolling, 85, 45)).toBe(true);
      rig.now += DAY / 2;
      expect(rig.consider(rolling, 85, 40)).toBe(false);
      rig.now += DAY / 2;
      expect(rig.consider(rolling, 86, 1)).toBe(true);
      expect(rig.consider(rolling, 87, 1)).toBe(false);
    }));

  it('is not told when the charges that reached it were not committed', () =>
    withAlerts(async (rig) => {
      expect(() =>
        rig.rolledBack(() => {
          rig.consider(LIMIT, 80);
          throw new Error('disk full');
        }),
      ).toThrow('disk full');
      await rig.deliver();
      expect(rig.sent).toEqual([]);
      expect(rig.consider(LIMIT, 80)).toBe(true);
    }));
});

describe('a webhook that fails', () => {
  it('is tried again under the same id, ever more rarely, and given up after a day', () =>
    withAlerts(async (rig) => {
      vi.spyOn(Math, 'random').mockReturnValue(0);
      rig.answer = () => failed();
      rig.consider(LIMIT, 80);
      await rig.deliver();
      const waits: number[] = [];
      while (rig.events.length === 0) {
        const before = rig.now;
        await rig.ring();
        waits.push((rig.now - before) / 1_000);
      }
      expect(waits.slice(0, 12)).toEqual([5, 10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 3_600, 3_600]);
      expect(rig.now - MIDNIGHT).toBeGreaterThan(DAY - 2 * 3_600_000);
      expect(rig.now - MIDNIGHT).toBeLessThanOrEqual(DAY);
      expect(new Set(rig.sent.map(({ id }) => id)).size).toBe(1);
      expect(rig.events).toMatchObject([{ outcome: 'error', reason: 'webhook_failed', attempt: rig.sent.length }]);
      expect(rig.logged.at(-1)).toMatchObject({ event: 'alert.given_up', reason: 'answered 500' });
      expect(rig.outbox.waitingCount).toBe(0);
    }));

  it('is left alone for as long as it asks, an hour at most', () =>
    withAlerts(async (rig) => {
      rig.answer = () => failed({ retryAfterMs: 120_000 });
      rig.consider(LIMIT, 80);
      await rig.deliver();
      expect(rig.outbox.nextAttemptAt).toBe(MIDNIGHT + 120_000);
      rig.answer = () => failed({ retryAfterMs: 1e12 });
      await rig.ring();
      expect(rig.outbox.nextAttemptAt).toBe(rig.now + 3_600_000);
    }));

  it('is told no more of an alert when it is gone', () =>
    withAlerts(async (rig) => {
      rig.answer = async () => ({ outcome: 'gone' });
      rig.consider(LIMIT, 80);
      await rig.deliver();
      expect(rig.events).toMatchObject([{ outcome: 'error', reason: 'webhook_gone', attempt: 1 }]);
      expect(rig.outbox.nextAttemptAt).toBeUndefined();
    }));

  it('does not hold up other alerts', () =>
    withAlerts(async (rig) => {
      rig.answer = async (alert) => (alert.share === 0.8 ? failed() : { outcome: 'delivered' });
      rig.consider(LIMIT, 95);
      await rig.deliver();
      expect(rig.events).toMatchObject([{ outcome: 'ok', subject: 'team/eng reached 0.95 of cost per 1d' }]);
      expect(rig.outbox.waitingCount).toBe(1);
    }));

  it('is given up on alerts that failed while more than a thousand wait', () =>
    withAlerts(async (rig) => {
      rig.answer = () => failed();
      for (let counter = 0; counter < 1_003; counter++) rig.consider(makeLimit({ id: `c${counter}` }), 80);
      await rig.deliver();
      expect(rig.outbox.waitingCount).toBe(1_000);
      expect(rig.events).toHaveLength(3);
    }));

  it('waits where the configuration cannot be read', () =>
    withAlerts(async (rig) => {
      rig.answer = () => Promise.reject(new Error('D1 is away'));
      rig.consider(LIMIT, 80);
      await rig.deliver();
      expect(rig.alarmAt).toBeLessThan(MIDNIGHT + 6_000);
      rig.answer = async () => ({ outcome: 'delivered' });
      await rig.ring();
      expect(rig.events).toMatchObject([{ outcome: 'ok', attempt: 2 }]);
    }));
});

describe('an attempt', () => {
  it('that is under way is not made twice, and is looked after when it is lost', () =>
    withAlerts(async (rig) => {
      const hanging = Promise.withResolvers<WebhookReceipt>();
      rig.answer = () => hanging.promise;
      rig.consider(LIMIT, 95);
      const delivering = rig.deliver();
      await rig.deliver();
      expect(rig.sent).toHaveLength(1);
      expect(rig.alarmAt).toBe(MIDNIGHT + 20_000);
      hanging.resolve({ outcome: 'delivered' });
      await delivering;
      expect(rig.shares).toEqual([0.8, 0.95]);
    }));

  it('whose outcome was lost in a crash is made again under the same id', () =>
    withAlerts(async (rig) => {
      rig.answer = () => new Promise(() => {});
      rig.consider(LIMIT, 80);
      void rig.deliver();
      await scheduler.wait(0);
      rig.crash();
      rig.answer = async () => ({ outcome: 'delivered' });
      await rig.ring();
      expect(rig.sent).toHaveLength(2);
      expect(rig.sent[1]).toEqual(rig.sent[0]);
      expect(rig.events).toMatchObject([{ outcome: 'ok', attempt: 2 }]);
    }));

  it('is over after a while, whatever the sender does', () =>
    withAlerts(async (rig) => {
      const wait = vi.spyOn(scheduler, 'wait').mockResolvedValue(undefined);
      rig.answer = () => new Promise(() => {});
      rig.consider(LIMIT, 80);
      await rig.deliver();
      expect(wait).toHaveBeenCalledWith(15_000, expect.anything());
      expect(rig.outbox.waitingCount).toBe(1);
      expect(rig.alarmAt).toBeLessThan(MIDNIGHT + 6_000);
    }));

  it('whose outcome cannot be stored is made again a little later', () =>
    withAlerts(async (rig) => {
      rig.refuseEvents = true;
      rig.consider(LIMIT, 95);
      await rig.deliver();
      expect(rig.alarmAt).toBe(MIDNIGHT + 20_000);
      rig.refuseEvents = false;
      await rig.ring();
      expect(rig.events).toHaveLength(2);
      expect(rig.shares.toSorted()).toEqual([0.8, 0.8, 0.95]);
    }));
});
