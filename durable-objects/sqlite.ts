// The SQLite of one Durable Object: its schema versions and typed statements. Shared by every class here.

/** A type alias, not an interface: only aliases are assignable to an index signature. */
type Row = Record<string, SqlStorageValue>;

const HISTORY = 'CREATE TABLE IF NOT EXISTS schema_migrations (version INTEGER PRIMARY KEY) STRICT';

export class ObjectDatabase {
  readonly #storage: DurableObjectStorage;

  /**
   * Opens the database and brings it to the newest version. Safe to repeat, for instance after `deleteAll()`.
   * @param migrations SQL scripts in order, each applied once and never edited after a release
   */
  constructor(storage: DurableObjectStorage, migrations: readonly string[]) {
    this.#storage = storage;
    this.#migrate(migrations);
  }

  /** Every row the statement answers. Keep the result small: it is held in memory whole. */
  all<R extends Row>(sql: string, ...values: SqlStorageValue[]): R[] {
    return this.#storage.sql.exec<R>(sql, ...values).toArray();
  }

  /** The first row, where there is one. */
  first<R extends Row>(sql: string, ...values: SqlStorageValue[]): R | undefined {
    return this.all<R>(sql, ...values)[0];
  }

  run(sql: string, ...values: SqlStorageValue[]): void {
    this.#storage.sql.exec(sql, ...values);
  }

  /** Runs synchronous work as one transaction, rolled back when it throws. One commit, one fsync. */
  transaction<T>(work: () => T): T {
    return this.#storage.transactionSync(work);
  }

  // `PRAGMA user_version` is refused here, hence a table.
  #migrate(migrations: readonly string[]): void {
    this.transaction(() => {
      this.run(HISTORY);
      const applied = this.first<{ version: number }>(
        'SELECT coalesce(max(version), 0) AS version FROM schema_migrations',
      );
      const from = applied?.version ?? 0;
      if (from > migrations.length) {
        throw new Error(`the stored schema is at version ${from}, newer than this build (${migrations.length})`);
      }
      for (const [index, script] of migrations.entries()) {
        if (index < from) continue;
        this.run(script);
        this.run('INSERT INTO schema_migrations (version) VALUES (?)', index + 1);
      }
    });
  }
}
