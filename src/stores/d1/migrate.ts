// The worker brings its own database up to date, in the bookkeeping format of `wrangler d1 migrations apply`, so that
// either may go first and the other finds nothing to do.
import { MIGRATIONS, type Migration } from './migrations.ts';

const CREATE_BOOKKEEPING = `CREATE TABLE IF NOT EXISTS "d1_migrations"(
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  name       TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
)`;
const SELECT_APPLIED = 'SELECT name FROM d1_migrations';
const INSERT_APPLIED = 'INSERT INTO d1_migrations (name) VALUES (?)';

let upToDate = false;

/** Applies what is missing; after the first success in an isolate it costs nothing. @throws when a migration fails */
export async function migrate(db: D1Database): Promise<void> {
  if (upToDate) return;
  await applyMigrations(db, MIGRATIONS);
  upToDate = true;
}

/** Safe beside another isolate that does the same: of two, one loses on the bookkeeping row and changes nothing. */
export async function applyMigrations(db: D1Database, migrations: readonly Migration[]): Promise<void> {
  await db.prepare(CREATE_BOOKKEEPING).run();
  const applied = await appliedNames(db);
  for (const migration of migrations) {
    if (applied.has(migration.name)) continue;
    try {
      await db.batch([
        db.prepare(INSERT_APPLIED).bind(migration.name),
        ...statementsOf(migration.sql).map((statement) => db.prepare(statement)),
      ]);
    } catch (fault) {
      if (!(await appliedNames(db)).has(migration.name)) throw fault;
    }
  }
}

async function appliedNames(db: D1Database): Promise<ReadonlySet<string>> {
  const { results } = await db.prepare(SELECT_APPLIED).all<{ name: string }>();
  return new Set(results.map((row) => row.name));
}

function statementsOf(sql: string): string[] {
  return sql
    .split('--> statement-breakpoint')
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
}
