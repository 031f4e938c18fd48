// From budgets and rate limits as they are written to the limits that requests are held against. Pure.
import type { Limit, LimitTier, Metric } from '../budget/limits.ts';
import { fromUsd } from '../budget/money.ts';
import type { BudgetDocument, RateLimitDocument } from './limits-document.ts';

/** Whose limits they are. */
export interface LimitOwner {
  readonly tier: LimitTier;
  /** What the owner's counters are known by: what does not change while the owner is the same. */
  readonly parts: readonly string[];
  /** As people know it. */
  readonly name: string;
  /** As settled spend knows it, where it is kept for such owners. */
  readonly spendName?: string;
}

type RateLimit = Pick<RateLimitDocument, 'requests' | 'concurrent' | 'period' | 'calendar'> & {
  readonly tokens?: number | undefined;
};

export interface WrittenLimits {
  readonly budgets?: readonly BudgetDocument[] | undefined;
  readonly rate_limit?: readonly RateLimit[] | undefined;
  readonly tool_rate_limits?: Readonly<Record<string, readonly RateLimit[]>> | undefined;
}

export function compileLimits(owner: LimitOwner, written: WrittenLimits): Limit[] {
  return [
    ...(written.budgets ?? []).map((budget) => compileBudget(owner, budget)),
    ...(written.rate_limit ?? []).flatMap((rate) => compileRate(owner, rate)),
    ...Object.entries(written.tool_rate_limits ?? {}).flatMap(([tool, rates]) =>
      rates.flatMap((rate) => compileRate(owner, rate, tool)),
    ),
  ];
}

function compileBudget(
  owner: LimitOwner,
  { limit_usd: usd, period, calendar, alert_at: alertAt }: BudgetDocument,
): Limit {
  const amount = fromUsd(usd);
  if (amount === undefined) throw new RangeError('a budget that no schema lets pass');
  const limit = limitOf(owner, 'cost', amount, { period, calendar: calendar ?? false });
  return {
    ...limit,
    ...(alertAt !== undefined && alertAt.length > 0 && { alertAt: [...new Set(alertAt)].toSorted((a, b) => a - b) }),
  };
}

function compileRate(owner: LimitOwner, rate: RateLimit, tool?: string): Limit[] {
  const window = { period: rate.period, calendar: rate.calendar ?? false };
  return (['requests', 'tokens', 'concurrent'] as const).flatMap((metric) => {
    const amount = rate[metric];
    if (amount === undefined) return [];
    return [limitOf(owner, metric, amount, metric === 'concurrent' ? undefined : window, tool)];
  });
}

function limitOf(
  { tier, parts, name, spendName }: LimitOwner,
  metric: Metric,
  amount: number,
  window: Limit['window'],
  tool?: string,
): Limit {
  const span = window === undefined ? [] : [window.period, ...(window.calendar ? ['calendar'] : [])];
  return {
    // JSON, for names may hold any character.
    id: JSON.stringify([tier, ...parts, tool ?? null, metric, ...span]),
    tier,
    name,
    ...(spendName !== undefined && { spendName }),
    ...(tool !== undefined && { tool }),
    metric,
    amount,
    ...(window !== undefined && { window }),
  };
}
