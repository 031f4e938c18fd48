// Whether a request fits under all limits of its plan, and if not, what its caller is told.
import type { Refusal } from './admission.ts';
import type { Counter } from './counter.ts';
import { widthOf } from './counter-book.ts';
import type { LeasedPlan } from './granted-lease.ts';
import type { Amounts } from './limits.ts';
import { slotRefusal, SOON_MS } from './slot-refusal.ts';
import type { Slots } from './slots.ts';

export interface Claim {
  readonly holder: string;
  readonly need: Amounts;
  /** What the holder would have running with it, by `concurrent` counter. */
  readonly running: Readonly<Record<string, number>>;
}

/** Undefined where every limit has room; else of the widest that has none, and of these of the one that takes longest. */
export function refusalOf(plan: LeasedPlan, claim: Claim, slots: Slots, now: number): Refusal | undefined {
  const refusals = [...windowedRefusals(plan, claim.need, now), ...slotRefusals(plan, claim, slots, now)];
  const [widest] = refusals.toSorted(
    (a, b) => widthOf(a.limit.tier) - widthOf(b.limit.tier) || resetOf(b) - resetOf(a),
  );
  return widest;
}

function resetOf({ resetsAt = Number.MAX_VALUE }: Refusal): number {
  return resetsAt;
}

function* windowedRefusals({ counters }: LeasedPlan, needs: Amounts, now: number): Generator<Refusal> {
  for (const counter of counters) {
    const need = needs[counter.metric];
    const { limit } = counter;
    if (need === 0 || counter.taken + need <= limit.amount) continue;
    const { spent, held, presumed } = counter;
    yield { limit, spent, reserved: held + presumed, need, ...timesOf(counter, limit.amount - need, now) };
  }
}

/** @param bound what may be taken for the request to fit */
function timesOf(counter: Counter, bound: number, now: number): Pick<Refusal, 'resetsAt' | 'certainUntil'> {
  if (bound < 0) return {};
  const { held, slack, window } = counter;
  // Money and tokens come back where less was used. A request that is under way counts as one when it has ended, too.
  const staying = counter.metric === 'requests' ? held - slack : 0;
  if (counter.spent + counter.presumed + staying <= bound) return { resetsAt: now + SOON_MS };
  const resetsAt =
    counter.fallsTo(bound - held, now) ??
    counter.fallsTo(bound - staying, now) ??
    window.leavesAt(window.bucketOf(now));
  const certainUntil = counter.spent > bound ? counter.fallsTo(bound, now, true) : undefined;
  return { resetsAt, ...(certainUntil !== undefined && { certainUntil }) };
}

function* slotRefusals(
  { limits }: LeasedPlan,
  { holder, running }: Claim,
  slots: Slots,
  now: number,
): Generator<Refusal> {
  for (const limit of limits) {
    if (limit.metric !== 'concurrent') continue;
    const own = running[limit.id] ?? 1;
    const others = slots.held(limit.id, holder);
    if (others + own <= limit.amount) continue;
    yield slotRefusal(limit, others + own - 1, now);
  }
}
