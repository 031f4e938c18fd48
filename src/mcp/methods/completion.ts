import { isObject, textAt, type JsonObject } from '../../lib/json-value.ts';
import type { ClientRequest } from '../client-request.ts';
import { hopOf, relayedParams } from '../hop.ts';
import type { RpcAnswer } from '../protocol/message.ts';
import { sendUnrecorded } from '../request-limits.ts';
import { resourceMap } from '../resource-map.ts';
import { isGranted, type Grant } from '../scope.ts';
import { finished } from '../shown-result.ts';
import { readyView, requestUpstream } from '../upstream-round.ts';
import { failureAnswer, invalidParams, unknownName, unknownResource } from './failure-answer.ts';
import { findPrompt } from './prompts-get.ts';

/** Helps with typing, effects it has none: it is not on the record, but limits hold for it. */
export async function complete(request: ClientRequest, params: JsonObject): Promise<RpcAnswer> {
  const { ref } = params;
  if (!isObject(ref)) return invalidParams('"ref" must be an object');
  const target = await findReference(request, ref);
  if (!('grant' in target)) return target;
  const upstream = target.grant.upstream;
  const ready = await readyView(request, upstream);
  if (!ready.ok) return failureAnswer(ready.error);
  const declared = ready.value.catalog?.capabilities.completions;
  if (request.caller.scope.naming === 'qualified' && ready.value.catalog !== undefined && declared === undefined) {
    return finished(request, { completion: { values: [], total: 0, hasMore: false } });
  }
  const round = {
    method: 'completion/complete',
    params: relayedParams({ ...params, ref: target.ref }),
    signal: request.signal,
    principal: request.caller.virtualKey.principal.keyId,
  };
  const outcome = await sendUnrecorded(request, request.caller.virtualKey, upstream, () =>
    requestUpstream(request, upstream, round, hopOf(request, upstream.name, params)),
  );
  return outcome.ok ? finished(request, outcome.value, upstream.name) : failureAnswer(outcome.error);
}

interface Reference {
  readonly grant: Grant;
  /** As the upstream is to read it. */
  readonly ref: JsonObject;
}

async function findReference(request: ClientRequest, ref: JsonObject): Promise<Reference | RpcAnswer> {
  const name = textAt(ref, 'name');
  const uri = textAt(ref, 'uri');
  if (ref['type'] === 'ref/prompt' && name !== undefined) {
    const found = await findPrompt(request, name);
    if (found === undefined || !isGranted(found.grant, 'prompts', found.name)) return unknownName('prompt', name);
    return { grant: found.grant, ref: { ...ref, name: found.name } };
  }
  if (ref['type'] === 'ref/resource' && uri !== undefined) {
    const resources = await resourceMap(request.caller.scope, request.upstreamViews);
    const found = resources.findTemplate(uri) ?? resources.find(uri);
    if (found === undefined) return unknownResource(request.peer.era, uri);
    return { grant: found.grant, ref: { ...ref, uri: found.uri } };
  }
  return invalidParams('"ref" must be a ref/prompt with a name, or a ref/resource with a uri');
}
