// Limits and what is held against them, whole in memory and without a clock; it tells which rows of its own changed.
// docs/ledger.md has the rules.
import type { Charge, LimitStanding } from './admission.ts';
import type { CounterStanding } from './alert.ts';
import { NOTHING, toAmounts } from './amounts.ts';
import type { Counter } from './counter.ts';
import { CounterBook, type CounterSource, type StoredCounter, type StoredPlan } from './counter-book.ts';
import { GrantedLease, type LeasedPlan, type StoredLease } from './granted-lease.ts';
import type { HolderReport, LeaseAnswer, LeaseRequest, LeaseTrim, SlotCounts } from './lease.ts';
import { LEASE_LIFETIME_MS } from './lease.ts';
import { LeaseBook } from './lease-book.ts';
import { LedgerClock } from './ledger-clock.ts';
import type { Amounts, Limit } from './limits.ts';
import { refusalOf } from './room.ts';
import { slackFor } from './slack.ts';
import { Slots, type StoredSlots } from './slots.ts';

/** Everything stored but the counters, which are read when they are needed. */
export interface StoredLedger {
  readonly leases: readonly StoredLease[];
  readonly plans: readonly StoredPlan[];
  readonly slots: readonly StoredSlots[];
  /** The latest `StoredCounter.changedAt`; 0 where there is none. */
  readonly changedAt: number;
}

/** Rows are whole and replace what was there under the same name; what is gone is deleted first. */
export interface LedgerChanges {
  readonly counters: readonly StoredCounter[];
  readonly plans: readonly StoredPlan[];
  readonly gonePlans: readonly string[];
  readonly leases: readonly StoredLease[];
  readonly endedLeases: readonly string[];
  readonly slots: readonly StoredSlots[];
  readonly goneHolders: readonly string[];
}

/** How a limit stands that charges were just added to. */
export interface SpentLimit {
  readonly limit: Limit;
  readonly standing: CounterStanding;
}

export interface Settlement {
  /** Of the limits that have alerts. */
  readonly spent: readonly SpentLimit[];
  /** Charges of leases that were never heard of or are long over. They change nothing. */
  readonly unknown: readonly Charge[];
}

/** `wall` is always the wall clock, milliseconds since the epoch; it may go back and forth. */
export class Ledger {
  readonly #clock: LedgerClock;
  readonly #counters: CounterBook;
  readonly #leases = new LeaseBook();
  readonly #slots: Slots;

