// Audit events of tool definitions on their way to the ledger: written with the change they tell of, gone once it is told.
import type { AuditEvent } from '../src/audit/event.ts';
import type { ObjectDatabase } from './sqlite.ts';

export const DEFINITION_EVENT_TABLE = `
  CREATE TABLE definition_events (seq INTEGER PRIMARY KEY, event TEXT NOT NULL) STRICT;`;

const EVENTS_PER_PAGE = 500;

export interface WaitingEvents {
  readonly events: readonly AuditEvent[];
  readonly upTo: number;
}

export class DefinitionEvents {
  readonly #database: ObjectDatabase;

  constructor(database: ObjectDatabase) {
    this.#database = database;
  }

  add(event: AuditEvent): void {
    this.#database.run('INSERT INTO definition_events (event) VALUES (?)', JSON.stringify(event));
  }

  /** A page of them, oldest first; undefined when there are none. */
  waiting(): WaitingEvents | undefined {
    const rows = this.#database.all<{ seq: number; event: string }>(
      'SELECT seq, event FROM definition_events ORDER BY seq LIMIT ?',
      EVENTS_PER_PAGE,
    );
    const upTo = rows.at(-1)?.seq;
    return upTo === undefined ? undefined : { events: rows.map(({ event }): AuditEvent => JSON.parse(event)), upTo };
  }

  handedOver({ upTo }: WaitingEvents): void {
    this.#database.run('DELETE FROM definition_events WHERE seq <= ?', upTo);
  }
}
