import { afterEach, beforeEach, describe, expect, it, vi, type MockInstance } from 'vitest';
import { LimitsUnavailable, type Ticket } from '../../../../src/budget/admission.ts';
import { AuditOverflow } from '../../../../src/audit/recorder.ts';
import { admitted, CENT, limitOf, need, planOf, refused, World, type Isolate } from './ledger-world.ts';
import { settle } from './test-clock.ts';

const TRANSIENT = Object.assign(new Error('the object was reset'), { durableObjectReset: true });
const PLENTY = planOf([limitOf('cost', 10_000 * CENT), limitOf('requests', 10_000)]);

let world: World;
let isolate: Isolate;
let complaint: MockInstance;
beforeEach(() => {
  complaint = vi.spyOn(console, 'warn').mockImplementation(() => {});
  world = new World();
  isolate = world.isolate();
});
afterEach(() => complaint.mockRestore());

const kinds = (): string[] => world.sent.map(({ kind }) => kind);
const count = (kind: string): number => kinds().filter((sent) => sent === kind).length;
const settled = (ticket: Ticket, actual = ticket.need): void => isolate.recorder.settled(ticket.settle(actual));

describe('the fast path', () => {
  it('asks once for many requests', async () => {
    for (let index = 0; index < 50; index++) settled(await admitted(isolate, [PLENTY], need(CENT)));
    expect(kinds()).toEqual(['acquire']);
    await world.clock.advance(60);
    expect(world.standing(PLENTY, 'cost')).toMatchObject({ spent: 50 * CENT });
    expect(world.standing(PLENTY, 'requests')).toMatchObject({ spent: 50 });
  });

  it('does not care for metrics that nothing bounds', async () => {
    const tokens = planOf([limitOf('tokens', 1_000_000)]);
    settled(await admitted(isolate, [tokens], need(CENT, 10)));
    settled(await admitted(isolate, [tokens], need(500 * CENT, 10)));
    expect(count('acquire')).toBe(1);
  });

  it('lets no request pass that nothing can count', async () => {
    for (const cost of [-1, 0.5, NaN, Infinity]) {
      await expect(isolate.admission.admit([PLENTY], { ...need(0), cost: cost as never })).rejects.toThrow(RangeError);
    }
    expect(world.sent).toEqual([]);
  });

  it('needs no ledger where nothing is limited', async () => {
    const ticket = await admitted(isolate, [], need(CENT));
    expect(ticket.settle(need(CENT))).toEqual([]);
    expect(world.sent).toEqual([]);
  });
});

describe('near the limit', () => {
  it.each([1, 3, 16, 17, 100, 333])('exactly %i of many equal requests succeed', async (room) => {
    const exact = planOf([limitOf('cost', room * CENT + CENT - 1), limitOf('requests', 1_000_000)]);
    const outcomes = await Promise.all(
      Array.from({ length: 2 * room + 5 }, () => isolate.admission.admit([exact], need(CENT))),
    );
    expect(outcomes.filter(({ ok }) => ok)).toHaveLength(room);
    expect(world.standing(exact, 'cost').reserved).toBeLessThanOrEqual(room * CENT);
  });

  it('uses up what other plans of the isolate have to spare', async () => {
    const shared = limitOf('requests', 100, { id: 'shared', tier: 'customer' });
    const first = planOf([shared, limitOf('cost', 100 * CENT, { id: 'one' })], 'customer:c');
    const second = planOf([shared, limitOf('cost', 100 * CENT, { id: 'two' })], 'customer:c');
    let succeeded = 0;
    for (let index = 0; index < 120; index++) {
      const { ok } = await isolate.admission.admit([index % 3 === 0 ? first : second], need(1));
      if (ok) succeeded++;
    }
    expect(succeeded).toBe(100);
  });

  it('gives back for one plan what another has to spare', async () => {
    const shared = limitOf('requests', 100, { id: 'shared', tier: 'customer' });
    const first = planOf([shared, limitOf('cost', 1_000 * CENT, { id: 'one' })], 'customer:c');
    const second = planOf([shared, limitOf('tokens', 1_000, { id: 'two' })], 'customer:c');
    await admitted(isolate, [first], need(1));
    expect(world.standing(first, 'requests').reserved).toBeGreaterThan(1);
    for (let index = 0; index < 99; index++) await admitted(isolate, [second], need(1));
    await refused(isolate, [second], need(1));
  });

  it('draws again on what was not used', async () => {
    const tight = planOf([limitOf('cost', 10 * CENT)]);
    for (let index = 0; index < 9; index++) settled(await admitted(isolate, [tight], need(2 * CENT)), need(CENT));
    await refused(isolate, [tight], need(2 * CENT));
    await world.clock.advance(60);
    expect(world.standing(tight, 'cost')).toMatchObject({ spent: 9 * CENT });
  });

  it('is not refused what another isolate holds idle, within a second', async () => {
    const other = world.isolate();
    const tight = planOf([limitOf('cost', 100 * CENT)]);
    other.recorder.settled((await admitted(other, [tight], need(99 * CENT))).cancel());
    await refused(isolate, [tight], need(50 * CENT));
    await world.clock.advance(1_000);
    await admitted(isolate, [tight], need(50 * CENT));
  });
});

