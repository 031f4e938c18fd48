// What can go wrong between this gateway and a server it calls, told apart by two questions:
// whose fault the caller should read about, and whether the call may have had its effect.
import { failure } from '../policy/failure.ts';
import type { Failure } from '../policy/failure.ts';

/**
 * `not_started`: the server certainly did not act on the request, so another attempt is safe. workerd reports a refused
 * connection and one lost after sending with the same words, so a broken connection is always `may_have_run`.
 */
export type Progress = 'not_started' | 'may_have_run';
export type EgressErrorCode = 'upstream_unavailable' | 'upstream_timeout' | 'upstream_error';

/** `message` is a predicate that reads on from the server's name: "github-mcp" + "did not answer in time". */
export class EgressError extends Error {
  override readonly name = 'EgressError';
  readonly code: EgressErrorCode;
  readonly progress: Progress;

  constructor(code: EgressErrorCode, progress: Progress, predicate: string) {
    super(predicate);
    this.code = code;
    this.progress = progress;
  }
}

/**
 * Names what a rejected `fetch`, or a body that broke off, means. The platform's own text is dropped: it names internal
 * addresses and error references.
 * @returns undefined for an abort that the caller asked for and for a fault of our own
 */
export function asEgressError(error: unknown): EgressError | undefined {
  if (error instanceof EgressError) return error;
  if (!(error instanceof Error)) return undefined;
  if (error.name === 'TimeoutError') {
    return new EgressError('upstream_timeout', 'may_have_run', 'did not answer in time');
  }
  if (error.name === 'AbortError') return undefined;
  if (error.message.startsWith('internal error')) {
    return new EgressError(
      'upstream_unavailable',
      'may_have_run',
      'could not be reached: its host name does not resolve, its certificate is not trusted, or its address is not allowed',
    );
  }
  if (error.message.startsWith('Network connection lost') || ('retryable' in error && error.retryable === true)) {
    return new EgressError(
      'upstream_unavailable',
      'may_have_run',
      'refused the connection or closed it before its answer was complete',
    );
  }
  return undefined;
}

/** The failure a caller reads. @param subject names the server, `upstream "github-mcp"` */
export function egressFailure(error: EgressError, subject: string): Failure {
  return failure(error.code, `${subject} ${error.message}`);
}
