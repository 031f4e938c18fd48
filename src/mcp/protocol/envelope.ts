// What every request of 2026-07-28 says of its client in `_meta`, since nothing else is remembered of it.
import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  LOG_LEVEL_META_KEY,
  type ClientCapabilities,
  type Implementation,
  type LoggingLevel,
} from '@modelcontextprotocol/server';
import { at, isObject, type JsonObject } from '../../lib/json-value.ts';
import type { Peer } from '../client-request.ts';
import { RPC, rpcError } from './errors.ts';
import type { RpcAnswer } from './message.ts';

/** @param params of a request whose envelope `classifyInboundRequest` found to be valid */
export function peerOf(params: JsonObject | undefined, protocolVersion: string): Peer {
  const meta = (key: string): unknown => at(params, '_meta', key);
  const info = meta(CLIENT_INFO_META_KEY) as Implementation | undefined;
  const logLevel = meta(LOG_LEVEL_META_KEY) as LoggingLevel | undefined;
  return {
    era: 'modern',
    protocolVersion,
    face: {
      capabilities: (meta(CLIENT_CAPABILITIES_META_KEY) ?? {}) as ClientCapabilities,
      ...(info !== undefined && { info }),
    },
    ...(logLevel !== undefined && { logLevel }),
  };
}

/** The answer, or what is missing where it asks for what it was not told that the client has: nobody would give it. */
export function withinCapabilities(answer: RpcAnswer, face: Peer['face']): RpcAnswer {
  if (!('result' in answer) || answer.result['resultType'] !== 'input_required') return answer;
  const requiredCapabilities = undeclaredCapabilities(answer.result['inputRequests'], face);
  if (requiredCapabilities === undefined) return answer;
  const names = Object.keys(requiredCapabilities).join(', ');
  const text = `The server asks for what this client did not declare: ${names}`;
  return rpcError(RPC.missingClientCapability, text, { requiredCapabilities });
}

/**
 * What a client must declare to be asked these things (MRTR: a server asks for nothing else).
 * @param inputRequests of an `input_required` result
 * @returns undefined when it declared all of it
 */
function undeclaredCapabilities(
  inputRequests: unknown,
  { capabilities }: Peer['face'],
): ClientCapabilities | undefined {
  const missing: Record<string, JsonObject> = {};
  for (const request of isObject(inputRequests) ? Object.values(inputRequests) : []) {
    const [capability, part] = requiredFor(request) ?? [];
    if (capability === undefined) continue;
    const declared = at(capabilities, capability);
    if (declared !== undefined && (part === undefined || offers(declared, capability, part))) continue;
    missing[capability] = { ...missing[capability], ...(part !== undefined && { [part]: {} }) };
  }
  return Object.keys(missing).length === 0 ? undefined : missing;
}

function requiredFor(request: unknown): readonly [capability: string, part?: string] | undefined {
  switch (at(request, 'method')) {
    case 'elicitation/create':
      return ['elicitation', at(request, 'params', 'mode') === 'url' ? 'url' : 'form'];
    case 'sampling/createMessage': {
      const usesTools = ['tools', 'toolChoice'].some((member) => at(request, 'params', member) !== undefined);
      return usesTools ? ['sampling', 'tools'] : ['sampling'];
    }
    case 'roots/list':
      return ['roots'];
    default:
      return undefined;
  }
}

/** A bare `elicitation: {}` is of forms, as it was before there were others. */
function offers(declared: unknown, capability: string, part: string): boolean {
  if (at(declared, part) !== undefined) return true;
  return capability === 'elicitation' && part === 'form' && at(declared, 'url') === undefined;
}
