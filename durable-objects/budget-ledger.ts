import { DurableObject } from 'cloudflare:workers';
import type { AuditEvent } from '../src/audit/event.ts';
import type { Env } from '../src/env.ts';
import type { BudgetLedgerRpc } from './contracts.ts';

export class BudgetLedger extends DurableObject<Env> implements BudgetLedgerRpc {
  async record(_events: readonly AuditEvent[]): Promise<void> {}
}
