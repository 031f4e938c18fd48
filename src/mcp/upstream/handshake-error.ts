import { SdkError, SdkErrorCode } from '@modelcontextprotocol/client';
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
    return this.cause instanceof AnsweredError || isOtherVersion(this.cause) || looksModern(this.cause);
  }
}

/** Some modern servers answer the handshake, with the revision that they speak instead. */
function isOtherVersion(cause: unknown): boolean {
  return cause instanceof SdkError && cause.code === SdkErrorCode.EraNegotiationFailed;
}
