// What an isolate holds of limits: slices that requests draw on without asking anybody. Plain data that survives the
// requests that fill and use it; whatever one of them was to do here lapses by the clock, for it can end at any moment.
import { err, ok, type Result } from '../lib/result.ts';
import { remembered } from '../lib/remembered.ts';
import { isAhead } from '../lib/time.ts';
import type { LimitStanding, Refusal } from './admission.ts';
import { boundAmounts } from './amounts.ts';
import { DrawnLease, type Draw } from './drawn-lease.ts';
import { LedgerHold, type Ask } from './ledger-hold.ts';
import type { HolderReport, LeaseAnswer } from './lease.ts';
import type { Amounts, ChargePlan } from './limits.ts';
import { PlanHold } from './plan-hold.ts';

/** Without a draw for so long, a lease goes back. */
const IDLE_AFTER_MS = 500;
/** How long a plan that nobody uses is remembered, with how its limits stood. */
const FORGET_PLAN_MS = 60_000;
/** An answer that takes longer is not waited for by others; who asked for it may have ended. */
const JOIN_MS = 100;
/** A keeper that has not looked for so long has ended with its request. */
const KEEPER_LOST_AFTER_MS = 2_000;

/** What one ledger is to be told. */
export interface Report {
  readonly ledger: string;
  readonly report: HolderReport;
}

/** How an isolate makes names for itself and its leases. */
export interface Names {
  readonly holder: () => string;
  readonly lease: () => string;
}

export class LeasePool {
  readonly #ledgers = new Map<string, LedgerHold>();
  readonly #plans = new Map<string, PlanHold>();
  #holder: string | undefined;
  #sequence = 0;
  #keeperUntil = -Infinity;
  #keeper = 0;

  /** On all of the plans at once or on none; undefined where leases have to be asked for. */
  draw(plans: readonly ChargePlan[], need: Amounts, now: number): Draw[] | undefined {
    const found: DrawnLease[] = [];
    for (const { id } of plans) {
      const hold = this.#plans.get(id);
      const lease = hold?.serving(need);
      if (lease === undefined) return undefined;
      found.push(lease);
    }
    return found.map((lease) => {
      for (const slot of lease.of.slots) slot.take();
      return lease.draw(need, now);
    });
  }

  /** A refusal that needs no asking. */
  refusal(plans: readonly ChargePlan[], need: Amounts, now: number): Refusal | undefined {
    for (const { id } of plans) {
      const refusal = this.#plans.get(id)?.knownRefusal(need, now);
      if (refusal !== undefined) return refusal;
    }
    return undefined;
  }

