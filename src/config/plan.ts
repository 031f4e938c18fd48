// What applying a file changes. Pure: from what is kept and what is wanted to the difference.
import type { ConfigProblem } from './check.ts';
import { objectKey, type ConfigObject, type ObjectKind } from './objects.ts';
import type { ObjectRecord, StoredKey } from './stored.ts';

export interface ConfigChange {
  readonly kind: ObjectKind;
  readonly name: string;
  readonly change: 'created' | 'updated' | 'deleted';
}

/** An object as it shall be, its virtual key already hashed. */
export interface WantedObject {
  readonly object: ConfigObject;
  readonly fingerprint: string;
  readonly key?: StoredKey;
}

export interface Plan<T> {
  readonly writes: readonly WantedObject[];
  readonly removals: readonly T[];
  readonly changes: readonly ConfigChange[];
  readonly warnings: readonly ConfigProblem[];
}

/** Objects of the admin API stay as they are, unless the file defines one of the same kind and name. */
export function planApply<T extends ObjectRecord>(current: readonly T[], wanted: readonly WantedObject[]): Plan<T> {
  const kept = new Map(current.map((record) => [objectKey(record), record]));
  const wantedKeys = new Set(wanted.map(({ object }) => objectKey(object)));
  const writes: WantedObject[] = [];
  const changes: ConfigChange[] = [];
  const warnings: ConfigProblem[] = [];
  for (const entry of wanted) {
    const { kind, name } = entry.object;
    const record = kept.get(objectKey(entry.object));
    if (record?.source === 'api') warnings.push(takenOver(entry.object));
    if (record?.source === 'file' && record.fingerprint === entry.fingerprint) continue;
    writes.push(entry);
    changes.push({ kind, name, change: record === undefined ? 'created' : 'updated' });
  }
  const removals = current.filter((record) => record.source === 'file' && !wantedKeys.has(objectKey(record)));
  for (const { kind, name } of removals) changes.push({ kind, name, change: 'deleted' });
  return { writes, removals, changes, warnings };
}

function takenOver({ kind, name }: ConfigObject): ConfigProblem {
  return {
    path: [kind, name],
    message: 'was defined through the admin API; the definition of the file replaces it',
    fix: 'give one of the two another name, if both are wanted',
  };
}

/** Two virtual keys may not share a key: a request could not tell whose it is. @returns the names of such a pair */
export function sharedKeyOwners(
  owners: readonly { readonly name: string; readonly key?: StoredKey }[],
): readonly [string, string] | undefined {
  const byHash = new Map<string, string>();
  for (const { name, key } of owners) {
    if (key === undefined) continue;
    const other = byHash.get(key.hash);
    if (other !== undefined) return [other, name];
    byHash.set(key.hash, name);
  }
  return undefined;
}
