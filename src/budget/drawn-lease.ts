// One slice of all limits of a plan, as the isolate holds it, and what is drawn on it.
import type { Charge } from './admission.ts';
import { add, boundAmounts, excess, isNothing, subtract, toAmounts, type Bounds, type Sums } from './amounts.ts';
import type { LeaseTrim } from './lease.ts';
import type { Amounts, ChargePlan } from './limits.ts';
import type { SlotHold } from './slot-hold.ts';

/** A plan as it is drawn on. */
export interface DrawnPlan {
  readonly plan: ChargePlan;
  /** Metrics that no limit of the plan bounds are neither granted nor drawn. */
  readonly bounds: Bounds;
  readonly slots: readonly SlotHold[];
  /** Those that are open. */
  readonly leases: DrawnLease[];
  /** Drawn, less what came back unused, since the ledger was last asked. */
  readonly drawn: Sums;
}

export class DrawnLease {
  readonly id: string;
  readonly of: DrawnPlan;
  readonly #granted: Amounts;
  readonly #undrawn: Sums;
  #isOpen = true;
  #underWay = 0;
  #charges = 0;
  #drawnAt: number;

  constructor(id: string, of: DrawnPlan, granted: Amounts, now: number) {
    this.id = id;
    this.of = of;
    this.#granted = boundAmounts(of.bounds, granted);
    this.#undrawn = { ...this.#granted };
    this.#drawnAt = now;
    of.leases.push(this);
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  get isInUse(): boolean {
    return this.#underWay > 0;
  }

  get hasUndrawn(): boolean {
    return this.#isOpen && !isNothing(this.#undrawn);
  }

  get undrawn(): Readonly<Sums> {
    return this.#undrawn;
  }

  covers(need: Amounts): boolean {
    const { bounds } = this.of;
    const undrawn = this.#undrawn;
    return (
      (!bounds.cost || undrawn.cost >= need.cost) &&
      (!bounds.tokens || undrawn.tokens >= need.tokens) &&
      (!bounds.requests || undrawn.requests >= need.requests)
    );
  }

  /** Whether it cannot serve, and something of it could go back: the rest of it, or all of it, for its draws are over. */
  isUseless(need: Amounts): boolean {
    return !this.covers(need) && (this.hasUndrawn || !this.isInUse);
  }

  /** Only while it is open and covers the need. The slots have been taken. */
  draw(need: Amounts, now: number): Draw {
    const amounts = boundAmounts(this.of.bounds, need);
    subtract(this.#undrawn, amounts);
    add(this.of.drawn, amounts);
    this.#underWay++;
    this.#drawnAt = now;
    return new Draw(this, amounts, now);
  }

  /**
   * Whether nothing was drawn for so long and something could go back; a clock that was put back begins anew. While all
   * of it is under way it stays open, so that what its draws leave can be drawn again at once.
   */
  isIdle(now: number, ms: number): boolean {
    if (now < this.#drawnAt) this.#drawnAt = now;
    return now - this.#drawnAt >= ms && (this.hasUndrawn || !this.isInUse);
  }

  /** No more is drawn on it: what is under way will be released whole. */
  close(): LeaseTrim {
    this.#isOpen = false;
    this.of.leases.splice(this.of.leases.indexOf(this), 1);
    const drawn: Sums = { ...this.#granted };
    subtract(drawn, this.#undrawn);
    return { lease: this.id, drawn: toAmounts(drawn) };
  }

  /** @returns undefined where it changes nothing */
  settle({ amounts, at }: Draw, used: Amounts): Charge | undefined {
    this.#underWay--;
    for (const slot of this.of.slots) slot.free();
    const actual = boundAmounts(this.of.bounds, used);
    add(this.of.drawn, actual);
    subtract(this.of.drawn, amounts);
    const release = this.#isOpen ? this.#release(amounts, actual) : amounts;
    if (isNothing(release) && isNothing(actual)) return undefined;
    const over = excess(actual, amounts);
    this.#charges++;
    return { lease: this.id, draw: this.#charges, at, release, actual, ...(over !== undefined && { over }) };
  }

  /** What was not used may be drawn again, and what was used beyond what was drawn comes out of what is still here. */
  #release(drawn: Amounts, used: Amounts): Amounts {
    add(this.#undrawn, drawn);
    const { cost, tokens, requests } = this.#undrawn;
    const release = {
      cost: Math.min(cost, used.cost),
      tokens: Math.min(tokens, used.tokens),
      requests: Math.min(requests, used.requests),
    };
    subtract(this.#undrawn, release);
    return toAmounts(release);
  }
}

/** What one request drew on one lease. */
export class Draw {
  readonly lease: DrawnLease;
  readonly amounts: Amounts;
  /** Milliseconds since the epoch. */
  readonly at: number;

  constructor(lease: DrawnLease, amounts: Amounts, at: number) {
    this.lease = lease;
    this.amounts = amounts;
    this.at = at;
  }
}
