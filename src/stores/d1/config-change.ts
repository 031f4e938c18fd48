// One change of the configuration: worked out on a state of it, recorded, then committed if that state still stands.
import type { Draft } from '../../config/draft.ts';
import type { Keyring } from '../../config/keyring.ts';
import { objectKey, type ObjectKind } from '../../config/objects.ts';
import type { WantedObject } from '../../config/plan.ts';
import type { Announce } from '../../config/ports.ts';
import { sealObject, type SealedObject } from '../../config/sealed-object.ts';
import type { Source, StoredObject } from '../../config/stored.ts';
import { newId } from '../../lib/ids.ts';
import { err, ok, type Result } from '../../lib/result.ts';
import { failure, type Failure } from '../../policy/failure.ts';
import { commitChange, readState, type ConfigState } from './config-rows.ts';
import { expireSnapshot } from './policy-store.ts';

export interface ConfigStoreOptions {
  readonly db: D1Database;
  /** @throws ConfigurationUnavailable */
  readonly keyring: () => Promise<Keyring>;
  readonly now: () => number;
}

type Work = (keyring: Keyring, current: readonly SealedObject[]) => Promise<Result<Draft, Failure>>;

interface Change {
  readonly draft: Draft;
  /** Of the configuration with the change made. */
  readonly revision: number;
}

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

/** Begins again when the configuration changed underneath. */
export async function makeChange(
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
