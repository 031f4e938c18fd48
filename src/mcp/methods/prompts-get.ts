import { isObject, type JsonObject } from '../../lib/json-value.ts';
import { showNamed } from '../catalog.ts';
import type { ClientRequest } from '../client-request.ts';
import { DISCOVERY_DEADLINE_MS, REFRESH_AFTER_MS } from '../limits.ts';
import type { Catalog } from '../ports.ts';
import type { RpcAnswer } from '../protocol/message.ts';
import { relayRequest } from '../relayed-request.ts';
import { isGranted, type Grant } from '../scope.ts';
import { finished, shownResult } from '../shown-result.ts';
import { parseQualifiedName } from '../tool-name.ts';
import { failureAnswer, invalidParams, unknownName } from './failure-answer.ts';

export async function getPrompt(request: ClientRequest, params: JsonObject): Promise<RpcAnswer> {
  const { name, arguments: given } = params;
  if (typeof name !== 'string') return invalidParams('"name" must be a string');
  if (given !== undefined && !isObject(given)) return invalidParams('"arguments" must be an object');
  const target = await findPrompt(request, name);
  const outcome = await relayRequest(request, {
    kind: 'prompt.get',
    ...(target !== undefined && { grant: target.grant }),
    subject: target?.name ?? name,
    arguments: given,
    method: 'prompts/get',
    params: { ...params, name: target?.name ?? name },
  });
  if (!outcome.ok) {
    return outcome.error.code === 'not_found' ? unknownName('prompt', name) : failureAnswer(outcome.error);
  }
  const upstream = target?.grant.upstream.name ?? '';
  return finished(request, await shownResult(request, upstream, outcome.value), upstream);
}

export interface PromptTarget {
  readonly grant: Grant;
  /** Wire name. */
  readonly name: string;
}

/**
 * @param shownName as the client has it from its list
 * @returns a prompt of a server in the scope, granted or not
 */
export async function findPrompt(
  { caller, upstreamViews, now }: Pick<ClientRequest, 'caller' | 'upstreamViews' | 'now'>,
  shownName: string,
): Promise<PromptTarget | undefined> {
  const { naming, grants } = caller.scope;
  const [sole = ''] = grants.keys();
  const parsed = naming === 'wire' ? { upstream: sole, wireName: shownName } : parseQualifiedName(shownName);
  const grant = grants.get(parsed?.upstream ?? '');
  if (parsed === undefined || grant === undefined) return undefined;
  const assumed = parsed.wireName === undefined ? undefined : { grant, name: parsed.wireName };
  const findIn = (catalog: Catalog): PromptTarget | undefined => {
    const shown = showNamed('prompts', catalog, grant.upstream.name, naming).byShownName.get(shownName);
    return shown === undefined ? undefined : { grant, name: shown.wireName };
  };
  const { catalog, listedAt } = await upstreamViews.view(grant.upstream, DISCOVERY_DEADLINE_MS);
  // Nothing is known of its prompts, and policy may refuse this one: who asks for it next finds out.
  if (catalog === undefined || (assumed && !isGranted(grant, 'prompts', assumed.name))) return assumed;
  const found = findIn(catalog);
  // The upstream may have learnt it since it was last asked.
  if (found !== undefined || now() - (listedAt ?? catalog.at) <= REFRESH_AFTER_MS) return found;
  const fresh = await upstreamViews.refresh(grant.upstream, DISCOVERY_DEADLINE_MS);
  return fresh.catalog === undefined ? undefined : findIn(fresh.catalog);
}
