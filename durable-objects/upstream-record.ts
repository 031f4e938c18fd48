// What an `UpstreamHealth` object remembers, in its SQLite.
import type { Condition } from '../src/health/condition.ts';
import { unknownCondition } from '../src/health/condition.ts';
import type { Catalog, UpstreamSession } from '../src/mcp/ports.ts';
import type { HealthSubject } from './contracts.ts';
import { DEFINITION_TABLES } from './definition-pins.ts';
import { ObjectDatabase } from './sqlite.ts';

// A catalog may be larger than one row may be, hence a row per item.
const MIGRATIONS = [
  `CREATE TABLE record (id INTEGER PRIMARY KEY CHECK (id = 1), body TEXT NOT NULL) STRICT;
   CREATE TABLE tools (position INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;`,
  `CREATE TABLE items (
     kind TEXT NOT NULL CHECK (kind IN ('tools', 'resources', 'resourceTemplates', 'prompts')),
     position INTEGER NOT NULL,
     body TEXT NOT NULL,
     PRIMARY KEY (kind, position)
   ) STRICT, WITHOUT ROWID;
   INSERT INTO items (kind, position, body) SELECT 'tools', position, body FROM tools;
   DROP TABLE tools;`,
  DEFINITION_TABLES,
];

const KINDS = ['tools', 'resources', 'resourceTemplates', 'prompts'] as const;

export interface RecordBody {
  readonly subject?: HealthSubject;
  readonly condition: Condition;
  /** Milliseconds since the epoch, as are all times here. */
  readonly lastUsedAt: number;
  /** When its lists were last read. */
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

  get database(): ObjectDatabase {
    return this.#database;
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
    this.save({ items: true });
  }

  /** @param what whether the items of the catalog changed too: they are many */
  save(what: { readonly items: boolean } = { items: false }): void {
    const { catalog, ...body } = this.#body;
    const head = catalog && { ...catalog, ...itemsOf(catalog, () => []) };
    this.#database.transaction(() => {
      this.#database.run(
        'INSERT OR REPLACE INTO record (id, body) VALUES (1, ?)',
        JSON.stringify({ ...body, catalog: head }),
      );
      if (!what.items) return;
      this.#database.run('DELETE FROM items');
      for (const kind of KINDS)
        for (const [position, item] of (catalog?.[kind] ?? []).entries())
          this.#database.run(
            'INSERT INTO items (kind, position, body) VALUES (?, ?, ?)',
            kind,
            position,
            JSON.stringify(item),
          );
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
    const { catalog } = body;
    const read = (kind: string): unknown[] =>
      this.#database
        .all<{ body: string }>('SELECT body FROM items WHERE kind = ? ORDER BY position', kind)
        .map((item) => JSON.parse(item.body));
    return { ...body, catalog: { ...catalog, ...itemsOf(catalog, read) } };
  }
}

/** For each kind that the catalog has. */
function itemsOf(catalog: Catalog, read: (kind: string) => unknown[]): Pick<Catalog, (typeof KINDS)[number]> {
  const held = KINDS.filter((kind) => catalog[kind] !== undefined);
  return Object.fromEntries(held.map((kind) => [kind, read(kind)])) as unknown as Pick<Catalog, (typeof KINDS)[number]>;
}
