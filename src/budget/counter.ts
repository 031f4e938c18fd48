// What one windowed limit is held against: what is settled, what leases hold, and what holders that died may have spent.
// The ledger calls `advance` with the present time before anything else, and times never go back.
import { remembered } from '../lib/remembered.ts';
import type { LimitStanding } from './admission.ts';
import type { Limit, Metric } from './limits.ts';
import { openWindow, type Window } from './window.ts';

/** As it is stored: when the bucket begins, what is settled in it, and how much of that was over. */
export type StoredCell = readonly [bucket: number, spent: number, over: number];
export type LeasedMetric = Exclude<Metric, 'concurrent'>;

interface Cell {
  spent: number;
  over: number;
  /** Of leases whose holder died in this bucket. Not stored: it is there with the leases. */
  presumed: number;
}

export class Counter {
  readonly window: Window;
  readonly metric: LeasedMetric;
  /** As it was last configured. */
  limit: Limit;
  /** What living leases were granted and have not been relieved of. */
  held = 0;
  /** Of `held`, what was granted beyond what was asked for; it can still be had back. */
  slack = 0;
  usedAt = 0;
  /** Up to when all that was spent is in it; before the epoch where it is new. */
  changedAt: number;
  readonly #cells = new Map<number, Cell>();
  #oldest = -Infinity;
  #spent = 0;
  #over = 0;
  #presumed = 0;

  constructor(
    limit: Limit & { readonly metric: LeasedMetric },
    cells: readonly StoredCell[],
    changedAt: number = -Infinity,
  ) {
    if (limit.window === undefined) throw new RangeError(`the limit ${limit.id} has no window`);
    this.window = openWindow(limit.window);
    this.metric = limit.metric;
    this.limit = limit;
    this.changedAt = changedAt;
    for (const [bucket, spent, over] of cells) {
      const cell = this.#cell(bucket);
      cell.spent += spent;
      cell.over += over;
      this.#spent += spent;
      this.#over += over;
    }
  }

  get spent(): number {
    return this.#spent;
  }

  get over(): number {
    return this.#over;
  }

  get presumed(): number {
    return this.#presumed;
  }

  /** All that leaves no room for others. */
  get taken(): number {
    return this.#spent + this.#presumed + this.held;
  }

  /** Forgets what has left the window. */
  advance(now: number): void {
    this.usedAt = now;
    const oldest = this.window.oldestBucket(now);
    if (oldest <= this.#oldest) return;
    this.#oldest = oldest;
    for (const [bucket, cell] of this.#cells) {
      if (bucket >= oldest) continue;
      this.#cells.delete(bucket);
      this.#spent -= cell.spent;
      this.#over -= cell.over;
      this.#presumed -= cell.presumed;
    }
  }

  /** What was used at a time. It does not count where that has left the window. */
  settle(at: number, actual: number, over: number): void {
    const bucket = this.window.bucketOf(at);
    if (bucket < this.#oldest || actual === 0) return;
    const cell = this.#cell(bucket);
    cell.spent += actual;
    cell.over += over;
    this.#spent += actual;
    this.#over += over;
  }

  /** What may have been spent until `until`, or, where it is negative, turned out otherwise. */
  presume(until: number, amount: number): void {
    const bucket = this.window.bucketOf(until);
    if (bucket < this.#oldest || amount === 0) return;
    this.#cell(bucket).presumed += amount;
    this.#presumed += amount;
  }

  /** When at most `bound` is left of what is settled and, unless told otherwise, presumed; undefined where never. */
  fallsTo(bound: number, now: number, settledAlone = false): number | undefined {
    let left = this.#spent + (settledAlone ? 0 : this.#presumed);
    if (left <= bound) return now;
    for (const [bucket, cell] of this.#ascending()) {
      left -= cell.spent + (settledAlone ? 0 : cell.presumed);
      if (left <= bound) return this.window.leavesAt(bucket);
    }
    return undefined;
  }

  /** When what is spent, or presumed so, begins to be forgotten; undefined where nothing is. */
  resetsAt(now: number): number | undefined {
    if (this.limit.window?.calendar === true) return this.window.leavesAt(this.window.bucketOf(now));
    let oldest = Infinity;
    for (const [bucket, { spent, presumed }] of this.#cells) {
      if (spent + presumed > 0 && bucket < oldest) oldest = bucket;
    }
    return oldest === Infinity ? undefined : this.window.leavesAt(oldest);
  }

  standing(limit: Limit, now: number): LimitStanding {
    const resetsAt = this.resetsAt(now);
    return {
      limit,
      spent: this.#spent,
      reserved: this.held + this.#presumed,
      presumed: this.#presumed,
      over: this.#over,
      ...(resetsAt !== undefined && { resetsAt }),
    };
  }

  stored(): StoredCell[] {
    const cells: StoredCell[] = [];
    for (const [bucket, { spent, over }] of this.#cells) if (spent > 0) cells.push([bucket, spent, over]);
    return cells;
  }

  /** When nothing of what is settled counts any more. */
  emptyAt(now: number): number {
    let newest = -Infinity;
    for (const [bucket, { spent }] of this.#cells) if (spent > 0 && bucket > newest) newest = bucket;
    return newest === -Infinity ? now : Math.max(now, this.window.leavesAt(newest));
  }

  #cell(bucket: number): Cell {
    return remembered(this.#cells, bucket, () => ({ spent: 0, over: 0, presumed: 0 }));
  }

  #ascending(): [bucket: number, cell: Cell][] {
    return [...this.#cells].toSorted(([a], [b]) => a - b);
  }
}
