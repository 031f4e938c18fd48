// How a client is told that its request came to nothing.
import { limitMembers } from '../../budget/refusal.ts';
import { at, isObject } from '../../lib/json-value.ts';
import { NAME_LENGTH } from '../limits.ts';
import type { Era } from '../links.ts';
import type { RpcAnswer } from '../protocol/message.ts';
import { RPC, rpcError } from '../protocol/errors.ts';
import type { RoundFailure } from '../upstream-round.ts';

// Errors of the hop to the upstream in 2026-07-28: relayed, they would speak of the hop to the client.
const HOP_ERRORS: ReadonlySet<number> = new Set([
  RPC.headerMismatch,
  RPC.missingClientCapability,
  RPC.unsupportedProtocolVersion,
]);

export function invalidParams(message: string): RpcAnswer {
  return rpcError(RPC.invalidParams, message);
}

/** The same whether there is no such thing or the key may not know of it. */
export function unknownName(kind: 'tool' | 'prompt' | 'task', name: string): RpcAnswer {
  return invalidParams(`Unknown ${kind}: ${name.slice(0, NAME_LENGTH)}`);
}

export function unknownResource(era: Era, shownUri: string): RpcAnswer {
  const code = era === 'modern' ? RPC.invalidParams : RPC.resourceNotFound;
  return rpcError(code, `Resource not found: ${shownUri.slice(0, NAME_LENGTH)}`, { uri: shownUri });
}

/** The upstream's own error, where it answered with one that is meant for the client. */
export function answeredError(error: RoundFailure): RpcAnswer | undefined {
  const { answered } = error;
  if (answered === undefined) return undefined;
  // What a client can do about a capability that it lacks, it is told.
  const relayed = answered.code === RPC.missingClientCapability || !HOP_ERRORS.has(answered.code);
  return relayed ? rpcError(answered.code, error.message, answered.data) : undefined;
}

/** For programs: `{code, retry_after_seconds}`, and the limit that left no room. */
export function failureData({ code, retryAfterSeconds, limit }: RoundFailure): Record<string, unknown> {
  return {
    code,
    ...(retryAfterSeconds !== undefined && { retry_after_seconds: retryAfterSeconds }),
    ...(limit !== undefined && limitMembers(limit)),
  };
}

/** Of every method but `tools/call`, whose failures are results for the model to read. */
export function failureAnswer(error: RoundFailure): RpcAnswer {
  if (error.code === 'invalid_request') return invalidParams(error.message);
  return answeredError(error) ?? rpcError(RPC.internalError, error.message, failureData(error));
}

/** Whether an upstream of either era said that there is no such resource. */
export function saysNotFound({ answered }: RoundFailure): boolean {
  if (answered?.code === RPC.resourceNotFound) return true;
  return (
    answered?.code === RPC.invalidParams && isObject(answered.data) && typeof at(answered.data, 'uri') === 'string'
  );
}
