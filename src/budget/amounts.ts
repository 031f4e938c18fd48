// Arithmetic on what requests take.
import type { Amounts, Limit, Metric } from './limits.ts';
import { toNanoUsd } from './money.ts';

/** Amounts that are being added up. */
export interface Sums {
  cost: number;
  tokens: number;
  requests: number;
}

export const NOTHING: Amounts = { cost: toNanoUsd(0), tokens: 0, requests: 0 };

/** Which metrics limits bound. */
export type Bounds = Readonly<Record<keyof Amounts, boolean>>;

export function boundsOf(limits: readonly Limit[]): Bounds {
  const isBound = (metric: Metric): boolean => limits.some((limit) => limit.metric === metric);
  return { cost: isBound('cost'), tokens: isBound('tokens'), requests: isBound('requests') };
}

/** Without what no limit bounds. */
export function boundAmounts(bounds: Bounds, { cost, tokens, requests }: Amounts): Amounts {
  return {
    cost: bounds.cost ? cost : NOTHING.cost,
    tokens: bounds.tokens ? tokens : 0,
    requests: bounds.requests ? requests : 0,
  };
}

export function add(sums: Sums, { cost, tokens, requests }: Sums): void {
  sums.cost += cost;
  sums.tokens += tokens;
  sums.requests += requests;
}

export function subtract(sums: Sums, { cost, tokens, requests }: Sums): void {
  sums.cost -= cost;
  sums.tokens -= tokens;
  sums.requests -= requests;
}

/** By how much the first passes the second, in each metric; undefined where it does in none. */
export function excess(amounts: Amounts, most: Amounts): Amounts | undefined {
  const over = {
    cost: Math.max(0, amounts.cost - most.cost),
    tokens: Math.max(0, amounts.tokens - most.tokens),
    requests: Math.max(0, amounts.requests - most.requests),
  };
  return isNothing(over) ? undefined : toAmounts(over);
}

export function isNothing({ cost, tokens, requests }: Sums): boolean {
  return cost === 0 && tokens === 0 && requests === 0;
}

/** @throws RangeError when an amount is not a whole number from zero: what cannot be counted is not admitted */
export function toAmounts({ cost, tokens, requests }: Sums): Amounts {
  if (!isCount(tokens) || !isCount(requests)) throw new RangeError(`not an amount: ${tokens}, ${requests}`);
  return { cost: toNanoUsd(cost), tokens, requests };
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
