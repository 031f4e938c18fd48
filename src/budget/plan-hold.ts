// One plan as the isolate draws on it: its open leases, and how its limits stood when the ledger was last asked.
import type { LimitStanding, Refusal } from './admission.ts';
import { boundsOf, NOTHING, subtract, type Bounds, type Sums } from './amounts.ts';
import type { DrawnPlan, DrawnLease } from './drawn-lease.ts';
import type { Ask, LedgerHold } from './ledger-hold.ts';
import type { Amounts, ChargePlan, Limit } from './limits.ts';
import type { SlotHold } from './slot-hold.ts';
import { slotRefusal } from './slot-refusal.ts';
import { openWindow } from './window.ts';

/** So that a clock that was wrong does not refuse for longer than this. */
const REMEMBER_REFUSAL_MS = 60_000;

interface KnownRefusal {
  readonly refusal: Refusal;
  readonly need: Amounts;
  readonly since: number;
  readonly until: number;
}

export class PlanHold implements DrawnPlan {
  readonly plan: ChargePlan;
  readonly ledger: LedgerHold;
  readonly bounds: Bounds;
  readonly slots: readonly SlotHold[];
  readonly leases: DrawnLease[] = [];
  drawn: Sums = { ...NOTHING };
  usedAt: number;
  /** The last for this plan, until its answer is there. */
  asking: Ask | undefined;
  /** What the last answer brought beyond what was asked for. */
  #slack: Readonly<Sums> = NOTHING;
  #standings: readonly LimitStanding[] = [];
  #stoodAt = 0;
  #refusal: KnownRefusal | undefined;
  readonly #concurrent: readonly Limit[];

  constructor(plan: ChargePlan, ledger: LedgerHold, now: number) {
    this.plan = plan;
    this.ledger = ledger;
    this.usedAt = now;
    this.bounds = boundsOf(plan.limits);
    this.#concurrent = plan.limits.filter(({ metric }) => metric === 'concurrent');
    this.slots = this.#concurrent.map(({ id }) => ledger.slot(id));
  }

  /** An open lease with room for the request, if there is a slot of everything too. */
  serving(need: Amounts): DrawnLease | undefined {
    for (const slot of this.slots) if (!slot.isFree) return undefined;
    for (const lease of this.leases) if (lease.covers(need)) return lease;
    return undefined;
  }

  /** Whether the next answer, should it be like the last, serves so many requests beside the one that asked. */
  isExpectedToServe({ cost, tokens, requests }: Amounts, count: number): boolean {
    const { bounds } = this;
    const slack = this.#slack;
    return (
      this.slots.every(({ room }) => room >= count) &&
      (!bounds.cost || slack.cost >= cost * count) &&
      (!bounds.tokens || slack.tokens >= tokens * count) &&
      (!bounds.requests || slack.requests >= requests * count)
    );
  }

  granted(granted: Amounts, need: Amounts): void {
    const slack = { ...granted };
    subtract(slack, need);
    this.#slack = slack;
  }

  /** Where only time makes room, the ledger need not be asked again. */
  refused(refusal: Refusal, need: Amounts, now: number): void {
    this.#slack = NOTHING;
    // What is more than the limit itself never fits.
    const until = refusal.certainUntil ?? (refusal.need > refusal.limit.amount ? Infinity : -Infinity);
    if (until > now) this.#refusal = { refusal, need, since: now, until: Math.min(until, now + REMEMBER_REFUSAL_MS) };
  }

  /** A refusal that is known without asking. */
  knownRefusal(need: Amounts, now: number): Refusal | undefined {
    for (const [index, limit] of this.#concurrent.entries()) {
      if (this.slots[index]?.isExhausted(limit.amount) === true) return slotRefusal(limit, limit.amount, now);
    }
    const known = this.#refusal;
    if (known === undefined || now >= known.until || now < known.since || !this.#takes(need, known.need))
      return undefined;
    const { limit } = known.refusal;
    return limit.metric === 'concurrent' ? known.refusal : { ...known.refusal, need: need[limit.metric] };
  }

  /** @param standings as they came with a grant, which has been added to the leases and not yet drawn on */
  stood(standings: readonly LimitStanding[], now: number): void {
    this.#standings = standings.filter(({ limit: { metric } }) => metric === 'requests' || metric === 'tokens');
    this.#stoodAt = now;
    // What lies here undrawn is reserved by nobody.
    this.drawn = { ...NOTHING };
    for (const lease of this.leases) subtract(this.drawn, lease.undrawn);
  }

  /** Of rate limits with a window: callers are told of no others, and of these with every answer. */
  standings(now: number): readonly LimitStanding[] {
    return this.#standings.map((standing) => this.#now(standing, now));
  }

  #now(standing: LimitStanding, now: number): LimitStanding {
    const reserved = Math.max(0, standing.reserved + this.#drawnOf(standing.limit));
    const isSoFar = standing.resetsAt !== undefined && now < standing.resetsAt;
    return isSoFar ? { ...standing, reserved } : this.#afterReset({ ...standing, reserved }, now);
  }

  #afterReset({ resetsAt, ...stood }: LimitStanding, now: number): LimitStanding {
    const { limit, reserved } = stood;
    const isOver = resetsAt !== undefined && limit.window?.calendar === true;
    const since = { ...stood, ...(isOver && { spent: 0, over: 0 }) };
    const leavesAt = since.spent + reserved > 0 ? this.#leavesAt(limit, now) : undefined;
    return { ...since, ...(leavesAt !== undefined && { resetsAt: leavesAt }) };
  }

  /** When what was drawn since the ledger was asked leaves the window; some of it was drawn right then. */
  #leavesAt({ window: span }: Limit, now: number): number | undefined {
    if (span === undefined) return undefined;
    const window = openWindow(span);
    const leavesAt = window.leavesAt(window.bucketOf(this.#stoodAt));
    return leavesAt > now ? leavesAt : window.leavesAt(window.bucketOf(now));
  }

  /** Of what is bounded, at least as much of everything. */
  #takes(need: Amounts, least: Amounts): boolean {
    const { cost, tokens, requests } = this.bounds;
    return (
      (!cost || need.cost >= least.cost) &&
      (!tokens || need.tokens >= least.tokens) &&
      (!requests || need.requests >= least.requests)
    );
  }

  #drawnOf({ metric }: Limit): number {
    return metric === 'concurrent' ? 0 : this.drawn[metric];
  }
}
