import { describe, expect, it } from 'vitest';
import type { Limit } from '../../../src/budget/limits.ts';
import { amounts, costLimit, HOUR, MINUTE, NOON, Rig, SECOND } from './ledger-rig.ts';

const row = {
  tier: 'customer',
  name: 'acme',
  calls: 2,
  unpriced: 0,
  cost_nano_usd: 30,
  input_tokens: 5,
  output_tokens: 6,
} as const;
const hour = NOON / HOUR;
const limitOf = (metric: 'cost' | 'tokens' | 'requests', period: string, isCalendar = false): Limit => ({
  ...costLimit(1_000, period, { spendName: 'acme', window: { period, calendar: isCalendar } }),
  id: `${metric} ${period} ${isCalendar}`,
  metric,
});

/** As one commit has it: the charge, then its event. */
async function spend(rig: Rig, limits: readonly Limit[], amount: number): Promise<void> {
  await rig.spend(limits, amounts(amount));
  rig.ledger.memory.spent.push({ ...row, cost_nano_usd: amount, hour: Math.floor(rig.clock.wall / HOUR) });
}

describe('a new counter', () => {
  it.each([
    ['cost', '1d', false, 60],
    ['tokens', '1d', false, 22],
    ['requests', '1d', false, 4],
    ['cost', '1M', false, 90],
    ['cost', '1d', true, 60],
    ['cost', '1h', true, 30],
    ['cost', '30m', false, 0],
  ] as const)('of %s over %s (calendar: %s) begins with what was spent', async (metric, period, isCalendar, spent) => {
    const rig = new Rig();
    rig.pass(MINUTE);
    rig.ledger.memory.spent.push(
      { ...row, hour },
      { ...row, hour: hour - 5 },
      { ...row, hour: hour - 30 },
      { ...row, hour, name: 'other' },
      { ...row, hour, tier: 'team' },
    );
    expect(await rig.standing(limitOf(metric, period, isCalendar))).toMatchObject({ spent });
  });

  it('does not count an hour again that has left its window', async () => {
    const rig = new Rig();
    const limit = limitOf('cost', '1h');
    rig.pass(MINUTE);
    await rig.spend([limit], amounts(30));
    rig.ledger.memory.spent.push({ ...row, hour });
    rig.pass(62 * MINUTE);
    await rig.ledger.restart();
    expect(await rig.standing(limit)).toMatchObject({ spent: 0 });
  });

  it('of one tool, or without a name of its spend, begins with nothing', async () => {
    const rig = new Rig();
    rig.ledger.memory.spent.push({ ...row, hour });
    expect(await rig.standing({ ...limitOf('cost', '1d'), tool: 'read' })).toMatchObject({ spent: 0 });
    expect(await rig.standing(costLimit(10))).toMatchObject({ spent: 0 });
  });
});

describe('a counter that was in no plan for a while', () => {
  const limit = limitOf('cost', '1d');
  const other = costLimit(1_000, '1w', { spendName: 'acme' });
  const spent = async (rig: Rig): Promise<number> => (await rig.standing(limit)).spent;

  it.each([
    ['forgotten', true],
    ['remembered', false],
  ])('has what was spent meanwhile, once (%s)', async (_, isRestarted) => {
    const rig = new Rig();
    await spend(rig, [limit], 30);
    // Stays under way, and the counter with it, in memory.
    if (!isRestarted) await rig.granted([limit], amounts(1), { lease: 'long' });
    for (let hours = 1; hours <= 3; hours++) {
      rig.pass(HOUR);
      if (!isRestarted) await rig.report('one', 1_000 + hours, { renew: ['long'] });
      await spend(rig, [other], 10);
    }
    if (isRestarted) await rig.ledger.restart();
    expect(await spent(rig)).toBe(60);
    expect(await spent(rig)).toBe(60);
    await spend(rig, [limit], 5);
    if (isRestarted) await rig.ledger.restart();
    expect(await spent(rig)).toBe(65);
    rig.pass(2 * HOUR);
    await rig.ledger.restart();
    expect(await spent(rig)).toBe(65);
  });

  it('has it also where a charge of before comes first', async () => {
    const rig = new Rig();
    await rig.granted([limit], amounts(1), { lease: 'long' });
    for (let minutes = 0; minutes < 120; minutes++) {
      rig.pass(MINUTE / 2);
      await rig.report('one', 1_000 + minutes, { renew: ['long'] });
    }
    await spend(rig, [other], 10);
    await rig.charge('long', 1, amounts(1), amounts(1));
    rig.ledger.memory.spent.push({ ...row, cost_nano_usd: 1, hour: Math.floor(rig.clock.wall / HOUR) });
    expect(await spent(rig)).toBe(11);
  });

  it('and one that is in use counts nothing twice, whenever it is read again', async () => {
    const rig = new Rig();
    for (let calls = 1; calls <= 60; calls++) {
      await spend(rig, [limit, other], 7);
      rig.pass(7 * MINUTE + calls * SECOND);
      if (calls % 3 === 0) await rig.ledger.restart();
      expect(await spent(rig)).toBe(7 * calls);
    }
  });

  it('nor by a gateway whose clock is a little ahead', async () => {
    const rig = new Rig();
    rig.pass(-SECOND);
    await rig.spend([limit], amounts(30));
    rig.ledger.memory.spent.push({ ...row, hour });
    rig.pass(2 * SECOND);
    await rig.ledger.restart();
    expect(await spent(rig)).toBe(30);
  });
});

it('lets go of plans and counters that nobody uses, and finds them again', async () => {
  const rig = new Rig();
  const limit = costLimit(1_600);
  await rig.spend([limit], amounts(10));
  rig.pass(11 * MINUTE);
  await rig.report('one', 90);
  rig.pass(11 * MINUTE);
  await rig.report('one', 91);
  expect(rig.ledger.memory.plans.size).toBe(0);
  expect(await rig.granted([limit], amounts(10))).toMatchObject({ standings: [{ spent: 10 }] });
  expect(rig.ledger.memory.plans.size).toBe(1);
});
