// The port by which the engines ask whether a request may go out, and say what became of it.
import type { Result } from '../lib/result.ts';
import type { Amounts, ChargePlan, Limit } from './limits.ts';

/** Of one ledger. It travels with the audit event, and is committed with it. */
export interface Charge {
  readonly lease: string;
  /** The how-manieth draw on the lease, from 1: a charge that comes again changes nothing, however late. */
  readonly draw: number;
  /** When the request was admitted, by the isolate's clock; milliseconds since the epoch. */
  readonly at: number;
  /** What the lease is relieved of. Less than was drawn where the isolate keeps the rest to draw on again. */
  readonly release: Amounts;
  /** What was used, and now counts as spent. */
  readonly actual: Amounts;
  /** By how much `actual` passed what was drawn; absent where it did not. */
  readonly over?: Amounts;
}

export interface SettledCharge {
  readonly ledger: string;
  readonly charge: Charge;
}

/** One admitted request. Exactly one of `settle` and `cancel` is called, once. */
export interface Ticket {
  /** What was drawn: the upper bound the request was admitted with. */
  readonly need: Amounts;
  /** @param actual what the request used @returns what the recorder is to be given with the event */
  settle(actual: Amounts): readonly SettledCharge[];
  /** The request was never sent, and counts for nothing. */
  cancel(): readonly SettledCharge[];
}

export interface Refusal {
  /** The widest limit without room. */
  readonly limit: Limit;
  /** Settled within its window. */
  readonly spent: number;
  /** Held by requests that are under way. */
  readonly reserved: number;
  /** What the request needs of it. */
  readonly need: number;
  /** When the limit would have room if nothing else happened, milliseconds since the epoch; absent where it never will. */
  readonly resetsAt?: number;
  /** Until when nothing but a change of the configuration makes room: the refusal may be repeated without asking. */
  readonly certainUntil?: number;
}

/** How one limit stood when the ledger was last asked, less what was drawn since. */
export interface LimitStanding {
  readonly limit: Limit;
  /** Settled within the window, NanoUsd, requests or LLM tokens; of `concurrent` always zero. */
  readonly spent: number;
  /** Leased and not yet settled. */
  readonly reserved: number;
  /** Of `reserved`, what was held by gateways that are gone. */
  readonly presumed: number;
  /** What calls used beyond what they had been admitted with, within the window; contained in `spent`. */
  readonly over: number;
  /** When what is spent now begins to be forgotten: the end of the calendar window, or when the oldest part leaves. */
  readonly resetsAt?: number;
}

export interface Admission {
  /**
   * All of the plans or none. Draws on slices of the limits that the isolate holds; asks the ledgers where they do not
   * reach. Throws `LimitsUnavailable` when a ledger is out of reach: a limit that cannot be checked is not passed.
   */
  admit(plans: readonly ChargePlan[], need: Amounts): Promise<Result<Ticket, Refusal>>;
  /** As far as the isolate knows without asking: what is left of requests and tokens. Empty where it knows nothing. */
  standings(plans: readonly ChargePlan[]): readonly LimitStanding[];
}

export class LimitsUnavailable extends Error {
  override readonly name = 'LimitsUnavailable';
}