  constructor(stored: StoredLedger, source: CounterSource, wall: number) {
    const newest = stored.leases.reduce(
      (latest, { grantedAt, expiresAt }) => Math.max(latest, grantedAt, expiresAt - LEASE_LIFETIME_MS),
      stored.changedAt,
    );
    this.#clock = new LedgerClock(wall, newest);
    this.#counters = new CounterBook(source);
    const now = this.#clock.read(wall);
    this.#slots = new Slots(stored.slots, now);
    const plans = new Map(stored.plans.map((plan) => [plan.id, this.#counters.restorePlan(plan, now)]));
    for (const lease of stored.leases) {
      const plan = plans.get(lease.plan);
      if (plan === undefined) throw new Error(`the plan of lease ${lease.id} is not stored`);
      this.#leases.restore(new GrantedLease(lease, plan));
    }
    this.#leases.advance(now);
  }

  /**
   * All limits in one step. Asked again under the same lease, it answers the same grant.
   * @throws RangeError for a need that is not a whole amount, and for a window that is none
   * @throws Error when the holder has given the lease up
   */
  acquire(request: LeaseRequest, wall: number): LeaseAnswer {
    const now = this.#hear(request.holder, wall);
    this.#trim(request.trims, now);
    const known = this.#leases.get(request.lease);
    if (known?.isTrimmed ?? this.#leases.hasEnded(request.lease)) throw new Error(`lease ${request.lease} is over`);
    const plan = this.#counters.plan(request.plan, request.limits, now);
    if (known !== undefined) return this.#answer(known, now);

    const { holder, sequence } = request;
    const need = toAmounts(request.need);
    const running = runningOf(plan, request.slots);
    const refusal = refusalOf(plan, { holder, need, running }, this.#slots, now);
    if (refusal !== undefined) {
      const { resetsAt, certainUntil, ...rest } = refusal;
      return {
        ok: false,
        refusal: {
          ...rest,
          ...(resetsAt !== undefined && { resetsAt: this.#clock.toWall(resetsAt) }),
          ...(certainUntil !== undefined && { certainUntil: this.#clock.toWall(certainUntil) }),
        },
      };
    }
    for (const { id, metric, amount } of plan.limits) {
      if (metric === 'concurrent') this.#slots.grant(holder, sequence, id, running[id] ?? 1, amount);
    }
    const lease = GrantedLease.grant(request.lease, holder, plan, need, slackFor(plan, need), now);
    this.#leases.add(lease);
    return this.#answer(lease, now);
  }

  /** Once each, by lease and draw. */
  record(charges: readonly Charge[], wall: number): Settlement {
    const now = this.#begin(wall);
    const unknown: Charge[] = [];
    const before = new Map<Counter, number>();
    for (const charge of charges) {
      const lease = this.#leases.get(charge.lease);
      if (lease === undefined) {
        if (!this.#leases.hasEnded(charge.lease)) unknown.push(charge);
        continue;
      }
      this.#slots.hear(lease.holder, now);
      lease.renew(now);
      for (const counter of lease.plan.counters) {
        if (before.has(counter)) continue;
        this.#counters.advance(counter, now);
        before.set(counter, counter.spent);
      }
      if (lease.charge(whole(charge, this.#clock.fromWall(charge.at)), now)) this.#leases.changed(lease, now);
    }
    this.#counters.changed([...before.keys()]);
    return { unknown, spent: [...before].flatMap(([counter, spent]) => this.#alertable(counter, spent, now)) };
  }

  report({ holder, sequence, renew, trims, slots }: HolderReport, wall: number): void {
    const now = this.#hear(holder, wall);
    this.#trim(trims, now);
    for (const lease of renew) this.#leases.renew(lease, now);
    this.#slots.set(holder, sequence, slots);
  }

  standings(limits: readonly Limit[], wall: number): readonly LimitStanding[] {
    const now = this.#begin(wall);
    return limits.map((limit) => this.#standing(limit, now));
  }

  /** What is to be written since it was last asked. */
  takeChanges(): LedgerChanges {
    const now = this.#clock.now;
    const { changed, gone } = this.#slots.takeChanges();
    return { ...this.#counters.takeChanges(now), ...this.#leases.takeChanges(), slots: changed, goneHolders: gone };
  }

  #begin(wall: number): number {
    const now = this.#clock.read(wall);
    this.#leases.advance(now);
    this.#slots.advance(now);
    this.#counters.tidy(now);
    return now;
  }

  #hear(holder: string, wall: number): number {
    const now = this.#begin(wall);
    this.#slots.hear(holder, now);
    return now;
  }

  #trim(trims: readonly LeaseTrim[], now: number): void {
    for (const { lease, drawn } of trims) this.#leases.trim(lease, drawn, now);
  }

  #answer({ granted, holder, plan }: GrantedLease, now: number): LeaseAnswer {
    const slots: Record<string, number> = {};
    for (const { id, metric } of plan.limits) {
      if (metric === 'concurrent') slots[id] = this.#slots.heldBy(id, holder);
    }
    return {
      ok: true,
      granted: toAmounts(granted),
      slots,
      standings: plan.limits.map((limit) => this.#standing(limit, now)),
    };
  }

  #standing(limit: Limit, now: number): LimitStanding {
    if (limit.metric === 'concurrent') {
      return { limit, spent: 0, reserved: this.#slots.held(limit.id), presumed: 0, over: 0 };
    }
    const { resetsAt, ...standing } = this.#counters.counter(limit, limit.metric, now).standing(limit, now);
    return { ...standing, ...(resetsAt !== undefined && { resetsAt: this.#clock.toWall(resetsAt) }) };
  }

  #alertable(counter: Counter, before: number, now: number): SpentLimit[] {
    const { limit, spent, window } = counter;
    if (limit.alertAt === undefined || spent === before) return [];
    const resetsAt = counter.resetsAt(now);
    const start = window.startOf(now);
    const standing = {
      spent,
      added: spent - before,
      windowStart: limit.window?.calendar === true ? start : this.#clock.toWall(start),
      ...(resetsAt !== undefined && { resetsAt: this.#clock.toWall(resetsAt) }),
    };
    return [{ limit, standing }];
  }
}

function runningOf({ limits }: LeasedPlan, slots: SlotCounts): Record<string, number> {
  const running: Record<string, number> = {};
  for (const { id, metric } of limits) if (metric === 'concurrent') running[id] = Math.max(1, slots[id] ?? 1);
  return running;
}

/** A charge is committed with its audit event, and must not hold it up: what is no amount counts as what was drawn. */
function whole(charge: Charge, at: number): Charge {
  const release = bounded(charge.release, NOTHING);
  return { ...charge, at, release, actual: bounded(charge.actual, release) };
}

function bounded(amounts: Amounts, otherwise: Amounts): Amounts {
  const of = (metric: keyof Amounts): number => {
    const amount = amounts[metric];
    return amount >= 0 ? Math.min(Math.ceil(amount), Number.MAX_SAFE_INTEGER) : otherwise[metric];
  };
  return toAmounts({ cost: of('cost'), tokens: of('tokens'), requests: of('requests') });
}
