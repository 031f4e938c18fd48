// The configuration in D1, behind the port of the admin API.
import { and, asc, eq, gt } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import { draftApply, draftPut, draftRemoval } from '../../config/draft.ts';
import type { Keyring } from '../../config/keyring.ts';
import { maskSecrets } from '../../config/masking.ts';
import type { ObjectKind } from '../../config/objects.ts';
import type { ConfigStore, Page, ShownObject } from '../../config/ports.ts';
import { openObject, type SealedObject } from '../../config/sealed-object.ts';
import { err, ok } from '../../lib/result.ts';
import { failure } from '../../policy/failure.ts';
import { makeChange, type ConfigStoreOptions } from './config-change.ts';
import { toSealedObject } from './config-rows.ts';
import { migrate } from './migrate.ts';
import { configObjects } from './schema.ts';

export function createConfigStore(options: ConfigStoreOptions): ConfigStore {
  const { db } = options;

  async function get(kind: ObjectKind, name: string): Promise<ShownObject | undefined> {
    await migrate(db);
    const here = and(eq(configObjects.kind, kind), eq(configObjects.name, name));
    const [row] = await drizzle(db).select().from(configObjects).where(here);
    return row === undefined ? undefined : showObject(await options.keyring(), toSealedObject(row, kind));
  }

  async function list(kind: ObjectKind, page: { limit: number; after?: string }): Promise<Page<ShownObject>> {
    await migrate(db);
    const keyring = await options.keyring();
    const rows = await drizzle(db)
      .select()
      .from(configObjects)
      .where(and(eq(configObjects.kind, kind), gt(configObjects.name, page.after ?? '')))
      .orderBy(asc(configObjects.name))
      .limit(page.limit + 1);
    const items = await Promise.all(
      rows.slice(0, page.limit).map((row) => showObject(keyring, toSealedObject(row, kind))),
    );
    const last = items.at(-1);
    return { items, ...(rows.length > page.limit && last !== undefined ? { next: last.name } : {}) };
  }

  return {
    list,
    get,

    async apply(document, announce) {
      const change = await makeChange(options, announce, (keyring, current) => draftApply(keyring, current, document));
      if (!change.ok) return change;
      const { changes, generatedKeys, warnings } = change.value.draft;
      return ok({ revision: change.value.revision, changes, generatedKeys, warnings });
    },

    async put(kind, name, input, { mustBeNew }, announce) {
      const target = { kind, name, mustBeNew };
      const change = await makeChange(options, announce, (keyring, current) =>
        draftPut(keyring, current, target, input),
      );
      if (!change.ok) return change;
      const { changes, generatedKeys, warnings } = change.value.draft;
      const object = await get(kind, name);
      if (object === undefined) return err(failure('conflict', `"${name}" was deleted by another at the same time.`));
      const [generatedKey] = generatedKeys;
      const created = changes[0]?.change === 'created';
      return ok({ created, object, warnings, ...(generatedKey === undefined ? {} : { generatedKey }) });
    },

    async remove(kind, name, announce) {
      const change = await makeChange(options, announce, async (_keyring, current) =>
        draftRemoval(current, kind, name),
      );
      return change.ok ? undefined : change.error;
    },
  };
}

async function showObject(keyring: Keyring, sealed: SealedObject): Promise<ShownObject> {
  const { kind, name, id, source, key, createdAt, updatedAt } = sealed;
  const opened = await openObject(keyring, sealed);
  const document = (await maskSecrets(kind, opened.document)) as Readonly<Record<string, unknown>>;
  const keyPrefix = key === undefined ? {} : { keyPrefix: key.prefix };
  return { kind, name, id, source, document, ...keyPrefix, createdAt, updatedAt };
}
