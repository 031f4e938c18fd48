// The ledger's limits in SQLite: rows are what `src/budget/ledger.ts` says of itself, each written whole when it changed.
import type { CounterSource, StoredPlan } from '../src/budget/counter-book.ts';
import type { StoredCell } from '../src/budget/counter.ts';
import type { StoredLease } from '../src/budget/granted-lease.ts';
import type { LedgerChanges, StoredLedger } from '../src/budget/ledger.ts';
import type { SettledSpend } from '../src/budget/settled-spend.ts';
import type { StoredSlots } from '../src/budget/slots.ts';
import type { ObjectDatabase } from './sqlite.ts';

/** Beside `AUDIT_TABLES`, of whose `spend` new counters are made. */
export const LEASE_TABLES = `
  CREATE TABLE counters (
    id TEXT PRIMARY KEY,
    cells TEXT NOT NULL,
    changed_at INTEGER NOT NULL,
    forget_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE plans (id TEXT PRIMARY KEY, limits TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE leases (id TEXT PRIMARY KEY, lease TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE slots (
    holder TEXT NOT NULL,
    counter TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    running INTEGER NOT NULL,
    held INTEGER NOT NULL,
    PRIMARY KEY (holder, counter)
  ) STRICT, WITHOUT ROWID;`;

const FORGET_COUNTERS = 'DELETE FROM counters WHERE forget_at < ?';
const SELECT_CHANGED_AT = 'SELECT coalesce(max(changed_at), 0) AS at FROM counters';
const SELECT_COUNTER = 'SELECT cells, changed_at FROM counters WHERE id = ?';
const SELECT_SPEND = 'SELECT * FROM spend WHERE tier = ? AND name = ? AND hour >= ?';
// One bound parameter whatever the number of rows.
const PUT_COUNTERS = `
  INSERT OR REPLACE INTO counters (id, cells, changed_at, forget_at)
  SELECT value ->> 'id', value -> 'cells', value ->> 'changedAt', value ->> 'forgetAt' FROM json_each(?)`;
const PUT_PLANS = `
  INSERT OR REPLACE INTO plans (id, limits) SELECT value ->> 'id', value -> 'limits' FROM json_each(?)`;
const PUT_LEASES = "INSERT OR REPLACE INTO leases (id, lease) SELECT value ->> 'id', value FROM json_each(?)";
const PUT_SLOTS = `
  INSERT OR REPLACE INTO slots (holder, counter, sequence, running, held)
  SELECT value ->> 'holder', value ->> 'counter', value ->> 'sequence', value ->> 'running', value ->> 'held'
  FROM json_each(?)`;
const DELETE_PLANS = 'DELETE FROM plans WHERE id IN (SELECT value FROM json_each(?))';
const DELETE_LEASES = 'DELETE FROM leases WHERE id IN (SELECT value FROM json_each(?))';
const DELETE_HOLDERS = 'DELETE FROM slots WHERE holder IN (SELECT value FROM json_each(?))';

/** How many rows one statement takes, so that what it binds stays far below 2 MB. */
const ROWS = 200;

export class LeaseStore implements CounterSource {
  readonly #database: ObjectDatabase;

  /** @param database has `AUDIT_TABLES` and `LEASE_TABLES` */
  constructor(database: ObjectDatabase) {
    this.#database = database;
  }

  /** @param now counters that were of no worth before are forgotten */
  load(now: number): StoredLedger {
    this.#database.run(FORGET_COUNTERS, now);
    return {
      plans: this.#database
        .all<{ id: string; limits: string }>('SELECT id, limits FROM plans')
        .map(({ id, limits }): StoredPlan => ({ id, limits: JSON.parse(limits) })),
      leases: this.#database
        .all<{ lease: string }>('SELECT lease FROM leases')
        .map(({ lease }): StoredLease => JSON.parse(lease)),
      slots: this.#database.all<StoredSlots & Record<string, SqlStorageValue>>('SELECT * FROM slots'),
      changedAt: this.#database.first<{ at: number }>(SELECT_CHANGED_AT)?.at ?? 0,
    };
  }

  counter(id: string): ReturnType<CounterSource['counter']> {
    const row = this.#database.first<{ cells: string; changed_at: number }>(SELECT_COUNTER, id);
    return row && { cells: JSON.parse(row.cells) as readonly StoredCell[], changedAt: row.changed_at };
  }

  spend(tier: SettledSpend['tier'], name: string, since: number): readonly SettledSpend[] {
    return this.#database.all<SettledSpend & Record<string, SqlStorageValue>>(SELECT_SPEND, tier, name, since);
  }

  /** Within the caller's transaction. */
  write(changes: LedgerChanges): void {
    this.#each(DELETE_HOLDERS, changes.goneHolders);
    this.#each(DELETE_LEASES, changes.endedLeases);
    this.#each(DELETE_PLANS, changes.gonePlans);
    this.#each(PUT_PLANS, changes.plans);
    this.#each(PUT_LEASES, changes.leases);
    this.#each(PUT_COUNTERS, changes.counters);
    this.#each(PUT_SLOTS, changes.slots);
  }

  #each(sql: string, rows: readonly unknown[]): void {
    for (let from = 0; from < rows.length; from += ROWS) {
      this.#database.run(sql, JSON.stringify(rows.slice(from, from + ROWS)));
    }
  }
}
