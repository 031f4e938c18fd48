import type { LimitStanding } from '../../budget/admission.ts';
import type { Env } from '../../env.ts';
import type { LedgerLimits } from '../../policy/key-limits.ts';
import { budgetLedger } from './budget-ledger.ts';

/** How limits stand, as of now and for all isolates. */
export interface LimitReader {
  /** In the order of the ledgers and their limits. Throws when a ledger is out of reach. */
  standings(limits: readonly LedgerLimits[]): Promise<readonly LimitStanding[]>;
}

export function createLimitReader(env: Pick<Env, 'BUDGET_LEDGER'>): LimitReader {
  return {
    async standings(wanted) {
      const found = await Promise.all(wanted.map(({ ledger, limits }) => budgetLedger(env, ledger).standings(limits)));
      return found.flat();
    },
  };
}
