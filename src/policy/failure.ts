// The closed list of ways a request fails. `http/error-response.ts` alone turns a code into a status and a body.

export type FailureCode =
  | 'invalid_key'
  | 'invalid_request'
  | 'request_too_large'
  | 'unsupported_media_type'
  | 'not_found'
  | 'method_not_allowed'
  | 'conflict'
  | 'tool_not_allowed'
  | 'model_not_allowed'
  | 'model_not_found'
  | 'budget_exceeded'
  | 'rate_limited'
  | 'overloaded'
  | 'upstream_unavailable'
  | 'upstream_timeout'
  | 'upstream_error'
  | 'audit_unavailable'
  | 'configuration_unavailable'
  | 'internal_error';

/** What went wrong, for the caller to read: never a secret, never an internal address. */
export interface Failure {
  readonly code: FailureCode;
  readonly message: string;
  /** Seconds until a retry makes sense; becomes `Retry-After`. */
  readonly retryAfterSeconds?: number;
  /** The request member at fault (`model`, `messages[0].role`), where one is. */
  readonly param?: string;
  /** Each thing that is wrong, where there may be several. */
  readonly problems?: readonly FailureProblem[];
}

export interface FailureProblem {
  /** Where, such as `mcp.servers[2].url`. */
  readonly path: string;
  readonly message: string;
  /** What to do about it. */
  readonly fix?: string;
}

export function failure(code: FailureCode, message: string, more: Omit<Failure, 'code' | 'message'> = {}): Failure {
  return { code, message, ...more };
}
