import { describe, expect, it } from 'vitest';
import type { Limit } from '../../../src/budget/limits.ts';
import { amounts, costLimit, MINUTE, NOON, Rig, SECOND } from './ledger-rig.ts';

const NOTHING = amounts(0, 0, 0);
const limit: Limit = { id: 'at once', tier: 'virtual_key', name: 'one', metric: 'concurrent', amount: 4 };

const ask = (holder: string, sequence: number, running: number): Parameters<Rig['acquire']>[2] => ({
  holder,
  sequence,
  slots: { 'at once': running },
});

describe('requests at once', () => {
  it('are held by each gateway, and bounded over all', async () => {
    const rig = new Rig();
    expect(await rig.granted([limit], NOTHING, ask('one', 0, 3))).toMatchObject({ slots: { 'at once': 3 } });
    await rig.granted([limit], NOTHING, ask('two', 0, 1));
    const refusal = await rig.refused([limit], NOTHING, ask('two', 1, 2));
    expect(refusal).toEqual({ limit, spent: 0, reserved: 4, need: 1, resetsAt: NOON + SECOND });
    await rig.report('one', 1, { slots: { 'at once': 1 } });
    expect(await rig.granted([limit], NOTHING, ask('two', 2, 2))).toMatchObject({ slots: { 'at once': 2 } });
    expect(await rig.standing(limit)).toMatchObject({ reserved: 3 });
  });

  it('come with some to spare where there are many', async () => {
    const many = { ...limit, amount: 320 };
    const rig = new Rig();
    expect(await rig.granted([many], NOTHING, ask('one', 0, 3))).toMatchObject({ slots: { 'at once': 13 } });
    expect(await rig.granted([many], NOTHING, ask('two', 0, 1))).toMatchObject({ slots: { 'at once': 6 } });
    expect(await rig.granted([many], NOTHING, ask('three', 0, 290))).toMatchObject({ slots: { 'at once': 290 } });
  });

  it('are as the latest message says, whenever it comes', async () => {
    const rig = new Rig();
    await rig.granted([limit], NOTHING, ask('one', 5, 2));
    await rig.report('one', 4, { slots: { 'at once': 0 } });
    expect(await rig.standing(limit)).toMatchObject({ reserved: 2 });
    await rig.report('one', 6, { slots: {} });
    expect(await rig.standing(limit)).toMatchObject({ reserved: 2 });
  });

  it('are none of a gateway that is silent for a minute', async () => {
    const rig = new Rig();
    await rig.granted([limit], NOTHING, ask('one', 0, 4));
    rig.pass(MINUTE - 1);
    await rig.refused([limit], NOTHING, ask('two', 0, 1));
    rig.pass(1);
    await rig.granted([limit], NOTHING, ask('two', 1, 1));
    expect(rig.ledger.memory.slots.size).toBe(1);
  });

  it('outlive the memory of the ledger, and are doubted again only a minute later', async () => {
    const rig = new Rig();
    await rig.granted([limit], NOTHING, ask('one', 0, 4));
    rig.pass(50 * SECOND);
    await rig.ledger.restart();
    rig.pass(50 * SECOND);
    await rig.refused([limit], NOTHING, ask('two', 0, 1));
  });

  it('never fit under a limit of none', async () => {
    expect(await new Rig().refused([{ ...limit, amount: 0 }], NOTHING, ask('one', 0, 1))).not.toHaveProperty(
      'resetsAt',
    );
  });

  it('of a refused request are not held', async () => {
    const rig = new Rig();
    await rig.refused([costLimit(1), limit], amounts(2), ask('one', 0, 1));
    expect(await rig.standing(limit)).toMatchObject({ reserved: 0 });
    await rig.granted([limit], NOTHING, ask('one', 1, 2));
    await rig.refused([costLimit(1), limit], amounts(2), ask('one', 2, 2));
    expect(await rig.standing(limit), 'the holder had two for itself').toMatchObject({ reserved: 2 });
  });
});
