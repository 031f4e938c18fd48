// The closed list of ways a request fails. `http/error-response.ts` alone turns a code into a status and a body.
import type { LimitTier } from '../budget/limits.ts';

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
  | 'model_not_priced'
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
  /** The limit that leaves no room. */
  readonly limit?: FailureLimit;
}

export interface FailureLimit {
  readonly tier: LimitTier;
  /** Of the customer, the team, the key, the server. */
  readonly name: string;
  readonly tool?: string;
  /** Of money in dollars. */
  readonly amount: number;
  readonly unit: 'usd' | 'requests' | 'tokens' | 'concurrent_requests';
  readonly period?: string;
  /** ISO 8601, UTC; absent where waiting does not help. */
  readonly resetsAt?: string;
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