describe('a refusal', () => {
  it('that only time changes is repeated without asking', async () => {
    const tight = planOf([limitOf('cost', 2 * CENT)]);
    settled(await admitted(isolate, [tight], need(2 * CENT)));
    await world.clock.advance(800);
    const first = await refused(isolate, [tight], need(CENT));
    expect(first.certainUntil).toBeDefined();
    const asked = count('acquire');
    expect(await refused(isolate, [tight], need(2 * CENT))).toMatchObject({
      need: 2 * CENT,
      limit: { amount: 2 * CENT },
    });
    expect(count('acquire')).toBe(asked);
    const raised = planOf([limitOf('cost', 4 * CENT)]);
    settled(await admitted(isolate, [raised], need(CENT)));
  });

  it('is asked anew for less, and once a minute', async () => {
    const tight = planOf([limitOf('cost', 10 * CENT)]);
    settled(await admitted(isolate, [tight], need(8 * CENT)));
    await world.clock.advance(800);
    await refused(isolate, [tight], need(3 * CENT));
    settled(await admitted(isolate, [tight], need(CENT)));
    await world.clock.advance(61_000);
    const asked = count('acquire');
    await refused(isolate, [tight], need(3 * CENT));
    expect(count('acquire')).toBe(asked + 1);
  });

  it('of what never fits is remembered too', async () => {
    const tight = planOf([limitOf('cost', CENT)]);
    expect(await refused(isolate, [tight], need(2 * CENT))).not.toHaveProperty('resetsAt');
    await refused(isolate, [tight], need(3 * CENT));
    expect(count('acquire')).toBe(1);
  });

  it('that may change at any moment is not', async () => {
    const tight = planOf([limitOf('cost', CENT)]);
    const ticket = await admitted(isolate, [tight], need(CENT));
    expect(await refused(isolate, [tight], need(CENT))).not.toHaveProperty('certainUntil');
    settled(ticket, need(0));
    settled(await admitted(isolate, [tight], need(CENT)));
  });
});

describe('two ledgers', () => {
  const payer = planOf([limitOf('requests', 1_000)]);
  const server = planOf([limitOf('requests', 10, { tier: 'server' })], 'server:s');

  it('are charged both, each its own', async () => {
    const charges = (await admitted(isolate, [payer, server], need(0))).settle(need(0));
    expect(charges.map(({ ledger }) => ledger)).toEqual(['key:k', 'server:s']);
    isolate.recorder.settled(charges);
    await world.clock.advance(1_000);
    expect(world.standing(payer, 'requests')).toMatchObject({ spent: 1, reserved: 0 });
    expect(world.standing(server, 'requests')).toMatchObject({ spent: 1, reserved: 0 });
  });

  it('the first gets back at once what the second refuses', async () => {
    for (let index = 0; index < 10; index++) settled(await admitted(isolate, [server], need(0)));
    expect(await refused(isolate, [payer, server], need(0))).toMatchObject({ limit: { tier: 'server' } });
    await world.clock.advance(300);
    expect(world.standing(payer, 'requests')).toMatchObject({ spent: 0, reserved: 0 });
  });

  it('the first gets it back too where the second is out of reach', async () => {
    world.isHeld = true;
    const outcome = isolate.admission.admit([payer, server], need(0));
    world.letters[0]?.reply();
    await settle();
    world.letters[1]?.fail(new Error('no ledger'));
    await expect(outcome).rejects.toThrow(LimitsUnavailable);
    world.isHeld = false;
    await world.clock.advance(1_500);
    expect(world.standing(payer, 'requests')).toMatchObject({ spent: 0, reserved: 0 });
    expect(isolate.pool.isAtRest).toBe(true);
  });
});

