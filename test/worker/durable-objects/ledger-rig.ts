// What the ledger's tests share: events, a database that fails on demand, and a look into an object's tables.
import { env } from 'cloudflare:workers';
import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import type { BudgetLedger } from '../../../durable-objects/budget-ledger.ts';
import type { LedgerEntry } from '../../../durable-objects/contracts.ts';
import type { AuditEvent } from '../../../src/audit/event.ts';
import { newId } from '../../../src/lib/ids.ts';

export const HOUR = 3_600_000;
export const AT = Date.UTC(2026, 10, 22, 12, 30);

export function makeEvent(more: Partial<AuditEvent> = {}): AuditEvent {
  const at = more.at ?? AT;
  const call = { kind: 'tool.call', outcome: 'ok', key_id: 'vk_1', key_name: 'one', upstream_ms: 1 } as const;
  return { id: newId('evt', at), at, ...call, ...more };
}

/** Events that settle nothing. */
export function entriesOf(events: readonly AuditEvent[]): LedgerEntry[] {
  return events.map((event) => ({ event }));
}

export function ledger(payer: string): DurableObjectStub<BudgetLedger> {
  return env.BUDGET_LEDGER.getByName(payer);
}

export async function outboxIds(payer: string): Promise<string[]> {
  return runInDurableObject(ledger(payer), (_object, state) =>
    state.storage.sql
      .exec<{ id: string }>('SELECT id FROM outbox ORDER BY position')
      .toArray()
      .map(({ id }) => id),
  );
}

export interface SpendRow {
  [column: string]: SqlStorageValue;
  tier: string;
  name: string;
  hour: number;
  calls: number;
  cost_nano_usd: number;
}

export async function spend(payer: string): Promise<SpendRow[]> {
  return runInDurableObject(ledger(payer), (_object, state) =>
    state.storage.sql.exec<SpendRow>('SELECT * FROM spend ORDER BY tier, name, hour').toArray(),
  );
}

/** The ids of the rows in D1, of those given or all. */
export async function storedIds(ids?: readonly string[]): Promise<string[]> {
  const { results } = await env.DB.prepare('SELECT id FROM audit_events ORDER BY seq').all<{ id: string }>();
  return results.map(({ id }) => id).filter((id) => ids === undefined || ids.includes(id));
}

/** Replaces the database of the running object; an eviction brings the real one back. */
export async function useDatabase(
  payer: string,
  database: D1Database | ((state: DurableObjectState) => D1Database),
): Promise<void> {
  await runInDurableObject(ledger(payer), (object, state) => {
    const DB = typeof database === 'function' ? database(state) : database;
    Object.defineProperty(object, 'env', { value: { ...env, DB }, configurable: true });
  });
}

export function runAlarm(payer: string): Promise<boolean> {
  return runDurableObjectAlarm(ledger(payer));
}

export async function alarmIn(payer: string): Promise<number | undefined> {
  return runInDurableObject(ledger(payer), async (_object, state) => {
    const at = await state.storage.getAlarm();
    return at === null ? undefined : at - Date.now();
  });
}

/** The real database, but writing audit events fails: before they are stored, or after. */
export function failingDatabase(when: 'before' | 'after'): D1Database {
  return withInsert(async (insert) => {
    if (when === 'after') await insert();
    throw new Error('D1_ERROR: out of reach');
  });
}

/** The real database, but the object dies with the events stored and nobody told. */
export function crashingDatabase(state: DurableObjectState): D1Database {
  return withInsert(async (insert) => {
    await insert();
    state.abort('crash');
    return new Promise(() => {});
  });
}

/** Events are stored in a batch with what is summed up of them; nothing else that a ledger does is one. */
function withInsert(run: (insert: () => Promise<D1Result[]>) => Promise<D1Result[]>): D1Database {
  return new Proxy(env.DB, {
    get(target, property) {
      if (property === 'batch') return (statements: D1PreparedStatement[]) => run(() => target.batch(statements));
      const member: unknown = Reflect.get(target, property);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}
