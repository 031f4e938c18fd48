// What an isolate holds of one ledger, and owes it word of.
import { remembered } from '../lib/remembered.ts';
import { isAhead } from '../lib/time.ts';
import { NOTHING } from './amounts.ts';
import type { DrawnLease } from './drawn-lease.ts';
import type { HolderReport, LeaseRequest, LeaseTrim } from './lease.ts';
import type { PlanHold } from './plan-hold.ts';
import { SlotHold } from './slot-hold.ts';

const RENEW_EVERY_MS = 20_000;
/** A trim that was sent is not sent along again before its message can have failed. */
const TRIM_UNDER_WAY_MS = 1_000;
/** Of one message. */
const MAX_TRIMS = 1_000;
/** A report this old was lost with the request that sent it. */
const REPORT_LOST_AFTER_MS = 10_000;
/** An answer this late is not waited for any more: whoever asked has ended. */
const ASK_LOST_AFTER_MS = 20_000;
const FIRST_RETRY_MS = 250;
const MAX_RETRY_MS = 5_000;

/** A request for a lease whose answer is not there yet. */
export interface Ask {
  readonly plan: PlanHold;
  readonly request: LeaseRequest;
  readonly askedAt: number;
  /** How often its ledger had been heard of trims when it was asked. */
  readonly returns: number;
  /** Requests that wait for what it brings. */
  waiting: number;
}

interface OwedTrim {
  readonly trim: LeaseTrim;
  sentAt: number;
}

export class LedgerHold {
  readonly name: string;
  readonly #leases = new Map<string, DrawnLease>();
  readonly #asks = new Map<string, Ask>();
  readonly #trims = new Map<string, OwedTrim>();
  readonly #slots = new Map<string, SlotHold>();
  #renewedAt: number;
  #reportLostAt = -Infinity;
  #notBefore = -Infinity;
  #failures = 0;
  #returns = 0;

  constructor(name: string, now: number) {
    this.name = name;
    this.#renewedAt = now;
  }

  get isAtRest(): boolean {
    if (this.#leases.size + this.#asks.size + this.#trims.size > 0) return false;
    for (const slot of this.#slots.values()) if (!slot.isAtRest) return false;
    return true;
  }

  /** How often the ledger was heard of trims. */
  get returns(): number {
    return this.#returns;
  }

  /** Whether anything could be given back to make room. */
  get hasSpare(): boolean {
    if (this.#trims.size > 0) return true;
    for (const lease of this.#leases.values()) if (lease.hasUndrawn) return true;
    return false;
  }

  slot(counter: string): SlotHold {
    return remembered(this.#slots, counter, () => new SlotHold(counter));
  }

  add(lease: DrawnLease): void {
    this.#leases.set(lease.id, lease);
  }

  close(lease: DrawnLease): void {
    if (lease.isOpen) this.#trims.set(lease.id, { trim: lease.close(), sentAt: -Infinity });
  }

  closeSpare(): void {
    for (const lease of this.#leases.values()) if (lease.hasUndrawn) this.close(lease);
  }

  /** Closes what was not drawn on for so long, and forgets what is over. */
  closeIdle(now: number, ms: number): void {
    for (const lease of this.#leases.values()) {
      if (lease.isOpen && lease.isIdle(now, ms)) this.close(lease);
      else if (!lease.isOpen && !lease.isInUse && !this.#trims.has(lease.id)) this.#leases.delete(lease.id);
    }
    for (const ask of this.#asks.values()) {
      if (Math.abs(now - ask.askedAt) > ASK_LOST_AFTER_MS) this.lose(ask);
    }
  }

  /** @param all also what is on its way with another message, which may be behind this one */
  takeTrims(now: number, all: boolean): LeaseTrim[] {
    const taken: LeaseTrim[] = [];
    for (const owed of this.#trims.values()) {
      if (taken.length === MAX_TRIMS) break;
      if (!all && Math.abs(now - owed.sentAt) < TRIM_UNDER_WAY_MS) continue;
      owed.sentAt = now;
      taken.push(owed.trim);
    }
    return taken;
  }

  asked(ask: Ask): void {
    this.#asks.set(ask.request.lease, ask);
    ask.plan.asking = ask;
  }

  /** @returns false where the lease was given up before its answer came */
  answered(ask: Ask): boolean {
    this.#forgetTrims(ask.request.trims);
    return this.#over(ask);
  }

  /** Nobody knows what became of it: should it have been granted, nothing was drawn. */
  lose(ask: Ask): void {
    const { lease, sequence } = ask.request;
    if (!this.#over(ask)) return;
    for (const slot of ask.plan.slots) slot.lost(sequence);
    this.#trims.set(lease, { trim: { lease, drawn: NOTHING }, sentAt: -Infinity });
  }

  /** @returns undefined while there is nothing to say, or another report is under way, or the last one just failed */
  report(holder: string, sequence: number, now: number): HolderReport | undefined {
    if (isAhead(this.#reportLostAt, now, REPORT_LOST_AFTER_MS) || isAhead(this.#notBefore, now, MAX_RETRY_MS)) return;
    const isRenewal = !isAhead(this.#renewedAt + RENEW_EVERY_MS, now, RENEW_EVERY_MS);
    const renew = isRenewal ? this.#living() : [];
    const slots: Record<string, number> = {};
    let tells = renew.length > 0;
    for (const slot of this.#slots.values()) {
      const held = slot.report(sequence, isRenewal);
      if (held === undefined) continue;
      slots[slot.counter] = held;
      tells = true;
    }
    const trims = this.takeTrims(now, false);
    if (!tells && trims.length === 0) return undefined;
    this.#reportLostAt = now + REPORT_LOST_AFTER_MS;
    return { holder, sequence, renew, trims, slots };
  }

  heard(report: HolderReport, now: number): void {
    this.#forgetTrims(report.trims);
    for (const counter of Object.keys(report.slots)) this.#slots.get(counter)?.heard(report.sequence);
    if (report.renew.length > 0) this.#renewedAt = now;
    this.#reportLostAt = -Infinity;
    this.#notBefore = -Infinity;
    this.#failures = 0;
  }

  unheard(report: HolderReport, now: number): void {
    for (const { lease } of report.trims) {
      const owed = this.#trims.get(lease);
      if (owed !== undefined) owed.sentAt = -Infinity;
    }
    this.#reportLostAt = -Infinity;
    this.#notBefore = now + Math.min(FIRST_RETRY_MS * 2 ** this.#failures, MAX_RETRY_MS);
    this.#failures++;
  }

  relaxSlots(): void {
    for (const slot of this.#slots.values()) slot.relax();
  }

  #over(ask: Ask): boolean {
    if (ask.plan.asking === ask) ask.plan.asking = undefined;
    return this.#asks.delete(ask.request.lease);
  }

  #living(): string[] {
    const ids: string[] = [];
    for (const lease of this.#leases.values()) if (lease.isOpen || lease.isInUse) ids.push(lease.id);
    return ids;
  }

  #forgetTrims(trims: readonly LeaseTrim[]): void {
    if (trims.length > 0) this.#returns++;
    for (const { lease } of trims) {
      this.#trims.delete(lease);
      if (this.#leases.get(lease)?.isInUse === false) this.#leases.delete(lease);
    }
  }
}
