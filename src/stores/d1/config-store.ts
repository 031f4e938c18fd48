// The configuration in D1, behind the port of the admin API.
import { and, asc, eq, gt } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import { draftApply, draftPut, draftRemoval, type Draft } from '../../config/draft.ts';
import type { Keyring } from '../../config/keyring.ts';
import { maskSecrets } from '../../config/masking.ts';
import { objectKey, type ObjectKind } from '../../config/objects.ts';
import type { WantedObject } from '../../config/plan.ts';
import type { Announce, ConfigStore, Page, ShownObject } from '../../config/ports.ts';
import { openObject, sealObject, type SealedObject } from '../../config/sealed-object.ts';
import type { Source, StoredObject } from '../../config/stored.ts';
import { newId } from '../../lib/ids.ts';
import { err, ok, type Result } from '../../lib/result.ts';
import { failure, type Failure } from '../../policy/failure.ts';
import { commitChange, readState, toSealedObject, type ConfigState } from './config-rows.ts';
import { migrate } from './migrate.ts';
import { expireSnapshot } from './policy-store.ts';
import { configObjects } from './schema.ts';

export interface ConfigStoreOptions {
  readonly db: D1Database;
  /** @throws ConfigurationUnavailable */
  readonly keyring: () => Promise<Keyring>;
  readonly now: () => number;
}

type Work = (keyring: Keyring, current: readonly SealedObject[]) => Promise<Result<Draft, Failure>>;
type Change = { readonly draft: Draft; readonly revision: number };

/** Attempts at a change while others change the configuration too. */
const MAX_ATTEMPTS = 5;
const ID_PREFIX: Readonly<Record<ObjectKind, string>> = {
  server: 'srv',
  tool_group: 'tg',
  provider: 'prv',
  customer: 'cus',
  team: 'team',
  virtual_key: 'vk',
  settings: 'set',
};

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

/** Works the change out, announces it, commits it; begins again when the configuration changed underneath. */
async function makeChange(
  options: ConfigStoreOptions,
  announce: Announce,
  work: Work,
): Promise<Result<Change, Failure>> {
  const keyring = await options.keyring();
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const state = await readState(options.db, keyring);
    const worked = await work(keyring, state.objects);
    if (!worked.ok) return worked;
    const draft = worked.value;
    if (draft.changes.length === 0) return ok({ draft, revision: state.revision });
    const refusal = await announce(draft.changes, 'ok');
    if (refusal !== undefined) return err(refusal);
    let committed = false;
    try {
      const writes = await sealWrites(keyring, state, draft, options.now());
      committed = await commitChange(options.db, keyring, state, writes, draft.removals);
    } finally {
      // After a fault too: whether the change was made may be unknown.
      expireSnapshot();
      if (!committed) await announce(draft.changes, 'failed');
    }
    if (committed) return ok({ draft, revision: state.revision + 1 });
  }
  return err(failure('conflict', 'Others keep changing the configuration at the same time. Try again.'));
}

function sealWrites(keyring: Keyring, state: ConfigState, draft: Draft, now: number): Promise<SealedObject[]> {
  const present = new Map(state.objects.map((object) => [objectKey(object), object]));
  return Promise.all(
    draft.writes.map((wanted) =>
      sealObject(keyring, toStored(wanted, draft.source, present.get(objectKey(wanted.object)), now)),
    ),
  );
}

function toStored(wanted: WantedObject, source: Source, present: SealedObject | undefined, now: number): StoredObject {
  const { object, fingerprint, key } = wanted;
  return {
    ...object,
    id: present?.id ?? newId(ID_PREFIX[object.kind], now),
    source,
    fingerprint,
    ...(key === undefined ? {} : { key }),
    createdAt: present?.createdAt ?? now,
    updatedAt: now,
  };
}

async function showObject(keyring: Keyring, sealed: SealedObject): Promise<ShownObject> {
  const { kind, name, id, source, key, createdAt, updatedAt } = sealed;
  const opened = await openObject(keyring, sealed);
  const document = (await maskSecrets(kind, opened.document)) as Readonly<Record<string, unknown>>;
  const keyPrefix = key === undefined ? {} : { keyPrefix: key.prefix };
  return { kind, name, id, source, document, ...keyPrefix, createdAt, updatedAt };
}