describe('concurrent requests', () => {
  it('are held to their number, and freed at once', async () => {
    const three = planOf([limitOf('concurrent', 3)]);
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => isolate.admission.admit([three], need(CENT))));
    const tickets = outcomes.flatMap((outcome) => (outcome.ok ? [outcome.value] : []));
    expect(tickets).toHaveLength(3);
    const asked = count('acquire');
    expect(await refused(isolate, [three], need(CENT))).toMatchObject({ limit: { metric: 'concurrent' }, reserved: 3 });
    expect(count('acquire'), 'known without asking').toBe(asked);
    tickets.pop()?.settle(need(CENT));
    tickets.push(await admitted(isolate, [three], need(CENT)));
    for (const ticket of tickets) ticket.cancel();
    await world.clock.advance(1_500);
    expect(world.standing(three, 'concurrent').reserved).toBe(0);
    expect(isolate.pool.isAtRest).toBe(true);
  });

  it('are held to their number across isolates', async () => {
    const three = planOf([limitOf('concurrent', 3)]);
    const other = world.isolate();
    const tickets = [await admitted(isolate, [three], need(0)), await admitted(other, [three], need(0))];
    tickets.push(await admitted(other, [three], need(0)));
    await refused(isolate, [three], need(0));
    tickets[1]?.cancel();
    await world.clock.advance(1_000);
    await admitted(isolate, [three], need(0));
  });
});

describe('what is used beyond what was drawn', () => {
  it('comes out of the lease where it has enough', async () => {
    const ticket = await admitted(isolate, [PLENTY], need(CENT));
    const [settlement] = ticket.settle(need(3 * CENT));
    expect(settlement?.charge).toMatchObject({
      release: { cost: 3 * CENT },
      actual: { cost: 3 * CENT },
      over: { cost: 2 * CENT },
    });
  });

  it('is charged all the same where it has not', async () => {
    const tight = planOf([limitOf('cost', 5 * CENT)]);
    const ticket = await admitted(isolate, [tight], need(5 * CENT));
    const charges = ticket.settle(need(7 * CENT));
    expect(charges[0]?.charge).toMatchObject({ release: { cost: 5 * CENT }, over: { cost: 2 * CENT } });
    isolate.recorder.settled(charges);
    await world.clock.advance(1_000);
    expect(world.standing(tight, 'cost')).toMatchObject({ spent: 7 * CENT, over: 2 * CENT, reserved: 0 });
  });
});

describe('a ticket', () => {
  it('is settled once, with an amount', async () => {
    const ticket = await admitted(isolate, [PLENTY], need(CENT));
    expect(() => ticket.settle(need(0, -1))).toThrow(RangeError);
    ticket.settle(need(CENT));
    expect(() => ticket.settle(need(CENT))).toThrow('once');
    expect(() => ticket.cancel()).toThrow('once');
  });

  it('that is cancelled changes nothing while its lease is open, and releases it afterwards', async () => {
    expect((await admitted(isolate, [PLENTY], need(CENT))).cancel()).toEqual([]);
    const late = await admitted(isolate, [PLENTY], need(CENT));
    await world.clock.advance(1_000);
    expect(world.standing(PLENTY, 'cost')).toMatchObject({ spent: 0, reserved: CENT });
    settled(late, need(0));
    await world.clock.advance(60);
    expect(world.standing(PLENTY, 'cost')).toMatchObject({ spent: 0, reserved: 0 });
  });

  it('whose charge nobody took counts as it was drawn', async () => {
    const ticket = await admitted(isolate, [PLENTY], need(5 * CENT));
    const charges = ticket.settle(need(2 * CENT));
    vi.spyOn(isolate.buffer, 'append').mockImplementation(() => {
      throw new AuditOverflow('full');
    });
    expect(() => isolate.recorder.settled(charges)).toThrow(AuditOverflow);
    await world.clock.advance(1_000);
    expect(world.standing(PLENTY, 'cost')).toMatchObject({ spent: 0, reserved: 2 * CENT });
    await world.clock.advance(61_000);
    expect(world.standing(PLENTY, 'cost')).toMatchObject({ reserved: 2 * CENT, presumed: 2 * CENT });
  });
});

