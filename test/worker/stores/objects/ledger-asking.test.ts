// How often an isolate asks, and what it asks for again.
import { describe, expect, it } from 'vitest';
import type { ChargePlan } from '../../../../src/budget/limits.ts';
import { admitted, CENT, limitOf, need, planOf, refused, World, type Isolate } from './ledger-world.ts';
import { settle } from './test-clock.ts';

const CALLERS = 32;
const REQUESTS = 2_000;
/** Of a lease with plenty: 256 to spare beside the one that was asked for. */
const PER_LEASE = 257;
const ANSWER_MS = 3;

const COUNTED = [limitOf('cost', 1_000_000 * CENT), limitOf('requests', 1_000_000)];

/** What `CALLERS` ask for one after the other, each for about as long as a hundredth of a second; answers take their time. */
async function steadyLoad(world: World, isolate: Isolate, plan: ChargePlan): Promise<number> {
  const { clock } = world;
  world.isHeld = true;
  let begun = 0;
  const callers = new Set(Array.from({ length: CALLERS }, (_, index) => index));
  const post = async (): Promise<void> => {
    while (callers.size > 0) {
      await clock.sleep(ANSWER_MS);
      for (const letter of world.letters.splice(0)) letter.reply();
    }
  };
  const caller = async (index: number): Promise<void> => {
    while (begun < REQUESTS) {
      begun++;
      const ticket = await admitted(isolate, [plan], need(CENT));
      await clock.sleep(1 + ((begun * 7 + index) % 19));
      isolate.recorder.settled(ticket.settle(need(CENT)));
      await clock.sleep((begun + index) % 3);
    }
    callers.delete(index);
  };
  const all = Promise.all([post(), ...[...callers].map((index) => caller(index))]);
  while (callers.size > 0) await clock.advance(5);
  await clock.advance(ANSWER_MS);
  await all;
  return world.sent.filter(({ kind }) => kind === 'acquire').length;
}

describe('under steady load', () => {
  it.each([
    ['without slots', [], 0],
    ['with many slots', [limitOf('concurrent', 10_000)], 0],
    ['with few slots to spare, which are asked for one by one', [limitOf('concurrent', 40)], CALLERS],
  ])('a lease is asked for once: %s', async (_, slots, forSlots) => {
    const world = new World();
    const plan = planOf([...COUNTED, ...slots]);
    const isolate = world.isolate();
    // What an answer brings has to be known.
    isolate.recorder.settled((await admitted(isolate, [plan], need(CENT))).cancel());
    const asked = await steadyLoad(world, isolate, plan);
    expect(asked).toBeLessThanOrEqual(forSlots + Math.ceil(REQUESTS / PER_LEASE));
  });
});

describe('what is asked for already', () => {
  const plan = planOf(COUNTED);

  it('is waited for, but not for ever', async () => {
    const world = new World();
    const isolate = world.isolate();
    for (let index = 0; index < PER_LEASE; index++) await admitted(isolate, [plan], need(CENT));
    world.isHeld = true;
    void isolate.admission.admit([plan], need(CENT));
    const joined = admitted(isolate, [plan], need(CENT));
    await world.clock.advance(90);
    expect(world.letters.filter(({ message }) => message.kind === 'acquire')).toHaveLength(1);
    await world.clock.advance(20);
    const asked = world.letters.filter(({ message }) => message.kind === 'acquire');
    expect(asked, 'whoever asked may have ended').toHaveLength(2);
    asked[1]?.reply();
    await joined;
  });
});

describe('a refusal', () => {
  it('is asked anew where something went back while it was on its way', async () => {
    const tight = planOf([limitOf('cost', 100 * CENT)]);
    const world = new World();
    const isolate = world.isolate();
    (await admitted(isolate, [tight], need(99 * CENT))).cancel();
    await world.clock.advance(400);
    world.isHeld = true;
    await world.clock.advance(200);
    const report = world.letters.find(({ message }) => message.kind === 'report');
    const outcome = isolate.admission.admit([tight], need(50 * CENT));
    const ask = world.letters.at(-1);
    ask?.deliver(); // before the report
    report?.reply();
    await settle();
    world.isHeld = false;
    ask?.reply();
    expect((await outcome).ok).toBe(true);
  });
});

describe('slots of requests that were refused', () => {
  it('are left to others', async () => {
    const ten = planOf([limitOf('concurrent', 10)]);
    const world = new World();
    const [one, two] = [world.isolate(), world.isolate()];
    for (let index = 0; index < 6; index++) await admitted(one, [ten], need(0));
    const others = [await admitted(two, [ten], need(0)), await admitted(two, [ten], need(0))];
    await Promise.all(Array.from({ length: 40 }, () => one.admission.admit([ten], need(0))));
    expect(world.standing(ten, 'concurrent').reserved).toBe(10);
    for (const ticket of others) ticket.cancel();
    await world.clock.advance(1_000);
    await Promise.all(Array.from({ length: 40 }, () => one.admission.admit([ten], need(0))));
    expect(world.standing(ten, 'concurrent').reserved).toBe(10);
    await refused(two, [ten], need(0));
  });
});
