// A configured object as it is kept: who defined it, and what tells two definitions apart.
import { canonicalJson } from '../lib/canonical-json.ts';
import { hmacHex } from '../lib/hmac.ts';
import type { Keyring } from './keyring.ts';
import type { ConfigObject, ObjectKind } from './objects.ts';

/** `file`: from the configuration file, and gone when it leaves the file. `api`: through the admin API. */
export type Source = 'file' | 'api';

/** What is kept of a virtual key's own key. */
export interface StoredKey {
  /** `hashVirtualKey` */
  readonly hash: string;
  /** `displayPrefix` */
  readonly prefix: string;
  /** Made here, not given: it stays when the definition is applied again without one. */
  readonly minted: boolean;
}

/** Everything about an object but its definition. */
export interface ObjectRecord {
  readonly kind: ObjectKind;
  readonly name: string;
  /** Stable from creation to deletion. */
  readonly id: string;
  readonly source: Source;
  /** See `fingerprintOf`. */
  readonly fingerprint: string;
  /** Of virtual keys only. */
  readonly key?: StoredKey;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly updatedAt: number;
}

export type StoredObject = ObjectRecord & ConfigObject;

/** The configuration cannot be read or written at all. Requests are refused; the message tells the operator what to do. */
export class ConfigurationUnavailable extends Error {
  override readonly name = 'ConfigurationUnavailable';
  /** What callers who are not known yet may read. */
  readonly shown: string;

  /** @param options.shown when the message names what only the operator may know */
  constructor(message: string, options: { readonly shown?: string; readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.shown = options.shown ?? message;
  }
}

/** Equal exactly for equal definitions, secrets included; keyed, so that it reveals nothing of them. */
export function fingerprintOf(keyring: Keyring, object: ConfigObject, key: StoredKey | undefined): Promise<string> {
  return hmacHex(keyring.fingerprints, canonicalJson([object.kind, object.name, object.document, key?.hash]));
}

/** Kept beside the objects: tells a foreign master key before anything is read or written with it. */
export function masterKeyCheck(keyring: Keyring): Promise<string> {
  return hmacHex(keyring.fingerprints, 'the master key under which this configuration is kept');
}
