// The ledger's audit: events on their way to D1, the ids of those that lately arrived there, and settled spend.
import { approximateSize } from '../src/audit/bounded-event.ts';
import type { AuditEvent } from '../src/audit/event.ts';
import { settledSpend } from '../src/budget/settled-spend.ts';
import { inChunks } from '../src/lib/chunks.ts';
import type { ObjectDatabase } from './sqlite.ts';

export const AUDIT_TABLES = `
  CREATE TABLE outbox (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    event TEXT NOT NULL
  ) STRICT;
  CREATE TABLE delivered (
    id TEXT PRIMARY KEY,
    delivered_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX delivered_at ON delivered (delivered_at);
  CREATE TABLE spend (
    tier TEXT NOT NULL CHECK (tier IN ('customer', 'team', 'virtual_key', 'provider_config')),
    name TEXT NOT NULL,
    hour INTEGER NOT NULL,
    calls INTEGER NOT NULL,
    unpriced INTEGER NOT NULL,
    cost_nano_usd INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    PRIMARY KEY (tier, name, hour)
  ) STRICT, WITHOUT ROWID;`;

// One bound parameter whatever the number of rows; answers the ids that were new.
const INSERT_EVENTS = `
  INSERT INTO outbox (id, event)
  SELECT value ->> 'id', value FROM json_each(?)
  WHERE NOT EXISTS (SELECT 1 FROM delivered WHERE delivered.id = value ->> 'id')
  ON CONFLICT (id) DO NOTHING
  RETURNING id`;
const ADD_SPEND = `
  INSERT INTO spend (tier, name, hour, calls, unpriced, cost_nano_usd, input_tokens, output_tokens)
  SELECT value ->> 'tier', value ->> 'name', value ->> 'hour', value ->> 'calls', value ->> 'unpriced',
         value ->> 'cost_nano_usd', value ->> 'input_tokens', value ->> 'output_tokens'
  FROM json_each(?) WHERE true
  ON CONFLICT (tier, name, hour) DO UPDATE SET
    calls = calls + excluded.calls,
    unpriced = unpriced + excluded.unpriced,
    cost_nano_usd = cost_nano_usd + excluded.cost_nano_usd,
    input_tokens = input_tokens + excluded.input_tokens,
    output_tokens = output_tokens + excluded.output_tokens`;
const SELECT_PAGE = `
  SELECT position, event FROM (
    SELECT position, event, sum(length(event)) OVER (ORDER BY position) AS characters
    FROM (SELECT position, event FROM outbox ORDER BY position LIMIT ?1)
  ) WHERE characters <= ?2 OR characters = length(event)`;
const REMEMBER_DELIVERED =
  'INSERT INTO delivered (id, delivered_at) SELECT id, ? FROM outbox WHERE position <= ? ON CONFLICT (id) DO NOTHING';
const DELETE_DELIVERED = 'DELETE FROM outbox WHERE position <= ?';
const FORGET_DELIVERED =
  'DELETE FROM delivered WHERE id IN (SELECT id FROM delivered WHERE delivered_at < ? ORDER BY delivered_at LIMIT ?)';

/** Of one bound value, which may be 2 MB; a character may be three bytes. */
const STATEMENT = { items: 1_000, characters: 600_000 };
/** How long a repeated delivery is recognised after its event has left for D1; senders give up far sooner. */
const REMEMBER_MS = 10 * 60_000;

export interface OutboxPage {
  /** Each event as JSON text, oldest first. */
  readonly events: readonly string[];
  /** To be given back to `delivered`. */
  readonly through: number;
}

export class AuditOutbox {
  readonly #database: ObjectDatabase;

  /** @param database has `AUDIT_TABLES` */
  constructor(database: ObjectDatabase) {
    this.#database = database;
  }

  get isEmpty(): boolean {
    return this.#database.first('SELECT 1 FROM outbox LIMIT 1') === undefined;
  }

  /** Keeps the events that are new, and their spend. Within the caller's transaction. */
  add(events: readonly AuditEvent[]): void {
    for (const chunk of inChunks(events, STATEMENT, approximateSize)) this.#addChunk(chunk);
  }

  #addChunk(events: readonly AuditEvent[]): void {
    const inserted = this.#database.all<{ id: string }>(INSERT_EVENTS, JSON.stringify(events));
    const byId = new Map(events.map((event) => [event.id, event]));
    const spend = settledSpend(inserted.flatMap(({ id }) => byId.get(id) ?? []));
    if (spend.length > 0) this.#database.run(ADD_SPEND, JSON.stringify(spend));
  }

  /** The oldest events, as many as one statement takes; at least one where there is any. */
  page(): OutboxPage | undefined {
    const rows = this.#database.all<{ position: number; event: string }>(
      SELECT_PAGE,
      STATEMENT.items,
      STATEMENT.characters,
    );
    const last = rows.at(-1);
    return last && { events: rows.map((row) => row.event), through: last.position };
  }

  /** Call only after D1 has acknowledged the page: from here on it alone holds the events. */
  delivered(page: OutboxPage, now: number): void {
    this.#database.transaction(() => {
      this.#database.run(REMEMBER_DELIVERED, now, page.through);
      this.#database.run(DELETE_DELIVERED, page.through);
      // Twice what came in, so that the table shrinks again after a burst, in steps that never take long.
      this.#database.run(FORGET_DELIVERED, now - REMEMBER_MS, 2 * page.events.length);
    });
  }
}
