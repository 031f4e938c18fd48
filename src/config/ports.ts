// What the admin API needs of the place where the configuration is kept.
import type { Result } from '../lib/result.ts';
import type { Failure } from '../policy/failure.ts';
import type { ConfigProblem } from './check.ts';
import type { GatewayDocument } from './document.ts';
import type { ObjectKind } from './objects.ts';
import type { ConfigChange } from './plan.ts';
import type { Source } from './stored.ts';

/**
 * Called with what is about to change, before it does: no change goes unrecorded. A failure it returns stops the change.
 * Called again with `failed` when the change then did not happen.
 */
export type Announce = (changes: readonly ConfigChange[], outcome: 'ok' | 'failed') => Promise<Failure | undefined>;

export interface GeneratedKey {
  readonly keyName: string;
  readonly key: string;
}

export interface ApplyReport {
  /** Of the configuration now in force. */
  readonly revision: number;
  readonly changes: readonly ConfigChange[];
  /** Readable this once. */
  readonly generatedKeys: readonly GeneratedKey[];
  readonly warnings: readonly ConfigProblem[];
}

/** An object as it may be shown: its secrets masked. */
export interface ShownObject {
  readonly kind: ObjectKind;
  readonly name: string;
  readonly id: string;
  readonly source: Source;
  readonly document: Readonly<Record<string, unknown>>;
  /** The first characters of a virtual key. */
  readonly keyPrefix?: string;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Of the last item, when more follow. */
  readonly next?: string;
}

export interface PutReport {
  readonly created: boolean;
  readonly object: ShownObject;
  readonly generatedKey?: GeneratedKey;
  readonly warnings: readonly ConfigProblem[];
}

/** Every method throws `ConfigurationUnavailable` when the configuration cannot be read or written at all. */
export interface ConfigStore {
  /** Makes the objects of source `file` exactly those of the document; all or nothing. */
  apply(document: GatewayDocument, announce: Announce): Promise<Result<ApplyReport, Failure>>;
  /** In the order of names, from the one after `after`. */
  list(kind: ObjectKind, options: { readonly limit: number; readonly after?: string }): Promise<Page<ShownObject>>;
  get(kind: ObjectKind, name: string): Promise<ShownObject | undefined>;
  /**
   * Defines an object of source `api`. Masked secrets keep what is stored for them; a virtual key without `key` keeps
   * its own, or is given a new one.
   * @param input the definition, unchecked
   */
  put(
    kind: ObjectKind,
    name: string,
    input: Readonly<Record<string, unknown>>,
    options: { readonly mustBeNew: boolean },
    announce: Announce,
  ): Promise<Result<PutReport, Failure>>;
  /** Refused while other objects refer to it. */
  remove(kind: ObjectKind, name: string, announce: Announce): Promise<Failure | undefined>;
}
