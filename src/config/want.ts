// From a checked definition to what is to be kept of it.
import { displayPrefix, hashVirtualKey, mintVirtualKey } from '../auth/virtual-key.ts';
import type { Keyring } from './keyring.ts';
import type { ConfigObject } from './objects.ts';
import type { WantedObject } from './plan.ts';
import { fingerprintOf, type StoredKey } from './stored.ts';

/** Which key a virtual key has when its definition names none. */
export type KeyRetention = 'minted' | 'any';

export interface Wanted extends WantedObject {
  /** The key in clear, when it was made here and now. */
  readonly generatedKey?: string;
}

/**
 * Takes the key out of a virtual key's definition and keeps its hash.
 * @param present the key now stored under the name
 * @param retention `minted`: only a key made here stays; one that was given must be given again, so that a key which
 *   leaves the file stops working
 */
export async function wantObject(
  keyring: Keyring,
  defined: ConfigObject,
  present: StoredKey | undefined,
  retention: KeyRetention,
): Promise<Wanted> {
  if (defined.kind !== 'virtual_key')
    return { object: defined, fingerprint: await fingerprintOf(keyring, defined, undefined) };
  const { key: given, ...document } = defined.document;
  const object = { ...defined, document };
  if (given === undefined && present !== undefined && (present.minted || retention === 'any'))
    return { object, key: present, fingerprint: await fingerprintOf(keyring, object, present) };

  const clear = given ?? mintVirtualKey();
  const hash = await hashVirtualKey(keyring.virtualKeys, clear);
  const key: StoredKey = { hash, prefix: displayPrefix(clear), minted: given === undefined };
  const fingerprint = await fingerprintOf(keyring, object, key);
  return { object, key, fingerprint, ...(given === undefined ? { generatedKey: clear } : {}) };
}
