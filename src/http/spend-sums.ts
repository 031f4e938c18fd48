import type { SpendItem } from '../audit/spend-query.ts';
import { shownAmount } from '../budget/refusal.ts';

/** Money in dollars and, for programs that add it up, in whole nano-dollars. */
export function shownSums(sums: SpendItem['sums']): Readonly<Record<string, number>> {
  const shown: Record<string, number> = {};
  for (const [name, sum] of Object.entries(sums)) {
    if (name.endsWith('_nano_usd')) shown[name.replace('_nano_usd', '_usd')] = shownAmount('cost', sum);
    shown[name] = sum;
  }
  return shown;
}
