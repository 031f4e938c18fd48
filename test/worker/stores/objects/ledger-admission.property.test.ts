// Isolates that draw, settle, crash and lose messages, against the ledger itself: what was used is never more than what is
// held against the limits, and that never more than the limits.
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi, type MockInstance } from 'vitest';
import { LimitsUnavailable, type LimitStanding, type Ticket } from '../../../../src/budget/admission.ts';
import type { Amounts, ChargePlan } from '../../../../src/budget/limits.ts';
import { CENT, limitOf, need, planOf, World, type Isolate } from './ledger-world.ts';
import { settle } from './test-clock.ts';

const ISOLATES = 3;
const RUNS = 1_500;
const GONE = new Error('gone');
const MOVED = Object.assign(new Error('moved'), { retryable: true });

let complaints: MockInstance[];
beforeEach(() => {
  complaints = (['warn', 'error'] as const).map((level) => vi.spyOn(console, level).mockImplementation(() => {}));
});
afterEach(() => {
  for (const complaint of complaints) complaint.mockRestore();
});

const CUSTOMER = limitOf('cost', 40 * CENT, { id: 'customer', tier: 'customer' });
const SLOTS = limitOf('concurrent', 4, { id: 'slots', tier: 'customer' });
const ONE = planOf([CUSTOMER, SLOTS, limitOf('requests', 30, { id: 'one' })], 'customer:c');
const TWO = planOf([CUSTOMER, limitOf('tokens', 900, { id: 'two' })], 'customer:c');
const SERVER = planOf([limitOf('requests', 25, { id: 'server', tier: 'server' })], 'server:s');
const PLANS = [ONE, TWO, SERVER];
const CHOICES: readonly (readonly ChargePlan[])[] = [[ONE], [TWO], [ONE, SERVER], [TWO, SERVER], [SERVER]];

interface Held {
  readonly isolate: Isolate;
  readonly plans: readonly ChargePlan[];
  readonly ticket: Ticket;
}

/** What really happened, by counter. */
class Truth {
  readonly used = new Map<string, number>();

  use(plans: readonly ChargePlan[], amounts: Amounts): void {
    for (const { id, metric } of plans.flatMap(({ limits }) => limits)) {
      if (metric !== 'concurrent') this.used.set(id, (this.used.get(id) ?? 0) + amounts[metric]);
    }
  }
}

class Story {
  readonly world = new World();
  readonly truth = new Truth();
  readonly isolates: Isolate[] = Array.from({ length: ISOLATES }, () => this.world.isolate());
  held: Held[] = [];
  /** Other than those that the network made. */
  readonly faults: unknown[] = [];

  constructor() {
    this.world.clock.now = Date.UTC(2026, 10, 22, 12);
    this.world.isHeld = true;
  }

  async begin(which: number, choice: number, cost: number): Promise<void> {
    const isolate = this.isolates[which % ISOLATES];
    const plans = CHOICES[choice % CHOICES.length];
    if (isolate === undefined || plans === undefined) return;
    void this.#admit(isolate, plans, need((cost % 12) * CENT, cost % 100));
    await settle();
  }

  async #admit(isolate: Isolate, plans: readonly ChargePlan[], amounts: Amounts): Promise<void> {
    try {
      const outcome = await isolate.admission.admit(plans, amounts);
      if (outcome.ok) this.held.push({ isolate, plans, ticket: outcome.value });
    } catch (fault) {
      if (!(fault instanceof LimitsUnavailable)) this.faults.push(fault);
    }
  }

  /** @param part of a hundred, of what was drawn */
  end(which: number, part: number): void {
    const [held] = this.held.splice(which % Math.max(1, this.held.length), 1);
    if (held === undefined) return;
    const { isolate, plans, ticket } = held;
    const { cost, tokens } = ticket.need;
    if (part === 0) {
      isolate.recorder.settled(ticket.cancel());
      return;
    }
    const actual = need(Math.floor((cost * part) / 100), Math.floor((tokens * part) / 100));
    this.truth.use(plans, actual);
    isolate.recorder.settled(ticket.settle(actual));
  }

  async post(which: number, fate: number): Promise<void> {
    const { letters } = this.world;
    const [letter] = letters.splice(which % Math.max(1, letters.length), 1);
    if (letter === undefined) return;
    if (fate >= 2) letter.deliver();
    if (fate >= 4) letter.deliver(); // once more
    if (fate === 1 || fate === 2) letter.fail(GONE);
    else if (fate === 0 || fate === 3) letter.fail(MOVED);
    else letter.reply();
    await settle();
  }

  crash(which: number): void {
    const isolate = this.isolates[which % ISOLATES];
    if (isolate === undefined) return;
    isolate.crash();
    // Nobody knows what they used: all of it, for all that the ledger knows.
    for (const { plans, ticket } of this.held.filter((held) => held.isolate === isolate))
      this.truth.use(plans, ticket.need);
    this.held = this.held.filter((held) => held.isolate !== isolate);
    this.isolates[which % ISOLATES] = this.world.isolate();
  }

  /** Neither more than the limits, nor less than what was used. */
  checkSpend(): void {
    const underWay = new Truth();
    for (const { plans, ticket } of this.held) underWay.use(plans, ticket.need);
    for (const {
      limit: { id, amount, metric },
      spent,
      reserved,
      over,
    } of this.standings()) {
      expect(over).toBe(0);
      if (metric === 'concurrent') continue;
      expect(spent + reserved, `${id} within its limit`).toBeLessThanOrEqual(amount);
      const used = (this.truth.used.get(id) ?? 0) + (underWay.used.get(id) ?? 0);
      expect(used, `${id} counted`).toBeLessThanOrEqual(spent + reserved);
    }
    expect(this.world.unknown).toEqual([]);
  }

  checkRunning(): void {
    const running = this.held.filter(({ plans }) => plans.includes(ONE)).length;
    expect(running, 'running').toBeLessThanOrEqual(SLOTS.amount);
  }

  standings(): LimitStanding[] {
    return PLANS.flatMap((one) => this.world.standings(one));
  }

  /** Everybody is heard, and every request ends. */
  async rest(): Promise<void> {
    this.world.isHeld = false;
    for (let round = 0; round < 4; round++) {
      while (this.world.letters.length > 0) await this.post(0, 5);
      await this.world.clock.advance(200); // who waits for the answer to another goes on
      while (this.held.length > 0) this.end(0, 100);
      await this.world.clock.advance(3_000);
      for (const isolate of this.isolates) {
        // A later request takes up what earlier ones left.
        const surrendered = isolate.surrender(this.world.clock.now + 1_000);
        await settle();
        await this.world.clock.advance(1_100);
        expect(await surrendered).toBe(true);
      }
    }
    for (const { pool, buffer } of this.isolates) {
      expect(pool.isAtRest).toBe(true);
      expect(buffer.isEmpty).toBe(true);
    }
  }
}

