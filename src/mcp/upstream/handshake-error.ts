import { AnsweredError } from './answered-error.ts';
import { looksModern } from './refusal.ts';

/** No session could be opened; `cause` says why. */
export class HandshakeError extends Error {
  override readonly name = 'HandshakeError';

  constructor(cause: unknown) {
    super('no session', { cause });
  }

  /** Whether the server may speak 2026-07-28 only. */
  get suggestsModern(): boolean {
    return this.cause instanceof AnsweredError || looksModern(this.cause);
  }
}
