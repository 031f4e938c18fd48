import { env } from 'cloudflare:workers';
import { runInDurableObject } from 'cloudflare:test';
import { expect, it } from 'vitest';
import { ObjectDatabase } from '../../../durable-objects/sqlite.ts';

const FIRST = "CREATE TABLE fruit (name TEXT PRIMARY KEY) STRICT; INSERT INTO fruit VALUES ('apple');";
const SECOND = 'ALTER TABLE fruit ADD COLUMN weight INTEGER NOT NULL DEFAULT 1;';

const open = (storage: DurableObjectStorage, migrations: readonly string[]): ObjectDatabase =>
  new ObjectDatabase(storage, migrations);

async function withEmptyStorage(name: string, test: (storage: DurableObjectStorage) => void): Promise<void> {
  await runInDurableObject(env.BUDGET_LEDGER.getByName(name), async (_object, state) => {
    await state.storage.deleteAll();
    test(state.storage);
  });
}

it('applies each migration once, in order, across openings', () =>
  withEmptyStorage('once', (storage) => {
    const old = open(storage, [FIRST]);
    expect(old.all('SELECT * FROM fruit')).toEqual([{ name: 'apple' }]);
    const current = open(storage, [FIRST, SECOND]);
    expect(current.all('SELECT * FROM fruit')).toEqual([{ name: 'apple', weight: 1 }]);
    open(storage, [FIRST, SECOND]);
    expect(current.all('SELECT version FROM schema_migrations')).toEqual([{ version: 1 }, { version: 2 }]);
  }));

it('leaves nothing behind when a migration fails', () =>
  withEmptyStorage('failing', (storage) => {
    expect(() => open(storage, [FIRST, 'ALTER TABLE absent ADD COLUMN x TEXT'])).toThrow(/absent/);
    const database = open(storage, []);
    expect(database.all("SELECT name FROM sqlite_schema WHERE name = 'fruit'")).toEqual([]);
    expect(database.first('SELECT version FROM schema_migrations')).toBeUndefined();
  }));

it('refuses a schema that is newer than the build', () =>
  withEmptyStorage('newer', (storage) => {
    open(storage, [FIRST, SECOND]);
    expect(() => open(storage, [FIRST])).toThrow(/version 2, newer than this build \(1\)/);
  }));

it('rolls a transaction back when it throws', () =>
  withEmptyStorage('rollback', (storage) => {
    const database = open(storage, [FIRST]);
    const work = (): void => {
      database.run('INSERT INTO fruit VALUES (?)', 'pear');
      throw new Error('no');
    };
    expect(() => database.transaction(work)).toThrow('no');
    expect(database.all('SELECT name FROM fruit')).toEqual([{ name: 'apple' }]);
  }));
