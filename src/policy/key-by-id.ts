import type { PolicySnapshot, VirtualKey } from './snapshot.ts';

const byId = new WeakMap<PolicySnapshot, ReadonlyMap<string, VirtualKey>>();

/** The key of a session, whose secret nobody has at hand any more. */
export function keyById(snapshot: PolicySnapshot, keyId: string): VirtualKey | undefined {
  let keys = byId.get(snapshot);
  if (keys === undefined) {
    keys = new Map(Array.from(snapshot.virtualKeys.values(), (key) => [key.principal.keyId, key]));
    byId.set(snapshot, keys);
  }
  return keys.get(keyId);
}