  /**
   * What to ask the plan's ledger; to be followed by `answered` or `lose`.
   * @param all gives back whatever the isolate has to spare at that ledger, not of this plan only
   */
  ask(plan: ChargePlan, need: Amounts, names: Names, now: number, all: boolean): Ask {
    const hold = this.#holdOf(plan, now);
    const { ledger } = hold;
    for (const lease of hold.leases.filter((held) => held.isUseless(need))) ledger.close(lease);
    if (all) ledger.closeSpare();
    const sequence = this.#sequence++;
    const request = {
      lease: names.lease(),
      holder: (this.#holder ??= names.holder()),
      sequence,
      plan: plan.id,
      limits: plan.limits,
      need: boundAmounts(hold.bounds, need),
      trims: ledger.takeTrims(now, all),
      slots: Object.fromEntries(hold.slots.map((slot) => [slot.counter, slot.ask(sequence)])),
    };
    const ask = { plan: hold, request, askedAt: now, returns: ledger.returns, waiting: 0 };
    ledger.asked(ask);
    return ask;
  }

  /** @throws Error when the lease had been given up before its answer came */
  answered(ask: Ask, answer: LeaseAnswer, now: number): Result<Draw, Refusal> {
    const { plan, request } = ask;
    if (!plan.ledger.answered(ask)) throw new Error(`the answer for lease ${request.lease} came too late`);
    if (!answer.ok) {
      for (const slot of plan.slots) slot.refused();
      plan.refused(answer.refusal, request.need, now);
      return err(answer.refusal);
    }
    for (const slot of plan.slots) {
      const { counter } = slot;
      slot.granted(request.sequence, request.slots[counter] ?? 0, answer.slots[counter] ?? 0);
    }
    plan.granted(answer.granted, request.need);
    const lease = new DrawnLease(request.lease, plan, answer.granted, now);
    plan.ledger.add(lease);
    plan.stood(answer.standings, now);
    return ok(lease.draw(request.need, now));
  }

  /** The answer did not come: the lease is given up by its name. */
  lose(ask: Ask): void {
    ask.plan.ledger.lose(ask);
  }

  /** Whether after this refusal asking again could help: with everything else given back, or because something went back meanwhile. */
  isWorthAnother({ plan: { ledger }, returns }: Ask): boolean {
    return ledger.hasSpare || ledger.returns !== returns;
  }

  /** @returns what another request has asked for, should it bring enough for this one too; to be waited for while `isAwaited` */
  join(plan: ChargePlan, need: Amounts, now: number): Ask | undefined {
    const hold = this.#plans.get(plan.id);
    const ask = hold?.asking;
    if (hold === undefined || ask === undefined || !this.isAwaited(ask, now)) return undefined;
    if (!hold.isExpectedToServe(need, ask.waiting + 1)) return undefined;
    ask.waiting++;
    return ask;
  }

  isAwaited(ask: Ask, now: number): boolean {
    return ask.plan.asking === ask && Math.abs(now - ask.askedAt) < JOIN_MS;
  }

  /** Gives a lease back that nobody else draws on. */
  giveBack({ lease }: Draw): void {
    if (!lease.isInUse) this.#ledgers.get(lease.of.plan.ledger)?.close(lease);
  }

  standings(plans: readonly ChargePlan[], now: number): readonly LimitStanding[] {
    return plans.flatMap(({ id }) => this.#plans.get(id)?.standings(now) ?? []);
  }

  /** Gives back what is idle. @returns what to tell the ledgers: each to be followed by `heard` or `unheard` */
  look(now: number): Report[] {
    this.#forgetPlans(now);
    for (const ledger of this.#ledgers.values()) ledger.closeIdle(now, IDLE_AFTER_MS);
    return this.#reports(now);
  }

  /** Gives back all that is not under way. */
  surrender(now: number): Report[] {
    for (const ledger of this.#ledgers.values()) {
      ledger.closeIdle(now, 0);
      ledger.relaxSlots();
    }
    return this.#reports(now);
  }

  heard({ ledger, report }: Report, now: number): void {
    this.#ledgers.get(ledger)?.heard(report, now);
  }

  unheard({ ledger, report }: Report, now: number): void {
    this.#ledgers.get(ledger)?.unheard(report, now);
  }

  /** Whether no ledger holds anything for this isolate, nor is owed word. */
  get isAtRest(): boolean {
    for (const ledger of this.#ledgers.values()) if (!ledger.isAtRest) return false;
    return true;
  }

  /** @returns a token for `keepOn`, where nobody keeps watch; the caller is to look at the pool until it is at rest */
  claimKeeping(now: number): number | undefined {
    if (isAhead(this.#keeperUntil, now, KEEPER_LOST_AFTER_MS)) return undefined;
    this.#keeperUntil = now + KEEPER_LOST_AFTER_MS;
    return ++this.#keeper;
  }

  /** @returns false where there is nothing to keep, or another has taken over */
  keepOn(token: number, now: number): boolean {
    if (token !== this.#keeper) return false;
    this.#keeperUntil = this.isAtRest ? -Infinity : now + KEEPER_LOST_AFTER_MS;
    return this.#keeperUntil > now;
  }

  #reports(now: number): Report[] {
    const reports: Report[] = [];
    for (const [name, ledger] of this.#ledgers) {
      const report = this.#holder === undefined ? undefined : ledger.report(this.#holder, this.#sequence++, now);
      if (report !== undefined) reports.push({ ledger: name, report });
    }
    return reports;
  }

  #holdOf(plan: ChargePlan, now: number): PlanHold {
    const hold = remembered(this.#plans, plan.id, () => {
      const ledger = remembered(this.#ledgers, plan.ledger, () => new LedgerHold(plan.ledger, now));
      return new PlanHold(plan, ledger, now);
    });
    hold.usedAt = now;
    return hold;
  }

  #forgetPlans(now: number): void {
    const inUse = new Set<LedgerHold>();
    for (const [id, hold] of this.#plans) {
      if (hold.leases.length === 0 && Math.abs(now - hold.usedAt) > FORGET_PLAN_MS) this.#plans.delete(id);
      else inUse.add(hold.ledger);
    }
    for (const [name, ledger] of this.#ledgers) if (ledger.isAtRest && !inUse.has(ledger)) this.#ledgers.delete(name);
  }
}
