// The process that holds the ledgers: what other processes may call of them, flat, for stubs do not travel.
import { WorkerEntrypoint } from 'cloudflare:workers';
import type { LedgerEntry } from '../durable-objects/contracts.ts';
import type { HolderReport, LeaseAnswer, LeaseRequest } from '../src/budget/lease.ts';
import type { Env } from '../src/env.ts';

export { BudgetLedger } from '../durable-objects/budget-ledger.ts';

export class LedgerDoor extends WorkerEntrypoint<Env> {
  acquire(ledger: string, request: LeaseRequest): Promise<LeaseAnswer> {
    return this.env.BUDGET_LEDGER.getByName(ledger).acquire(request);
  }

  report(ledger: string, report: HolderReport): Promise<void> {
    return this.env.BUDGET_LEDGER.getByName(ledger).report(report);
  }

  record(ledger: string, entries: readonly LedgerEntry[]): Promise<void> {
    return this.env.BUDGET_LEDGER.getByName(ledger).record(entries);
  }
}

export default { fetch: (): Response => new Response('ready') };
