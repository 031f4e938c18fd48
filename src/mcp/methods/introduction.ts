// How an endpoint presents itself, in the way of either era.
import { SERVER_INFO_META_KEY } from '@modelcontextprotocol/server';
import type { JsonObject } from '../../lib/json-value.ts';
import { offeredCapabilities } from '../capabilities.ts';
import type { ClientRequest } from '../client-request.ts';
import { isLogLevel, LOG_LEVELS } from '../log-level.ts';
import { instructionsFor } from '../instructions.ts';
import { LIST_TTL_MS } from '../limits.ts';
import type { RpcAnswer } from '../protocol/message.ts';
import { serverInfoFor } from '../shown-result.ts';
import { invalidParams } from './failure-answer.ts';

type Introduced = Pick<ClientRequest, 'peer' | 'caller' | 'upstreamViews'>;

/** Legacy. `peer.protocolVersion` is the revision agreed upon. */
export async function initializeResult(request: Introduced): Promise<JsonObject> {
  const [capabilities, serverInfo, instructions] = await introduction(request);
  return {
    protocolVersion: request.peer.protocolVersion,
    capabilities,
    serverInfo,
    ...(instructions !== '' && { instructions }),
  };
}

/** 2026-07-28. `peer.protocolVersion` is the only revision of its era. */
export async function discoverResult(request: Introduced): Promise<JsonObject> {
  const [capabilities, serverInfo, instructions] = await introduction(request);
  return {
    resultType: 'complete',
    supportedVersions: [request.peer.protocolVersion],
    capabilities,
    ...(instructions !== '' && { instructions }),
    ttlMs: LIST_TTL_MS,
    cacheScope: 'private',
    _meta: { [SERVER_INFO_META_KEY]: serverInfo },
  };
}

export async function initialize(request: ClientRequest): Promise<RpcAnswer> {
  return { result: await initializeResult(request) };
}

export async function discover(request: ClientRequest): Promise<RpcAnswer> {
  return { result: await discoverResult(request) };
}

export async function ping(): Promise<RpcAnswer> {
  return { result: {} };
}

export async function setLogLevel({ session }: ClientRequest, { level }: JsonObject): Promise<RpcAnswer> {
  if (!isLogLevel(level)) return invalidParams(`"level" must be one of ${LOG_LEVELS.join(', ')}`);
  await session?.setLogLevel(level);
  return { result: {} };
}

function introduction(request: Introduced) {
  const { caller, upstreamViews } = request;
  return Promise.all([
    offeredCapabilities(request),
    serverInfoFor(request),
    instructionsFor(caller.scope, upstreamViews),
  ] as const);
}
