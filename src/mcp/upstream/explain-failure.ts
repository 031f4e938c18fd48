// What went wrong at an upstream, in words for the caller and a code for the gateway.
import { ProtocolError, SdkError, SdkErrorCode, SseError } from '@modelcontextprotocol/client';
import { z } from 'zod';
import { asEgressError, EgressError } from '../../egress/egress-error.ts';
import { maskSecrets } from '../../egress/secrets.ts';
import type { FailureStage } from '../../health/report.ts';
import type { FailureCode } from '../../policy/failure.ts';
import type { Upstream } from '../../policy/snapshot.ts';
import type { UpstreamCallFailure } from '../ports.ts';
import type { RpcError } from '../protocol/message.ts';
import { AnsweredError } from './answered-error.ts';
import { answerInRefusal, refusedWith } from './refusal.ts';
import type { Refusal } from './refusal.ts';
import { isStreamEnd } from './transport.ts';

const QUOTE_LENGTH = 300;
/** The words of an answer are the caller's to read whole, unless they are a book. */
const ANSWER_LENGTH = 16_384;

interface Explanation {
  readonly code: Extract<FailureCode, `upstream_${string}`>;
  readonly predicate: string;
  readonly credential?: true;
  readonly retryAfterSeconds?: number | undefined;
}

/**
 * @param stage what was being done, unless the error is about credentials
 * @throws the error itself when it is a fault of this gateway
 */
export function explainFailure(error: unknown, upstream: Upstream, stage: FailureStage): UpstreamCallFailure {
  const answer = answerIn(error);
  if (answer !== undefined) {
    const { code, message, data } = answer;
    const answered = data === undefined ? { code } : { code, data };
    return { code: 'upstream_error', message: quote(message, upstream, ANSWER_LENGTH), stage, answered };
  }
  const { code, predicate, credential, retryAfterSeconds } = explain(error, upstream);
  const detail = `upstream "${upstream.name}" ${predicate}`;
  const [message = ''] = detail.split('\n', 1);
  return {
    code,
    message,
    stage: credential ? 'credential' : stage,
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    ...(message !== detail && { detail }),
  };
}

/** The JSON-RPC error that the server answered with, where it did, under whatever status. */
export function answerIn(error: unknown): RpcError | undefined {
  if (error instanceof AnsweredError) return error.answer;
  return isAnswer(error) ? error : answerInRefusal(error);
}

/** The server answered the SDK's client, with a JSON-RPC error. */
export function isAnswer(error: unknown): error is ProtocolError {
  return error instanceof ProtocolError && !isStreamEnd(error);
}

function explain(error: unknown, upstream: Upstream): Explanation {
  const egress = egressCause(error);
  if (egress !== undefined) return { code: egress.code, predicate: egress.message };
  const http = refusedWith(error);
  if (http !== undefined) return refusal(http, upstream);
  if (error instanceof SseError && error.code !== undefined) return refusal({ status: error.code, text: '' }, upstream);
  if (isStreamEnd(error)) return broken('ended its answer before it was complete');
  if (error instanceof SdkError) return sdkFailure(error, upstream);
  if (error instanceof SyntaxError) return broken('answered with invalid JSON');
  if (error instanceof z.core.$ZodError) return broken('answered with JSON that is not a JSON-RPC message');
  const faults = [TypeError, RangeError, ReferenceError];
  if (!(error instanceof Error) || faults.some((fault) => error instanceof fault)) throw error;
  return broken(`could not be spoken with: ${quote(error.message, upstream)}`);
}

function broken(predicate: string): Explanation {
  return { code: 'upstream_error', predicate };
}

/** The network's part in an error that the SDK may have wrapped. */
function egressCause(error: unknown): EgressError | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const known = asEgressError(cause);
    if (known === undefined) continue;
    // Before the response begins, the egress names its errors itself: what is raw here broke the response's body.
    if (cause instanceof EgressError || known.code !== 'upstream_unavailable') return known;
    return new EgressError('upstream_error', 'may_have_run', 'closed the connection in the middle of its answer');
  }
  return undefined;
}

function refusal({ status, text, retryAfterSeconds }: Refusal, upstream: Upstream): Explanation {
  if (status === 401 || status === 403) {
    const predicate = `refused this gateway's credentials (HTTP ${status}); check the headers configured for it`;
    return { code: 'upstream_error', predicate, credential: true };
  }
  const unavailable = status === 429 || status === 503;
  const said = text === '' || text.trimStart().startsWith('<') ? '' : `: ${quote(text, upstream)}`;
  return {
    code: unavailable ? 'upstream_unavailable' : 'upstream_error',
    predicate: `answered HTTP ${status}${said}`,
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  };
}

function sdkFailure(error: SdkError, upstream: Upstream): Explanation {
  switch (error.code) {
    case SdkErrorCode.RequestTimeout:
      return { code: 'upstream_timeout', predicate: 'did not answer in time' };
    case SdkErrorCode.ClientHttpUnexpectedContent:
      return broken(`answered with ${contentType(error)} instead of JSON: is its URL the MCP endpoint?`);
    case SdkErrorCode.InputRequiredRoundsExceeded:
    case SdkErrorCode.UnsupportedResultType:
      return broken('asked for input from the user, which this gateway cannot obtain for it');
    case SdkErrorCode.EraNegotiationFailed:
      if (error.cause instanceof Error) return explain(error.cause, upstream);
      return broken(`speaks no version of the protocol that this gateway does: ${quote(error.message, upstream)}`);
    default:
      return broken(`broke the protocol: ${quote(error.message, upstream)}`);
  }
}

function contentType(error: SdkError): string {
  const { contentType: type } = Object(error.data) as { contentType?: unknown };
  return typeof type === 'string' ? type : 'no content type';
}

/** What an upstream said, shortened and without the credentials it may have repeated. */
function quote(text: string, upstream: Upstream, most = QUOTE_LENGTH): string {
  const masked = maskSecrets(text, upstream).trim();
  return masked.length <= most ? masked : `${masked.slice(0, most)}…`;
}
