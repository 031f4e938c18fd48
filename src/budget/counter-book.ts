// The counters and plans that are in use; others wait in storage. A counter that is new begins with what was spent before
// anybody limited it, and one that was not in use for a while is given what was spent meanwhile.
import { DAY_MS, HOUR_MS } from '../lib/time.ts';
import { Counter, type LeasedMetric, type StoredCell } from './counter.ts';
import type { LeasedPlan } from './granted-lease.ts';
import { LIMIT_TIERS, type Limit, type LimitTier } from './limits.ts';
import type { SettledSpend, SpendTier } from './settled-spend.ts';

export interface StoredCounter {
  readonly id: string;
  readonly cells: readonly StoredCell[];
  /** When it last changed, by the ledger's time. */
  readonly changedAt: number;
  /** From when on its cells are worth nothing, and what was spent in its window is known without it. */
  readonly forgetAt: number;
}

export interface StoredPlan {
  readonly id: string;
  readonly limits: readonly Limit[];
}

/** What is stored, read where it is needed. */
export interface CounterSource {
  /** Undefined where the counter never changed. */
  counter(id: string): Pick<StoredCounter, 'cells' | 'changedAt'> | undefined;
  /** Settled spend by the hour. @param since the first hour, in hours since the epoch */
  spend(tier: SpendTier, name: string, since: number): readonly SettledSpend[];
}

/** How long what nobody uses stays in memory. */
const IDLE_MS = 10 * 60_000;
/** Settled spend is known by the hour: a counter must outlive the last of it, or that would count again. */
const KEEP_EMPTY_MS = DAY_MS;
/** By how much the clock of a gateway may be ahead of the ledger's. */
const CLOCKS_APART_MS = 60_000;

export class CounterBook {
  readonly #source: CounterSource;
  readonly #counters = new Map<string, Counter>();
  readonly #plans = new Map<string, LeasedPlan>();
  #changed = new Set<Counter>();
  #newPlans = new Set<LeasedPlan>();
  #gonePlans = new Set<string>();
  #tidyAt = 0;

  constructor(source: CounterSource) {
    this.#source = source;
  }

  /** The counter of a windowed limit, at the present time. @throws RangeError where the window is none */
  counter(limit: Limit, metric: LeasedMetric, now: number): Counter {
    const known = this.#counters.get(limit.id);
    const counter = known ?? this.#restore(limit, metric);
    if (known === undefined) this.#counters.set(limit.id, counter);
    counter.limit = limit;
    this.advance(counter, now);
    return counter;
  }

  /** Brings a counter to the present time. */
  advance(counter: Counter, now: number): void {
    counter.advance(now);
    this.#catchUp(counter, now);
  }

  /** @param limits ordered by tier or not; they come out so */
  plan(id: string, limits: readonly Limit[], now: number): LeasedPlan {
    const known = this.#plans.get(id);
    if (known !== undefined) {
      known.usedAt = now;
      for (const limit of known.limits) if (limit.metric !== 'concurrent') this.counter(limit, limit.metric, now);
      return known;
    }
    const plan = this.restorePlan({ id, limits }, now);
    this.#newPlans.add(plan);
    this.#gonePlans.delete(id);
    return plan;
  }

  restorePlan({ id, limits }: StoredPlan, now: number): LeasedPlan {
    const ordered = limits.toSorted((a, b) => widthOf(a.tier) - widthOf(b.tier));
    const counters = ordered.flatMap((limit) =>
      limit.metric === 'concurrent' ? [] : [this.counter(limit, limit.metric, now)],
    );
    const plan = { id, limits: ordered, counters, leases: 0, usedAt: now };
    this.#plans.set(id, plan);
    return plan;
  }

  changed(counters: readonly Counter[]): void {
    for (const counter of counters) this.#changed.add(counter);
  }

  /** Takes out of memory what nobody uses. */
  tidy(now: number): void {
    if (now < this.#tidyAt) return;
    this.#tidyAt = now + IDLE_MS;
    const inUse = new Set<Counter>();
    for (const plan of this.#plans.values()) {
      if (plan.leases > 0 || now < plan.usedAt + IDLE_MS) {
        for (const counter of plan.counters) inUse.add(counter);
      } else {
        this.#plans.delete(plan.id);
        this.#newPlans.delete(plan);
        this.#gonePlans.add(plan.id);
      }
    }
    for (const [id, counter] of this.#counters) {
      if (!inUse.has(counter) && !this.#changed.has(counter) && now >= counter.usedAt + IDLE_MS)
        this.#counters.delete(id);
    }
  }

  /** Each told once. */
  takeChanges(now: number): {
    readonly counters: readonly StoredCounter[];
    readonly plans: readonly StoredPlan[];
    readonly gonePlans: readonly string[];
  } {
    const counters = [...this.#changed].map((counter) => {
      counter.changedAt = now;
      const forgetAt = counter.emptyAt(now) + KEEP_EMPTY_MS;
      return { id: counter.limit.id, cells: counter.stored(), changedAt: now, forgetAt };
    });
    const plans = [...this.#newPlans].map(({ id, limits }) => ({ id, limits }));
    const gonePlans = [...this.#gonePlans];
    this.#changed = new Set();
    this.#newPlans = new Set();
    this.#gonePlans = new Set();
    return { counters, plans, gonePlans };
  }

  #restore(limit: Limit, metric: LeasedMetric): Counter {
    const stored = this.#source.counter(limit.id);
    return new Counter({ ...limit, metric }, stored?.cells ?? [], stored?.changedAt);
  }

  /**
   * Adds what was spent while the limit was none. Every charge of its owner changes a counter that is in use, so what was
   * spent in hours after it last changed is not in it. What is known of an hour that lies within the window in part
   * counts whole, and as if all of it had been spent at its end.
   */
  #catchUp(counter: Counter, now: number): void {
    const { limit, changedAt, metric, window } = counter;
    const { tier, spendName, tool } = limit;
    if (!isSpendTier(tier) || spendName === undefined || tool !== undefined || window.lengthMs < HOUR_MS) return;
    const since = Math.max(hourOf(window.startOf(now)), hourOf(changedAt + CLOCKS_APART_MS) + 1);
    if (since > hourOf(now)) return;
    for (const row of this.#source.spend(tier, spendName, since)) {
      counter.settle(Math.min((row.hour + 1) * HOUR_MS - 1, now), spentOf(row, metric), 0);
    }
    counter.changedAt = now;
  }
}

/** From 0, the widest. */
export function widthOf(tier: LimitTier): number {
  return LIMIT_TIERS.indexOf(tier);
}

function hourOf(at: number): number {
  return Math.floor(at / HOUR_MS);
}

function spentOf(row: SettledSpend, metric: LeasedMetric): number {
  if (metric === 'cost') return row.cost_nano_usd;
  return metric === 'tokens' ? row.input_tokens + row.output_tokens : row.calls;
}

function isSpendTier(tier: LimitTier): tier is SpendTier {
  return tier !== 'server' && tier !== 'mcp_client';
}