const which = fc.nat({ max: 30 });
const STEPS = {
  begin: fc.tuple(which, which, fc.nat({ max: 1_000 })),
  end: fc.tuple(which, fc.nat({ max: 100 })),
  post: fc.tuple(which, fc.nat({ max: 12 })),
  wait: fc.nat({ max: 900 }),
  crash: which,
  jump: fc.constantFrom(-40_000, -700, 700, 40_000),
};
type Step = readonly [keyof typeof STEPS, ...number[]];
const stepOf = (kind: keyof typeof STEPS): fc.Arbitrary<Step> =>
  fc.tuple(fc.constant(kind), STEPS[kind]).map(([name, values]) => [name].concat(values as never) as never);

async function act(story: Story, [kind, first = 0, second = 0, third = 0]: Step): Promise<void> {
  if (kind === 'begin') await story.begin(first, second, third);
  else if (kind === 'end') story.end(first, second);
  else if (kind === 'post') await story.post(first, second);
  else if (kind === 'wait') await story.world.clock.advance(first);
  else if (kind === 'crash') story.crash(first);
  else story.world.clock.jump(first);
  await settle();
}

const ordinary = [
  { weight: 6, arbitrary: stepOf('begin') },
  { weight: 5, arbitrary: stepOf('end') },
  { weight: 12, arbitrary: stepOf('post') },
  { weight: 2, arbitrary: stepOf('wait') },
];

describe('any interleaving', () => {
  it('without crashes keeps the limits, loses nothing, and gives everything back', { timeout: 120_000 }, async () => {
    const stories = fc.array(fc.oneof(...ordinary), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(stories, async (steps) => {
        const story = new Story();
        for (const step of steps) {
          await act(story, step);
          story.checkSpend();
          story.checkRunning();
          expect(story.faults).toEqual([]);
        }
        await story.rest();
        for (const {
          limit: { id },
          spent,
          reserved,
        } of story.standings()) {
          expect(reserved, `${id} returned`).toBe(0);
          expect(spent, `${id} spent`).toBe(story.truth.used.get(id) ?? 0);
        }
      }),
      { numRuns: RUNS },
    );
  });

  it('with crashes and clocks that jump never counts too little', { timeout: 120_000 }, async () => {
    const steps = [...ordinary, { weight: 1, arbitrary: stepOf('crash') }, { weight: 1, arbitrary: stepOf('jump') }];
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(...steps), { maxLength: 60 }), async (taken) => {
        const story = new Story();
        for (const step of taken) {
          await act(story, step);
          story.checkSpend();
        }
        await story.rest();
        story.checkSpend();
      }),
      { numRuns: RUNS },
    );
  });
});

describe('one isolate', () => {
  it('gets all that fits, whatever the order of events', { timeout: 120_000 }, async () => {
    const room = fc.integer({ min: 1, max: 70 });
    const rhythm = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(room, rhythm, fc.boolean(), async (fits, posts, isTwoPlans) => {
        const world = new World();
        const isolate = world.isolate();
        world.isHeld = true;
        const shared = limitOf('cost', fits * CENT + 7, { id: 'shared', tier: 'customer' });
        const plans = [planOf([shared]), planOf([shared, limitOf('requests', 1_000_000)])];
        const asked = Array.from({ length: fits + 20 }, async (_, index) => {
          const chosen = plans[isTwoPlans ? index % 2 : 0];
          return isolate.admission.admit(chosen === undefined ? [] : [chosen], need(CENT));
        });
        for (let turn = 0; world.letters.length > 0; turn++) {
          for (let posted = posts[turn % posts.length] ?? 0; posted >= 0; posted--) world.letters.shift()?.reply();
          await settle();
        }
        const outcomes = await Promise.all(asked);
        expect(outcomes.filter(({ ok }) => ok)).toHaveLength(fits);
      }),
      { numRuns: 300 },
    );
  });
});
