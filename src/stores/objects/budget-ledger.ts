import type { BudgetLedgerRpc } from '../../../durable-objects/contracts.ts';
import type { Env } from '../../env.ts';

/** @param name of a payer, or `server:<name>` */
export function budgetLedger(env: Pick<Env, 'BUDGET_LEDGER'>, name: string): BudgetLedgerRpc {
  // The mapped type of a stub does not keep the brand of amounts; its contract says the same.
  return env.BUDGET_LEDGER.getByName(name) as unknown as BudgetLedgerRpc;
}
