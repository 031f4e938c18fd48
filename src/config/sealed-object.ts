// A configured object as it lies in the database, and the way in and out of it.
import { z } from 'zod';
import type { Keyring } from './keyring.ts';
import { OBJECT_SCHEMAS } from './objects.ts';
import { sealSecrets, unsealSecrets } from './sealing.ts';
import { ConfigurationUnavailable, type ObjectRecord, type StoredObject } from './stored.ts';

/** Secrets in `document` are sealed. */
export interface SealedObject extends ObjectRecord {
  readonly document: unknown;
}

export async function sealObject(keyring: Keyring, object: StoredObject): Promise<SealedObject> {
  return { ...object, document: await sealSecrets(keyring, object.kind, object.name, object.document) };
}

/** @throws ConfigurationUnavailable when a secret does not open or the definition is not valid */
export async function openObject(keyring: Keyring, sealed: SealedObject): Promise<StoredObject> {
  const { kind, name } = sealed;
  try {
    const clear = await unsealSecrets(keyring, kind, name, sealed.document);
    // Parsed again, so that a field which a later version added has its default.
    return { ...sealed, document: OBJECT_SCHEMAS[kind].parse(clear) } as StoredObject;
  } catch (cause) {
    const why = cause instanceof z.ZodError ? z.prettifyError(cause) : cause instanceof Error ? cause.message : '';
    const shown = 'A stored object cannot be used; the log names it.';
    throw new ConfigurationUnavailable(`The stored ${kind} "${name}" cannot be used. ${why}`, { shown, cause });
  }
}
