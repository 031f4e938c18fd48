import { describe, expect, it } from 'vitest';
import type { Limit } from '../../../src/budget/limits.ts';
import { amounts, calendar, costLimit, DAY, HOUR, MINUTE, NOON, Rig, SECOND } from './ledger-rig.ts';

const NOTHING = amounts(0, 0, 0);

describe('a grant', () => {
  it('brings slack in whole needs: half of what is left of a sixteenth, and less each time', async () => {
    const rig = new Rig();
    const limit = costLimit(1_600);
    expect(await rig.granted([limit], amounts(10))).toMatchObject({ granted: amounts(60, 0, 6) });
    expect(await rig.granted([limit], amounts(10))).toMatchObject({ granted: amounts(30, 0, 3) });
    expect(await rig.standing(limit)).toMatchObject({ spent: 0, reserved: 90, presumed: 0 });
  });

  it('brings no more than 256 needs of slack', async () => {
    const { granted } = await new Rig().granted([costLimit(1_000_000)], amounts(1));
    expect(granted.cost).toBe(257);
  });

  it('is as large as the tightest limit allows, for all metrics alike', async () => {
    const requests: Limit = { ...costLimit(64), id: 'team requests', tier: 'team', metric: 'requests' };
    const { granted, standings } = await new Rig().granted([costLimit(1_000_000), requests], amounts(10, 5));
    expect(granted).toEqual(amounts(30, 15, 3));
    expect(standings.map(({ limit, reserved }) => [limit.id, reserved])).toEqual([
      ['customer acme cost 1d false', 30],
      ['team requests', 3],
    ]);
  });

  it('is not held back by a metric without a limit, however much of it is needed', async () => {
    const { granted } = await new Rig().granted([costLimit(1_600)], amounts(10, 9e12));
    expect(granted).toEqual(amounts(60, 54e12, 6));
  });

  it('is exact where twice the allowance would not be left', async () => {
    const rig = new Rig();
    const limit = costLimit(1_600);
    await rig.spend([limit], amounts(1_380));
    expect((await rig.granted([limit], amounts(10))).granted.cost).toBe(20);
    expect((await rig.granted([limit], amounts(10))).granted.cost).toBe(10);
  });

  it('admits the last whole need, and not one nano-dollar more', async () => {
    const rig = new Rig();
    const limit = costLimit(100);
    await rig.spend([limit], amounts(90));
    await rig.refused([limit], amounts(11));
    await rig.granted([limit], amounts(10));
    await rig.refused([limit], amounts(1));
  });

  it('lets pass what needs nothing of a limit that is passed', async () => {
    const rig = new Rig();
    await rig.spend([costLimit(100)], amounts(100));
    await rig.granted([costLimit(50)], amounts(0));
    await rig.refused([costLimit(50)], amounts(1));
  });

  it('is the same again under the same lease, and counted once', async () => {
    const rig = new Rig();
    const limit = costLimit(1_600);
    const first = await rig.granted([limit], amounts(10), { lease: 'same' });
    await rig.charge('same', 1, amounts(10), amounts(10));
    const second = await rig.granted([limit], amounts(10), { lease: 'same' });
    expect(second.granted).toEqual(first.granted);
    expect(await rig.standing(limit)).toMatchObject({ spent: 10, reserved: 50 });
  });

  it('is not made under the name of a lease that was given up, before or after', async () => {
    const rig = new Rig();
    await rig.trim('early', NOTHING);
    await expect(rig.acquire([costLimit(100)], amounts(1), { lease: 'early' })).rejects.toThrow('lease early is over');
    await rig.granted([costLimit(100)], amounts(1), { lease: 'late' });
    await rig.trim('late', NOTHING);
    await expect(rig.acquire([costLimit(100)], amounts(1), { lease: 'late' })).rejects.toThrow('lease late is over');
    expect(await rig.standing(costLimit(100))).toMatchObject({ reserved: 0 });
  });

  it.each([-1, 0.5, Number.NaN, Infinity, 2 ** 53])('is not made for a need of %s', async (cost) => {
    await expect(new Rig().acquire([costLimit(100)], amounts(cost))).rejects.toThrow(RangeError);
  });

  it('keeps what was spent when the limit changes, and holds to the new one', async () => {
    const rig = new Rig();
    await rig.spend([costLimit(100)], amounts(60));
    expect(await rig.refused([costLimit(50)], amounts(10))).toMatchObject({ spent: 60, limit: { amount: 50 } });
    await rig.granted([costLimit(70)], amounts(10));
  });

  it('takes back first what is trimmed along with it', async () => {
    const rig = new Rig();
    const limit = costLimit(10);
    await rig.granted([limit], amounts(10), { lease: 'idle' });
    await rig.refused([limit], amounts(10));
    await rig.granted([limit], amounts(10), { trims: [{ lease: 'idle', drawn: NOTHING }] });
  });
});

