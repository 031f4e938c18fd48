import { ok } from '../../lib/result.ts';
import { isObject, type JsonObject } from '../../lib/json-value.ts';
import type { ClientRequest } from '../client-request.ts';
import type { RpcAnswer } from '../protocol/message.ts';
import { relayRequest } from '../relayed-request.ts';
import { sendUnrecorded } from '../request-limits.ts';
import { addressedResource, resourceMap, type ResourceMap, type ResourceTarget } from '../resource-map.ts';
import { finished } from '../shown-result.ts';
import { failureAnswer, invalidParams, saysNotFound, unknownResource } from './failure-answer.ts';

export async function readResource(request: ClientRequest, params: JsonObject): Promise<RpcAnswer> {
  const { uri } = params;
  if (typeof uri !== 'string') return invalidParams('"uri" must be a string');
  const { peer, caller, upstreamViews } = request;
  const resources = await resourceMap(caller.scope, upstreamViews);
  // What is refused is on the record as what it is.
  const target = resources.find(uri) ?? addressedResource(caller.scope, uri);
  const outcome = await relayRequest(request, {
    kind: 'resource.read',
    ...(target !== undefined && { grant: target.grant }),
    subject: target?.uri ?? uri,
    method: 'resources/read',
    params: { ...params, uri: target?.uri ?? uri },
  });
  if (!outcome.ok) {
    const unknown = outcome.error.code === 'not_found' || saysNotFound(outcome.error);
    return unknown ? unknownResource(peer.era, uri) : failureAnswer(outcome.error);
  }
  if (target === undefined) return unknownResource(peer.era, uri);
  const result = withShownContents(outcome.value, resources, target, uri);
  return finished(request, peer.era === 'modern' ? cacheable(result) : result, target.grant.upstream.name);
}

/** Legacy only; 2026-07-28 has `subscriptions/listen`. */
export async function subscribe(request: ClientRequest, params: JsonObject): Promise<RpcAnswer> {
  const { uri } = params;
  if (typeof uri !== 'string') return invalidParams('"uri" must be a string');
  const target = (await resourceMap(request.caller.scope, request.upstreamViews)).find(uri);
  if (target === undefined) return unknownResource('legacy', uri);
  const { upstream } = target.grant;
  const outcome = await sendUnrecorded(request, request.caller.virtualKey, upstream, async () => ({
    outcome: (await request.session?.subscribe(upstream, target.uri, uri)) ?? ok(undefined),
    upstreamMs: 0,
  }));
  if (!outcome.ok) {
    return saysNotFound(outcome.error) ? unknownResource('legacy', uri) : failureAnswer(outcome.error);
  }
  return { result: {} };
}

export async function unsubscribe(request: ClientRequest, params: JsonObject): Promise<RpcAnswer> {
  const { uri } = params;
  if (typeof uri !== 'string') return invalidParams('"uri" must be a string');
  const target = (await resourceMap(request.caller.scope, request.upstreamViews)).find(uri);
  if (target !== undefined) await request.session?.unsubscribe(target.grant.upstream, target.uri);
  return { result: {} };
}

/** What was asked for keeps the name under which it was asked for. */
function withShownContents(
  result: JsonObject,
  resources: ResourceMap,
  { grant, uri }: ResourceTarget,
  shownUri: string,
): JsonObject {
  const { contents } = result;
  if (!Array.isArray(contents)) return result;
  const show = (content: unknown): unknown => {
    if (!isObject(content) || typeof content['uri'] !== 'string') return content;
    const own = content['uri'];
    return { ...content, uri: own === uri ? shownUri : resources.show(grant.upstream.name, own) };
  };
  return { ...result, contents: contents.map(show) };
}

/** 2026-07-28 demands both hints. What one key may read is not said to be for everybody. */
function cacheable(result: JsonObject): JsonObject {
  if (result['resultType'] === 'input_required') return result;
  return { ttlMs: 0, ...result, cacheScope: 'private' };
}
