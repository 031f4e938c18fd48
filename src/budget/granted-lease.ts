// One lease as its ledger knows it, and what it puts on the counters of its plan.
import type { Charge } from './admission.ts';
import { add, NOTHING, type Sums } from './amounts.ts';
import type { Counter } from './counter.ts';
import { Draws, type DrawRange } from './draws.ts';
import { LEASE_LIFETIME_MS } from './lease.ts';
import type { Amounts, Limit } from './limits.ts';

/** As it is stored. */
export interface StoredLease {
  readonly id: string;
  readonly holder: string;
  readonly plan: string;
  readonly grantedAt: number;
  readonly expiresAt: number;
  readonly granted: Readonly<Sums>;
  /** Of `granted`, what was not asked for. */
  readonly slack: Readonly<Sums>;
  /** The sum of all `Charge.release`. */
  readonly released: Readonly<Sums>;
  /** What it was trimmed to. */
  readonly drawn?: Amounts;
  /** Those that were charged. */
  readonly draws: readonly DrawRange[];
}

/** A charge plan whose windowed limits have found their counters. */
export interface LeasedPlan {
  readonly id: string;
  /** From the widest to the narrowest. */
  readonly limits: readonly Limit[];
  readonly counters: readonly Counter[];
  leases: number;
  usedAt: number;
}

/**
 * Living, it counts in every window. Once its holder has been silent for too long, what is outstanding counts as presumed
 * in the windows that its expiry lies in.
 */
export class GrantedLease {
  readonly id: string;
  readonly holder: string;
  readonly plan: LeasedPlan;
  readonly grantedAt: number;
  readonly granted: Readonly<Sums>;
  readonly #slack: Readonly<Sums>;
  readonly #draws: Draws;
  readonly #released: Sums;
  #drawn: Amounts | undefined;
  #expiresAt: number;
  #isDead = false;

  constructor(stored: Omit<StoredLease, 'plan'>, plan: LeasedPlan) {
    this.id = stored.id;
    this.holder = stored.holder;
    this.plan = plan;
    this.grantedAt = stored.grantedAt;
    this.granted = stored.granted;
    this.#slack = stored.slack;
    this.#draws = new Draws(stored.draws);
    this.#released = { ...stored.released };
    this.#drawn = stored.drawn;
    this.#expiresAt = stored.expiresAt;
    plan.leases++;
    this.#move(NOWHERE, this.#footprint());
  }

  /** The first that is granted. @param slack what nobody asked for */
  static grant(id: string, holder: string, plan: LeasedPlan, need: Amounts, slack: Amounts, now: number): GrantedLease {
    const granted: Sums = { ...need };
    add(granted, slack);
    const expiresAt = now + LEASE_LIFETIME_MS;
    return new GrantedLease(
      { id, holder, grantedAt: now, expiresAt, granted, slack, released: NOTHING, draws: [] },
      plan,
    );
  }

  get expiresAt(): number {
    return this.#expiresAt;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  get isTrimmed(): boolean {
    return this.#drawn !== undefined;
  }

  /** Everything that was drawn on it has been charged. */
  get isOver(): boolean {
    const { cost, tokens, requests } = this.#released;
    const drawn = this.#drawn;
    return drawn !== undefined && cost >= drawn.cost && tokens >= drawn.tokens && requests >= drawn.requests;
  }

  /** When it has left every window, should it die. */
  get forgetAt(): number {
    const left = this.plan.counters.map(({ window }) => window.leavesAt(window.bucketOf(this.#expiresAt)));
    return Math.max(this.#expiresAt, ...left);
  }

  /** A dead lease stays dead: others have been given what it no longer counts for. @returns whether anything changed */
  renew(now: number): boolean {
    if (this.#isDead || this.#expiresAt >= now + LEASE_LIFETIME_MS) return false;
    this.#expiresAt = now + LEASE_LIFETIME_MS;
    return true;
  }

  die(): void {
    const before = this.#footprint();
    this.#isDead = true;
    this.#move(before, this.#footprint());
  }

  /** The first word counts. @returns whether anything changed */
  trim(drawn: Amounts): boolean {
    if (this.#drawn !== undefined) return false;
    const before = this.#footprint();
    this.#drawn = drawn;
    this.#move(before, this.#footprint());
    return true;
  }

  /**
   * Relieves the lease, and settles what was used when the request was admitted: after the grant, before now, and within
   * the lease's life, for that long it was counted. @returns whether the draw is charged for the first time
   */
  charge({ draw, at, release, actual, over }: Charge, now: number): boolean {
    if (!this.#draws.add(draw)) return false;
    const admittedAt = Math.max(this.grantedAt, Math.min(at, now, this.#expiresAt));
    const before = this.#footprint();
    add(this.#released, release);
    const after = this.#footprint();
    this.#move(before, after);
    for (const counter of this.plan.counters) {
      const { metric } = counter;
      const used = actual[metric];
      const passed = Math.max(over?.[metric] ?? 0, used - (before.outstanding[metric] - after.outstanding[metric]));
      counter.settle(admittedAt, used, Math.min(used, passed));
    }
    return true;
  }

  /** Takes it off its counters. */
  end(): void {
    this.#move(this.#footprint(), NOWHERE);
    this.plan.leases--;
  }

  stored(): StoredLease {
    return {
      id: this.id,
      holder: this.holder,
      plan: this.plan.id,
      grantedAt: this.grantedAt,
      expiresAt: this.#expiresAt,
      granted: this.granted,
      slack: this.#slack,
      released: { ...this.#released },
      ...(this.#drawn && { drawn: this.#drawn }),
      draws: this.#draws.ranges,
    };
  }

  #footprint(): Footprint {
    const outstanding = {
      cost: this.#outstanding('cost'),
      tokens: this.#outstanding('tokens'),
      requests: this.#outstanding('requests'),
    };
    if (this.#isDead) return { outstanding, held: NOTHING, slack: NOTHING };
    return {
      outstanding,
      held: outstanding,
      slack: this.#drawn === undefined ? least(this.#slack, outstanding) : NOTHING,
    };
  }

  #outstanding(metric: keyof Amounts): number {
    const granted = this.granted[metric];
    const kept = this.#drawn === undefined ? granted : Math.min(this.#drawn[metric], granted);
    return Math.max(0, kept - this.#released[metric]);
  }

  #move(from: Footprint, to: Footprint): void {
    for (const counter of this.plan.counters) {
      const { metric } = counter;
      const held = to.held[metric] - from.held[metric];
      const presumed = to.outstanding[metric] - from.outstanding[metric] - held;
      counter.held += held;
      counter.slack += to.slack[metric] - from.slack[metric];
      if (presumed !== 0) counter.presume(this.#expiresAt, presumed);
    }
  }
}

/** What a lease puts on its counters. What is outstanding and not held is presumed. */
interface Footprint {
  readonly outstanding: Readonly<Sums>;
  readonly held: Readonly<Sums>;
  readonly slack: Readonly<Sums>;
}

const NOWHERE: Footprint = { outstanding: NOTHING, held: NOTHING, slack: NOTHING };

function least(a: Readonly<Sums>, b: Readonly<Sums>): Sums {
  return {
    cost: Math.min(a.cost, b.cost),
    tokens: Math.min(a.tokens, b.tokens),
    requests: Math.min(a.requests, b.requests),
  };
}