describe('a refusal', () => {
  it('names the widest limit without room, and of several of one tier the one that takes longest', async () => {
    const rig = new Rig();
    const key = costLimit(100, '1Y', { tier: 'virtual_key', name: 'one' });
    const team = [
      costLimit(10, '1h', { tier: 'team', name: 'eng' }),
      costLimit(10, '1d', { tier: 'team', name: 'eng' }),
    ];
    const customer = costLimit(1_000);
    await rig.spend([customer, ...team, key], amounts(10));
    await rig.spend([key], amounts(90));
    const refusal = await rig.refused([key, ...team, customer], amounts(3));
    expect(refusal.limit.id).toBe('team eng cost 1d false');
    expect(refusal).toMatchObject({ spent: 10, reserved: 0, need: 3 });
  });

  it('has no time where the need is more than the limit', async () => {
    const refusal = await new Rig().refused([costLimit(100)], amounts(101));
    expect(refusal).toEqual({ limit: costLimit(100), spent: 0, reserved: 0, need: 101 });
  });

  it('says when enough will have left a rolling window, and is certain until then', async () => {
    const rig = new Rig();
    const limit = costLimit(100, '1h');
    await rig.spend([limit], amounts(40));
    rig.pass(10 * MINUTE);
    await rig.spend([limit], amounts(60));
    const early = NOON + 61 * MINUTE;
    expect(await rig.refused([limit], amounts(40))).toMatchObject({ resetsAt: early, certainUntil: early });
    const late = NOON + 71 * MINUTE;
    expect(await rig.refused([limit], amounts(41))).toMatchObject({ resetsAt: late, certainUntil: late });
    rig.clock.wall = early - 1;
    await rig.refused([limit], amounts(40));
    rig.clock.wall = early;
    await rig.granted([limit], amounts(40));
    expect(await rig.refused([limit], amounts(40))).toMatchObject({
      spent: 60,
      reserved: 40,
      resetsAt: early + SECOND,
    });
    expect(await rig.refused([limit], amounts(41))).toMatchObject({ resetsAt: late, certainUntil: late });
  });

  it('says when the calendar window ends', async () => {
    const rig = new Rig();
    const limit = costLimit(100, '1M', calendar('1M'));
    await rig.spend([limit], amounts(100));
    const end = Date.UTC(2026, 11);
    expect(await rig.refused([limit], amounts(1))).toMatchObject({ resetsAt: end, certainUntil: end });
    rig.clock.wall = end;
    await rig.granted([limit], amounts(1));
  });

  it.each([
    ['30m', false, NOON + 30.5 * MINUTE],
    ['1h', true, NOON + HOUR],
  ])(
    'counts requests under way as requests, which end no sooner than the window (%s, calendar: %s)',
    async (...row) => {
      const [period, isCalendar, end] = row;
      const rig = new Rig();
      const limit: Limit = { ...costLimit(2, period, isCalendar ? calendar(period) : {}), metric: 'requests' };
      await rig.granted([limit], amounts(0, 0, 2));
      const refusal = await rig.refused([limit], amounts(0));
      expect(refusal).toEqual({ limit, spent: 0, reserved: 2, need: 1, resetsAt: end });
    },
  );

  it('is not certain, and soon over, where requests under way leave no room', async () => {
    const rig = new Rig();
    const limit = costLimit(10);
    await rig.granted([limit], amounts(10));
    const refusal = await rig.refused([limit], amounts(1));
    expect(refusal).toEqual({ limit, spent: 0, reserved: 10, need: 1, resetsAt: NOON + SECOND });
  });

  it('leaves nothing held', async () => {
    const rig = new Rig();
    const wide = costLimit(1_000);
    await rig.refused([wide, costLimit(5, '1h', { tier: 'team', name: 'eng' })], amounts(6));
    expect(await rig.standing(wide)).toMatchObject({ reserved: 0 });
  });
});

