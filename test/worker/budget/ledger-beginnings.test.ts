import { describe, expect, it } from 'vitest';
import type { Limit } from '../../../src/budget/limits.ts';
import { amounts, costLimit, HOUR, MINUTE, NOON, Rig } from './ledger-rig.ts';

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
