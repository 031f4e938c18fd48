// What an `UpstreamHealth` object remembers, in its SQLite.
import type { Tool } from '@modelcontextprotocol/client';
import type { Condition } from '../src/health/condition.ts';
import { unknownCondition } from '../src/health/condition.ts';
import type { Catalog, UpstreamSession } from '../src/mcp/ports.ts';
import type { HealthSubject } from './contracts.ts';
import { ObjectDatabase } from './sqlite.ts';

// A catalog may be larger than one row may be, hence a row per tool.
const MIGRATIONS = [
  `CREATE TABLE record (id INTEGER PRIMARY KEY CHECK (id = 1), body TEXT NOT NULL) STRICT;
   CREATE TABLE tools (position INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;`,
];

export interface RecordBody {
  readonly subject?: HealthSubject;
  readonly condition: Condition;
  /** Milliseconds since the epoch, as are all times here. */
  readonly lastUsedAt: number;
  /** When the tools were last listed. */
  readonly listedAt: number;
  /** When the era was last found out by asking rather than assumed. */
  readonly eraAt: number;
  /** The probe's own session at a legacy server. */
  readonly session?: UpstreamSession;
  readonly catalog?: Catalog;
}

const empty: RecordBody = { condition: unknownCondition, lastUsedAt: 0, listedAt: 0, eraAt: 0 };

export class UpstreamRecord {
  readonly #storage: DurableObjectStorage;
  #database: ObjectDatabase;
  #body: RecordBody;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#database = new ObjectDatabase(storage, MIGRATIONS);
    this.#body = this.#load();
  }

  get body(): RecordBody {
    return this.#body;
  }

  /** Changes what is in memory; `save` makes it last. */
  set(change: Partial<RecordBody>): void {
    this.replace({ ...this.#body, ...change });
  }

  /** As `set`, but what is absent is forgotten. */
  replace(body: RecordBody): void {
    this.#body = body;
  }

  /** Forgets what was learnt of an earlier definition. */
  begin(subject: HealthSubject): void {
    const { lastUsedAt } = this.#body;
    this.#body = { ...empty, subject, lastUsedAt };
    this.save({ tools: true });
  }

  /** @param what whether the tools changed too: they are many */
  save(what: { readonly tools: boolean } = { tools: false }): void {
    const { catalog, ...body } = this.#body;
    const head = catalog && { ...catalog, tools: [] };
    this.#database.transaction(() => {
      this.#database.run(
        'INSERT OR REPLACE INTO record (id, body) VALUES (1, ?)',
        JSON.stringify({ ...body, catalog: head }),
      );
      if (!what.tools) return;
      this.#database.run('DELETE FROM tools');
      for (const [position, tool] of (catalog?.tools ?? []).entries()) {
        this.#database.run('INSERT INTO tools (position, body) VALUES (?, ?)', position, JSON.stringify(tool));
      }
    });
  }

  async forget(): Promise<void> {
    await this.#storage.deleteAlarm();
    await this.#storage.deleteAll();
    this.#database = new ObjectDatabase(this.#storage, MIGRATIONS);
    this.#body = empty;
  }

  #load(): RecordBody {
    const row = this.#database.first<{ body: string }>('SELECT body FROM record');
    if (row === undefined) return empty;
    const body: RecordBody = JSON.parse(row.body);
    if (body.catalog === undefined) return body;
    const rows = this.#database.all<{ body: string }>('SELECT body FROM tools ORDER BY position');
    const tools = rows.map((tool): Tool => JSON.parse(tool.body));
    return { ...body, catalog: { ...body.catalog, tools } };
  }
}