describe('a charge', () => {
  it('counts once, in whatever order and however often it comes', async () => {
    const rig = new Rig();
    const limit = costLimit(1_600);
    await rig.granted([limit], amounts(10), { lease: 'many' });
    for (const draw of [3, 1, 3, 2, 5, 1, 4, 2, 5]) await rig.charge('many', draw, amounts(10), amounts(7));
    expect(await rig.standing(limit)).toMatchObject({ spent: 35, reserved: 10 });
    await rig.ledger.restart();
    for (const draw of [1, 2, 3, 4, 5]) await rig.charge('many', draw, amounts(10), amounts(7));
    expect(await rig.standing(limit)).toMatchObject({ spent: 35, reserved: 10 });
  });

  it('may come after the trim of its lease, and is the last of it', async () => {
    const rig = new Rig();
    const limit = costLimit(1_600);
    await rig.granted([limit], amounts(10), { lease: 'trimmed' });
    await rig.trim('trimmed', amounts(20, 0, 2));
    expect(await rig.standing(limit)).toMatchObject({ spent: 0, reserved: 20 });
    await rig.charge('trimmed', 1, amounts(10), amounts(4));
    await rig.trim('trimmed', amounts(20, 0, 2));
    expect(await rig.standing(limit)).toMatchObject({ spent: 4, reserved: 10 });
    await rig.charge('trimmed', 2, amounts(10), amounts(10));
    expect(await rig.standing(limit)).toMatchObject({ spent: 14, reserved: 0 });
    expect(rig.ledger.memory.leases.size).toBe(0);
    const repeated = await rig.charge('trimmed', 2, amounts(10), amounts(10));
    expect(repeated.unknown).toEqual([]);
    expect(await rig.standing(limit)).toMatchObject({ spent: 14 });
  });

  it('of a lease that nobody knows changes nothing', async () => {
    const rig = new Rig();
    const { unknown } = await rig.charge('stranger', 1, amounts(10), amounts(10));
    expect(unknown).toMatchObject([{ lease: 'stranger', draw: 1 }]);
    expect(await rig.standing(costLimit(10))).toMatchObject({ spent: 0 });
  });

  it('counts what was used beyond what was drawn, and shows it', async () => {
    const rig = new Rig();
    const limit = costLimit(100);
    await rig.granted([limit], amounts(10), { lease: 'more' });
    await rig.charge('more', 1, amounts(10), amounts(130), { over: amounts(120, 0, 0) });
    expect(await rig.standing(limit)).toMatchObject({ spent: 130, over: 120 });
    expect(await rig.refused([limit], amounts(1))).toMatchObject({ spent: 130 });
  });

  it('counts when its request was admitted, held between the grant and now', async () => {
    const rig = new Rig();
    const limit = costLimit(1_000, '1m');
    await rig.granted([limit], amounts(10), { lease: 'timed' });
    rig.pass(30 * SECOND);
    await rig.charge('timed', 1, amounts(10), amounts(10), { at: 0 });
    expect(await rig.standing(limit)).toMatchObject({ spent: 10, resetsAt: NOON + 61 * SECOND });
    await rig.granted([limit], amounts(10), { lease: 'later' });
    await rig.charge('later', 1, amounts(10), amounts(10), { at: NOON + DAY });
    rig.clock.wall = NOON + 61 * SECOND;
    expect(await rig.standing(limit)).toMatchObject({ spent: 10, resetsAt: NOON + 91 * SECOND });
  });

  it('of the last calendar window does not count in this one', async () => {
    const rig = new Rig();
    const limit = costLimit(100, '1h', calendar('1h'));
    rig.clock.wall = NOON + HOUR - SECOND;
    await rig.granted([limit], amounts(10), { lease: 'old' });
    rig.pass(2 * SECOND);
    await rig.charge('old', 1, amounts(10), amounts(10), { at: NOON + HOUR - 1 });
    expect(await rig.standing(limit)).toMatchObject({ spent: 0 });
  });

  it('that is no amount counts as what was drawn, and does not fail its commit', async () => {
    const rig = new Rig();
    const limit = costLimit(100);
    await rig.granted([limit], amounts(10), { lease: 'odd' });
    await rig.charge('odd', 1, amounts(5), amounts(Number.NaN));
    await rig.charge('odd', 2, amounts(5), amounts(0.5));
    expect(await rig.standing(limit)).toMatchObject({ spent: 6, reserved: 0 });
  });

  it('tells of limits with alerts how much is spent, and how much of that is new', async () => {
    const rig = new Rig();
    const limit = costLimit(100, '1d', { alertAt: [0.5], ...calendar('1d') });
    await rig.spend([limit], amounts(30));
    await rig.granted([limit, costLimit(100, '1h')], amounts(20), { lease: 'alerted' });
    const { spent } = await rig.charge('alerted', 1, amounts(20), amounts(20));
    const midnight = NOON - 12 * HOUR;
    expect(spent).toEqual([
      { limit, standing: { spent: 50, added: 20, windowStart: midnight, resetsAt: midnight + DAY } },
    ]);
  });
});
