// The only table from failure codes to HTTP statuses, and the only place that words an error body.
import { limitMembers } from '../budget/refusal.ts';
import type { Failure, FailureCode } from '../policy/failure.ts';

export type Dialect = 'openai' | 'anthropic' | 'gemini' | 'problem' | 'jsonrpc';

const STATUS = {
  invalid_key: 401,
  invalid_request: 400,
  request_too_large: 413,
  unsupported_media_type: 415,
  not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  tool_not_allowed: 403,
  model_not_allowed: 403,
  model_not_found: 404,
  model_not_priced: 403,
  budget_exceeded: 402,
  rate_limited: 429,
  overloaded: 503,
  upstream_unavailable: 503,
  upstream_timeout: 504,
  upstream_error: 502,
  audit_unavailable: 503,
  configuration_unavailable: 503,
  internal_error: 500,
} as const satisfies Record<FailureCode, number>;

const PATIENCE_SECONDS = 60;

/** OpenAI's `error.type`, chosen so that its SDKs raise the class a caller expects. */
function openAiType(status: number): string {
  if (status === 401) return 'authentication_error';
  // OpenAI's own word for money that is used up; its status would be 429, which its SDKs send again.
  if (status === 402) return 'insufficient_quota';
  if (status === 403) return 'permission_error';
  if (status === 429) return 'rate_limit_error';
  return status < 500 ? 'invalid_request_error' : 'server_error';
}

/** Anthropic's closed list of error types. */
function anthropicType(status: number): string {
  if (status === 401) return 'authentication_error';
  if (status === 402) return 'billing_error';
  if (status === 403) return 'permission_error';
  if (status === 404) return 'not_found_error';
  if (status === 413) return 'request_too_large';
  if (status === 429) return 'rate_limit_error';
  if (status === 503) return 'overloaded_error';
  if (status === 504) return 'timeout_error';
  return status < 500 ? 'invalid_request_error' : 'api_error';
}

/** Of `google.rpc.Code`, by the status that its documentation maps to it. */
function geminiStatus(status: number): string {
  if (status === 401) return 'UNAUTHENTICATED';
  if (status === 402 || status === 429) return 'RESOURCE_EXHAUSTED';
  if (status === 403) return 'PERMISSION_DENIED';
  if (status === 404) return 'NOT_FOUND';
  if (status === 409) return 'ABORTED';
  if (status === 503) return 'UNAVAILABLE';
  if (status === 504) return 'DEADLINE_EXCEEDED';
  return status < 500 ? 'INVALID_ARGUMENT' : 'INTERNAL';
}

/** JSON-RPC 2.0 §5.1, with the implementation-defined range for what the transport refused. */
function jsonRpcCode(code: FailureCode): number {
  if (code === 'invalid_request') return -32600;
  if (code === 'not_found' || code === 'method_not_allowed') return -32601;
  if (code === 'internal_error') return -32603;
  return -32000;
}

export function statusOf(failure: Failure): (typeof STATUS)[FailureCode] {
  return STATUS[failure.code];
}

export function errorResponse(failure: Failure, dialect: Dialect, requestId: string): Response {
  const status = STATUS[failure.code];
  const headers = new Headers({
    'content-type': dialect === 'problem' ? 'application/problem+json' : 'application/json',
    'x-sallyport-request-id': requestId,
  });
  if (failure.retryAfterSeconds !== undefined) headers.set('retry-after', String(Math.ceil(failure.retryAfterSeconds)));
  if (isVainToRetry(failure)) headers.set('x-should-retry', 'false');
  return new Response(JSON.stringify(errorBody(failure, status, dialect, requestId)), { status, headers });
}

/**
 * Whether a client that tries again by itself would do so for nothing. OpenAI's and Anthropic's SDKs heed the header. Without
 * it the one would not wait for longer than a minute, and try again within seconds; the other would hang until then.
 */
function isVainToRetry({ limit, retryAfterSeconds = 0 }: Failure): boolean {
  return limit !== undefined && (limit.resetsAt === undefined || retryAfterSeconds > PATIENCE_SECONDS);
}

function errorBody(failure: Failure, status: number, dialect: Dialect, requestId: string): unknown {
  const { code, message, param, problems } = failure;
  const limit = failure.limit === undefined ? {} : limitMembers(failure.limit);
  switch (dialect) {
    case 'openai':
      return { error: { message, type: openAiType(status), code, param: param ?? null, ...limit } };
    case 'anthropic':
      return { type: 'error', error: { type: anthropicType(status), message, code, ...limit }, request_id: requestId };
    case 'gemini':
      return { error: { code: status, message, status: geminiStatus(status), details: geminiDetails(failure, limit) } };
    case 'jsonrpc':
      return { jsonrpc: '2.0', id: null, error: { code: jsonRpcCode(code), message, data: { code, ...limit } } };
    case 'problem':
      // RFC 9457. `type` stays about:blank: the code says which, the title what.
      return {
        type: 'about:blank',
        title: code.replaceAll('_', ' '),
        status,
        detail: message,
        code,
        problems,
        ...limit,
      };
  }
}

/** As Google's own errors have them (AIP-193): all values of the metadata are text. */
function geminiDetails({ code, param, retryAfterSeconds }: Failure, limit: ReturnType<typeof limitMembers>): unknown[] {
  const metadata = { code, ...(param !== undefined && { param }), ...limit };
  const texts = Object.entries(metadata).map(([name, value]) => [name, String(value)] as const);
  const info = {
    '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
    reason: code.toUpperCase(),
    domain: 'sallyport',
    metadata: Object.fromEntries(texts),
  };
  if (retryAfterSeconds === undefined) return [info];
  const retry = { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: `${Math.ceil(retryAfterSeconds)}s` };
  return [info, retry];
}
