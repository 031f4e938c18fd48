import { describe, expect, it } from 'vitest';
import { amounts, calendar, costLimit, DAY, HOUR, MINUTE, NOON, Rig, SECOND } from './ledger-rig.ts';

describe('a holder that died', () => {
  it('is presumed to have spent what it held, for as long as the window reaches', async () => {
    const rig = new Rig();
    const [short, long] = [costLimit(100, '1m'), costLimit(100, '1h')];
    await rig.granted([short, long], amounts(100));
    rig.pass(MINUTE - 1);
    expect(await rig.standing(short)).toMatchObject({ reserved: 100, presumed: 0 });
    rig.pass(1);
    expect(await rig.standing(short)).toMatchObject({ reserved: 100, presumed: 100, spent: 0 });
    const left = NOON + MINUTE + 61 * MINUTE;
    expect(await rig.refused([long], amounts(1))).toMatchObject({ reserved: 100, resetsAt: left });
    rig.clock.wall = NOON + MINUTE + 61 * SECOND;
    expect(await rig.standing(short)).toMatchObject({ reserved: 0, presumed: 0 });
    expect(await rig.standing(long)).toMatchObject({ reserved: 100, presumed: 100, resetsAt: left });
    await rig.granted([short], amounts(100));
    rig.clock.wall = left;
    await rig.granted([long], amounts(100));
  });

  it('does not count in a calendar window that begins after its death', async () => {
    const rig = new Rig();
    const limit = costLimit(100, '1d', calendar('1d'));
    rig.clock.wall = NOON + 12 * HOUR - 2 * MINUTE;
    await rig.granted([limit], amounts(100));
    rig.clock.wall = NOON + 12 * HOUR - 1;
    await rig.refused([limit], amounts(1));
    rig.clock.wall = NOON + 12 * HOUR;
    await rig.granted([limit], amounts(100));
  });

  it('that is heard of late takes its part out of what is presumed, and nobody is given it twice', async () => {
    const rig = new Rig();
    const limit = costLimit(100);
    await rig.granted([limit], amounts(60), { lease: 'late' });
    rig.pass(HOUR);
    await rig.charge('late', 1, amounts(40), amounts(30), { at: NOON + HOUR });
    expect(await rig.standing(limit)).toMatchObject({ spent: 30, reserved: 20, presumed: 20 });
    await rig.trim('late', amounts(40));
    expect(await rig.standing(limit)).toMatchObject({ spent: 30, reserved: 0, presumed: 0 });
  });

  it('does not come alive again: others have been given what it held', async () => {
    const rig = new Rig();
    const limit = costLimit(100, '1m');
    await rig.granted([limit], amounts(100), { lease: 'asleep' });
    rig.pass(HOUR);
    await rig.granted([limit], amounts(100), { holder: 'two' });
    await rig.report('one', 9, { renew: ['asleep'] });
    await rig.charge('asleep', 1, amounts(10), amounts(10));
    expect(await rig.standing(limit)).toMatchObject({ spent: 0, reserved: 100 });
  });

  it.each(['a report', 'a charge'])('lives for a minute from %s', async (word) => {
    const rig = new Rig();
    const limit = costLimit(100);
    await rig.granted([limit], amounts(50), { lease: 'long' });
    rig.pass(50 * SECOND);
    if (word === 'a report') await rig.report('one', 9, { renew: ['long'] });
    else await rig.charge('long', 1, amounts(0), amounts(0));
    rig.pass(MINUTE - 1);
    expect(await rig.standing(limit)).toMatchObject({ reserved: 50, presumed: 0 });
    rig.pass(1);
    expect(await rig.standing(limit)).toMatchObject({ reserved: 50, presumed: 50 });
  });

  it('leaves no row behind once no window reaches it', async () => {
    const rig = new Rig();
    await rig.granted([costLimit(100, '1m')], amounts(50));
    rig.pass(3 * MINUTE);
    await rig.report('two', 1);
    expect(rig.ledger.memory.leases.size).toBe(0);
  });
});

describe('a clock that is set', () => {
  it('back gives nothing free that was spent, and lets windows pass', async () => {
    const rig = new Rig();
    const limit = costLimit(100, '1m');
    await rig.spend([limit], amounts(100));
    rig.pass(-10 * DAY);
    await rig.refused([limit], amounts(1));
    // At half speed, so twice the minute and its last second.
    rig.pass(122 * SECOND - 2);
    await rig.refused([limit], amounts(1));
    rig.pass(2);
    await rig.granted([limit], amounts(100), { lease: 'after' });
    await rig.charge('after', 1, amounts(100), amounts(100));
    expect(await rig.refused([limit], amounts(1))).toMatchObject({
      spent: 100,
      resetsAt: rig.clock.wall + 61 * SECOND,
    });
  });

  it('back while the ledger rests is known from what it stored', async () => {
    const rig = new Rig();
    const limit = costLimit(100, '1h');
    await rig.spend([limit], amounts(60));
    rig.pass(-DAY);
    await rig.ledger.restart();
    await rig.spend([limit], amounts(40));
    expect(await rig.standing(limit)).toMatchObject({ spent: 100 });
  });

  it('forward ends leases, whose draws then count while they lived', async () => {
    const rig = new Rig();
    const limit = costLimit(100, '1h');
    await rig.granted([limit], amounts(100), { lease: 'before' });
    rig.pass(DAY);
    await rig.granted([limit], amounts(100), { lease: 'after' });
    await rig.charge('before', 1, amounts(100), amounts(100));
    await rig.charge('after', 1, amounts(100), amounts(100));
    expect(await rig.standing(limit)).toMatchObject({ spent: 100, reserved: 0 });
  });
});
