// What an answer of one era reads like in the other.
import { at, isObject, textAt, type JsonObject } from '../../lib/json-value.ts';
import { RPC } from '../protocol/errors.ts';
import type { RpcAnswer, RpcError } from '../protocol/message.ts';

/** A request as far as its answer depends on it. */
interface Asked {
  readonly method: string;
  readonly params?: JsonObject;
}

const RESOURCE_METHODS: ReadonlySet<string> = new Set(['resources/read', 'resources/subscribe']);

/** A legacy server's answer, for a client of 2026-07-28. */
export function toModern(answer: RpcAnswer, { method }: Asked): RpcAnswer {
  if ('error' in answer) {
    const { error } = answer;
    if (error.code === RPC.resourceNotFound) return { error: { ...error, code: RPC.invalidParams } };
    // Many a server fails with what it was told when it asked for what the client had not declared.
    const echoed = error.code === RPC.methodNotFound && isObject(at(error.data, 'requiredCapabilities'));
    return echoed ? { error: { ...error, code: RPC.missingClientCapability } } : answer;
  }
  // Nobody says for how long it stays true.
  const caching = method === 'resources/read' ? { ttlMs: 0, cacheScope: 'private' } : {};
  return { result: { resultType: 'complete', ...caching, ...answer.result } };
}

/** A modern server's error, for a legacy client. */
export function toLegacyError(error: RpcError, { method, params }: Asked): RpcError {
  const uri = textAt(params, 'uri');
  if (error.code === RPC.invalidParams && RESOURCE_METHODS.has(method) && uri !== undefined) {
    // `data.uri` is how 2026-07-28 tells an unknown resource from other faults of the parameters.
    return textAt(error.data, 'uri') === uri ? { ...error, code: RPC.resourceNotFound } : error;
  }
  const ofTheHop: readonly number[] = [RPC.headerMismatch, RPC.unsupportedProtocolVersion, RPC.missingClientCapability];
  return ofTheHop.includes(error.code) ? { ...error, code: RPC.internalError } : error;
}
