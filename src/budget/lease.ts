// What isolates and ledgers say to one another about slices of limits.
import type { LimitStanding, Refusal } from './admission.ts';
import type { Amounts, Limit } from './limits.ts';

/** Milliseconds without a word of a lease after which its holder is taken for dead. */
export const LEASE_LIFETIME_MS = 60_000;

/**
 * No more is drawn on the lease: of what was granted the ledger keeps `drawn`, and takes back the rest. May be said
 * again, in any order with the charges of the same lease: `drawn` is the sum of all `Charge.release` there have been and
 * will be.
 */
export interface LeaseTrim {
  readonly lease: string;
  readonly drawn: Amounts;
}

/**
 * How many requests the holder has running at once, those included that it is asking for, by id of a `concurrent` counter.
 * A report is absolute: no more is kept for the holder; a counter that is left out stays as it is. A request for a lease
 * takes nothing away, and changes nothing when it is refused.
 */
export type SlotCounts = Readonly<Record<string, number>>;

export interface LeaseRequest {
  /** Chosen by the holder, so that a lease whose grant never arrived can be given up by name. */
  readonly lease: string;
  /** The isolate. */
  readonly holder: string;
  /** Ascending per holder and ledger; of two reports of slots the later counts. */
  readonly sequence: number;
  /** `ChargePlan.id` and its limits as they are configured now: the ledger keeps counters, and limits only beside leases. */
  readonly plan: string;
  readonly limits: readonly Limit[];
  /** Of this one request. */
  readonly need: Amounts;
  /** Applied first. */
  readonly trims: readonly LeaseTrim[];
  /** For each `concurrent` limit of `limits`, what the holder has running, the request included. */
  readonly slots: SlotCounts;
}

export type LeaseAnswer =
  | {
      readonly ok: true;
      /** At least `need`; the rest is a slice for requests to come. */
      readonly granted: Amounts;
      /** Slots the holder now has, which may be more than it asked for. */
      readonly slots: SlotCounts;
      readonly standings: readonly LimitStanding[];
    }
  | { readonly ok: false; readonly refusal: Refusal };

/** What a holder says while it has leases and nothing else to say. */
export interface HolderReport {
  readonly holder: string;
  readonly sequence: number;
  /** Leases that are open or have draws under way: their holder lives. One that died already stays dead. */
  readonly renew: readonly string[];
  readonly trims: readonly LeaseTrim[];
  readonly slots: SlotCounts;
}
