import { applyD1Migrations } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import { applyMigrations, migrate } from '../../../src/stores/d1/migrate.ts';
import { MIGRATIONS } from '../../../src/stores/d1/migrations.ts';

declare global {
  interface ImportMeta {
    glob(pattern: string, options: object): Record<string, unknown>;
  }
}

const files = import.meta.glob('../../../migrations/*.sql', { query: '?raw', import: 'default', eager: true });
const fileNames = Object.keys(files).map((path) => path.slice(path.lastIndexOf('/') + 1));

async function names(sql: string): Promise<string[]> {
  return (await env.DB.prepare(sql).all<{ name: string }>()).results.map((row) => row.name);
}
const appliedNames = () => names('SELECT name FROM d1_migrations ORDER BY id');
const tableNames = () => names("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name");

beforeEach(async () => {
  for (const table of await tableNames())
    if (!/^(_cf|sqlite)_/.test(table)) await env.DB.prepare(`DROP TABLE "${table}"`).run();
});

describe('migrations', () => {
  it('lists every file of the folder, in order', () => {
    expect(fileNames.length).toBeGreaterThan(0);
    expect(MIGRATIONS.map((migration) => migration.name)).toEqual(fileNames.toSorted());
  });

  it('creates the tables and books each file once', async () => {
    await applyMigrations(env.DB, MIGRATIONS);
    await applyMigrations(env.DB, MIGRATIONS);
    expect(await tableNames()).toEqual(expect.arrayContaining(['audit_events', 'config_objects', 'config_revision']));
    expect(await appliedNames()).toEqual(fileNames.toSorted());
  });

  it('survives several isolates that start at once', async () => {
    await Promise.all(Array.from({ length: 5 }, () => applyMigrations(env.DB, MIGRATIONS)));
    expect(await appliedNames()).toEqual(fileNames.toSorted());
  });

  it('leaves nothing of a migration that fails half-way, and says so', async () => {
    const broken = [
      { name: '0001_broken.sql', sql: 'CREATE TABLE half (a)--> statement-breakpoint CREATE TABLE half (b)' },
    ];
    await expect(applyMigrations(env.DB, broken)).rejects.toThrow('half');
    expect(await appliedNames()).toEqual([]);
    expect(await tableNames()).not.toContain('half');
  });

  it('leaves nothing to do for wrangler, nor wrangler for it', async () => {
    await applyMigrations(env.DB, MIGRATIONS);
    // Would fail on a table that exists, were the books not read alike.
    const migrations = MIGRATIONS.map(({ name, sql }) => ({ name, queries: sql.split('--> statement-breakpoint') }));
    await applyD1Migrations(env.DB, migrations);
    await applyD1Migrations(env.DB, [...migrations, { name: '9999_later.sql', queries: ['CREATE TABLE later (a)'] }]);
    await applyMigrations(env.DB, [...MIGRATIONS, { name: '9999_later.sql', sql: 'CREATE TABLE later (a)' }]);
    expect(await appliedNames()).toEqual([...fileNames.toSorted(), '9999_later.sql']);
  });

  it('asks the database nothing more once it is up to date', async () => {
    await migrate(env.DB);
    const untouchable = new Proxy(env.DB, {
      get() {
        throw new Error('the database was asked');
      },
    });
    await migrate(untouchable);
  });
});
