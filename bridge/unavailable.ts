// Why a server cannot be spoken to just now, for the gateway to read.

export interface Unavailable {
  readonly code: 'child_failed' | 'too_many_children' | 'stopping';
  readonly message: string;
  readonly retryAfterSeconds: number;
  readonly stderrTail: readonly string[];
}

export type Ready<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: Unavailable };
