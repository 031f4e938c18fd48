// How much a lease is given beyond what was asked for, so that most requests need not ask.
import type { LeasedPlan } from './granted-lease.ts';
import type { Amounts } from './limits.ts';

/** Of a limit, what all its open leases together hold that nobody asked for. */
export const SLACK_SHARE = 1 / 16;
/** Of one lease. */
const MAX_NEEDS = 256;

/**
 * In whole needs, so that no fragment is left over: the same number of every metric, as many as the tightest counter
 * allows. A lease gets at most half of what is still allowed, and nothing where little would be left after it.
 */
export function slackFor({ counters }: LeasedPlan, need: Amounts): Amounts {
  let needs = MAX_NEEDS;
  for (const counter of counters) {
    const one = need[counter.metric];
    if (one === 0) continue;
    const { amount } = counter.limit;
    const allowance = Math.floor(amount * SLACK_SHARE);
    const left = amount - counter.taken - one;
    needs = Math.min(needs, Math.floor(Math.min((allowance - counter.slack) / 2, left - 2 * allowance) / one));
  }
  return times(need, Math.max(0, needs));
}

function times({ cost, tokens, requests }: Amounts, factor: number): Amounts {
  const of = (amount: number): number => Math.min(amount * factor, Number.MAX_SAFE_INTEGER);
  return { cost: of(cost) as Amounts['cost'], tokens: of(tokens), requests: of(requests) };
}
