import { compileSnapshot } from '../../../src/config/compile.ts';
import { gatewayDocument } from '../../../src/config/document.ts';
import { objectsOf } from '../../../src/config/objects.ts';
import type { StoredObject } from '../../../src/config/stored.ts';
import type { PolicySnapshot, Upstream, VirtualKey } from '../../../src/policy/snapshot.ts';

/** A document as requests are decided by. The key `k` has the id `id_k` and is found under `hash of k`. */
export function snapshotOf(document: unknown): PolicySnapshot {
  const stored = objectsOf(gatewayDocument.parse(document)).flatMap((object): StoredObject[] => {
    const key = { hash: `hash of ${object.name}`, prefix: 'vk-', minted: false };
    const rest = {
      id: `id_${object.name}`,
      source: 'file',
      fingerprint: `print of ${object.name}`,
      createdAt: 0,
      updatedAt: 0,
    } as const;
    return [{ ...object, ...rest, ...(object.kind === 'virtual_key' ? { key } : {}) }];
  });
  return compileSnapshot(7, stored);
}

export function keyOf({ virtualKeys }: PolicySnapshot, name: string): VirtualKey {
  const key = virtualKeys.get(`hash of ${name}`);
  if (key === undefined) throw new Error(`no key ${name}`);
  return key;
}

export function upstreamOf({ upstreams }: PolicySnapshot, name: string): Upstream {
  const upstream = upstreams.get(name);
  if (upstream === undefined) throw new Error(`no server ${name}`);
  return upstream;
}