describe('a ledger that does not answer', () => {
  it('is asked once more for the same where it moved', async () => {
    world.isHeld = true;
    const outcome = isolate.admission.admit([PLENTY], need(CENT));
    world.letters[0]?.deliver();
    world.letters[0]?.fail(TRANSIENT);
    await settle();
    world.letters[1]?.reply();
    expect((await outcome).ok).toBe(true);
    expect(world.sent[1]).toEqual(world.sent[0]);
  });

  it('lets nothing pass, and what it may have granted is given up', async () => {
    world.isHeld = true;
    const outcome = isolate.admission.admit([PLENTY], need(CENT));
    world.letters[0]?.deliver();
    world.letters[0]?.fail(new Error('gone'));
    await expect(outcome).rejects.toThrow(LimitsUnavailable);
    expect(world.standing(PLENTY, 'cost').reserved).toBeGreaterThan(0);
    world.isHeld = false;
    await world.clock.advance(1_500);
    expect(world.standing(PLENTY, 'cost')).toMatchObject({ spent: 0, reserved: 0 });
    expect(isolate.pool.isAtRest).toBe(true);
  });

  it('is told again what it did not hear', async () => {
    settled(await admitted(isolate, [PLENTY], need(CENT)));
    await world.clock.advance(400);
    world.isHeld = true;
    await world.clock.advance(400);
    const report = world.letters.find(({ message }) => message.kind === 'report');
    report?.fail(new Error('gone'));
    await settle();
    world.isHeld = false;
    await world.clock.advance(1_000);
    expect(world.standing(PLENTY, 'cost')).toMatchObject({ spent: CENT, reserved: 0 });
    expect(isolate.pool.isAtRest).toBe(true);
  });

  it('does not keep what was asked by a request that ended', async () => {
    world.isHeld = true;
    void isolate.admission.admit([PLENTY], need(CENT));
    world.letters[0]?.deliver(); // and its answer never arrives
    world.isHeld = false;
    await world.clock.advance(21_000);
    expect(world.standing(PLENTY, 'cost')).toMatchObject({ spent: 0, reserved: 0 });
  });
});

describe('the keeper', () => {
  it('gives back what is idle within a second, and ends', async () => {
    settled(await admitted(isolate, [PLENTY], need(CENT)));
    expect(world.standing(PLENTY, 'cost').reserved).toBeGreaterThan(CENT);
    await world.clock.advance(1_000);
    expect(world.standing(PLENTY, 'cost')).toMatchObject({ spent: CENT, reserved: 0 });
    expect(world.clock.sleeping).toBe(0);
    const said = world.sent.length;
    await world.clock.advance(10_000);
    expect(world.sent).toHaveLength(said);
  });

  it('keeps a long request alive', async () => {
    const ticket = await admitted(
      isolate,
      [planOf([limitOf('cost', 10 * CENT), limitOf('concurrent', 1)])],
      need(CENT),
    );
    const held = planOf([limitOf('cost', 10 * CENT), limitOf('concurrent', 1)]);
    await world.clock.advance(300_000);
    expect(world.standing(held, 'cost')).toMatchObject({ reserved: CENT, presumed: 0 });
    expect(world.standing(held, 'concurrent').reserved).toBe(1);
    settled(ticket);
    await world.clock.advance(1_000);
    expect(world.standing(held, 'cost')).toMatchObject({ spent: CENT, reserved: 0 });
    expect(world.standing(held, 'concurrent').reserved).toBe(0);
  });

  it('is followed by another when its request ends', async () => {
    settled(await admitted(isolate, [PLENTY], need(CENT)));
    world.clock.stop(); // what the request was to do is not done
    await world.clock.advance(5_000);
    const reserved = world.standing(PLENTY, 'cost').reserved;
    expect(reserved).toBeGreaterThan(0);
    settled(await admitted(isolate, [planOf([limitOf('requests', 5, { id: 'other' })])], need(0)));
    await world.clock.advance(1_000);
    expect(world.standing(PLENTY, 'cost').reserved).toBe(0);
  });

  it('gives everything back at once when it is to end', async () => {
    settled(await admitted(isolate, [PLENTY], need(CENT)));
    const running = await admitted(isolate, [PLENTY], need(2 * CENT));
    const surrendered = isolate.surrender(world.clock.now + 500);
    await settle();
    expect(world.standing(PLENTY, 'cost').reserved).toBe(3 * CENT);
    settled(running);
    await world.clock.advance(60);
    expect(await surrendered).toBe(true);
    expect(world.standing(PLENTY, 'cost')).toMatchObject({ spent: 3 * CENT, reserved: 0 });
  });

  it('does not wait for ever for what is under way', async () => {
    await admitted(isolate, [PLENTY], need(2 * CENT));
    const surrendered = isolate.surrender(world.clock.now + 500);
    await world.clock.advance(600);
    expect(await surrendered).toBe(false);
    expect(world.standing(PLENTY, 'cost').reserved).toBe(2 * CENT);
  });
});
