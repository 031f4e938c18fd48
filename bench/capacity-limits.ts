// The limits of `limited-config.ts`, compiled: those that the capacity bench charges.
import type { Limit, LimitTier, Metric } from '../src/budget/limits.ts';

const TIERS: readonly LimitTier[] = ['customer', 'team', 'virtual_key', 'provider_config'];

export function limitsOfAllTiers(): Limit[] {
  return TIERS.flatMap((tier) => [
    limit(tier, 'cost', 9e15, '1d', false),
    limit(tier, 'cost', 9e15, '1M', true),
    limit(tier, 'requests', 1e9, '1m', false),
    limit(tier, 'tokens', 1e12, '1m', false),
    limit(tier, 'concurrent', 1e5),
  ]);
}

function limit(tier: LimitTier, metric: Metric, amount: number, period?: string, calendar = false): Limit {
  const window = period === undefined ? {} : { window: { period, calendar } };
  return {
    id: JSON.stringify([tier, 'bench', metric, period, calendar]),
    tier,
    name: 'bench',
    metric,
    amount,
    ...window,
  };
}
