// What a server of 2026-07-28 requires in the midst of a request, asked of a client that knows pushed requests only.
import { SERVER_INFO_META_KEY } from '@modelcontextprotocol/client';
import { isObject, type JsonObject, textAt } from '../../lib/json-value.ts';
import type { Ask } from '../links.ts';
import { RPC, rpcError } from '../protocol/errors.ts';
import type { RpcAnswer } from '../protocol/message.ts';

/** A server that is never content is given up. */
const MOST_ROUNDS = 10;
const MOST_INPUTS = 64;

export interface Fulfilment {
  /** Makes the request once, with these members of its parameters. */
  readonly send: (more: JsonObject) => Promise<RpcAnswer>;
  readonly ask: Ask | undefined;
  readonly signal: AbortSignal;
}

/** Asks until the result is complete; a client that answers an error ends it with that. */
export async function fulfil({ send, ask, signal }: Fulfilment): Promise<RpcAnswer> {
  let more: JsonObject = {};
  for (let round = 1; round <= MOST_ROUNDS; round++) {
    const answer = await send(more);
    if ('error' in answer) return answer;
    if (answer.result['resultType'] !== 'input_required') return { result: legacyResult(answer.result) };
    const responses = await inputResponses(answer.result, ask, signal);
    if ('error' in responses) return responses;
    const state = textAt(answer.result, 'requestState');
    more = { inputResponses: responses.result, ...(state !== undefined && { requestState: state }) };
  }
  return rpcError(RPC.internalError, `The server still asked for input after ${MOST_ROUNDS} rounds.`);
}

async function inputResponses(result: JsonObject, ask: Ask | undefined, signal: AbortSignal): Promise<RpcAnswer> {
  const { inputRequests } = result;
  const wanted = isObject(inputRequests) ? Object.entries(inputRequests) : [];
  if (wanted.length === 0) return { result: {} };
  if (ask === undefined)
    return rpcError(RPC.internalError, 'The server asks for input, which this client cannot give.');
  if (wanted.length > MOST_INPUTS) {
    return rpcError(RPC.internalError, `The server asks for ${wanted.length} inputs at once, which is too many.`);
  }
  const answers = await Promise.all(
    wanted.map(async ([key, request]) => {
      const method = textAt(request, 'method') ?? '';
      const params = isObject(request) ? request['params'] : undefined;
      return [key, await ask({ method, ...(isObject(params) && { params }) }, signal)] as const;
    }),
  );
  const given: [string, JsonObject][] = [];
  for (const [key, answer] of answers) {
    if ('error' in answer) return answer;
    given.push([key, answer.result]);
  }
  return { result: Object.fromEntries(given) };
}

/** Without the members that only 2026-07-28 knows. */
export function legacyResult(result: JsonObject): JsonObject {
  const { resultType: _type, ttlMs: _ttl, cacheScope: _scope, ...kept } = result;
  const { _meta: meta, ...bare } = kept;
  if (!isObject(meta) || !(SERVER_INFO_META_KEY in meta)) return kept;
  const { [SERVER_INFO_META_KEY]: _info, ...rest } = meta;
  return Object.keys(rest).length > 0 ? { ...bare, _meta: rest } : bare;
}
