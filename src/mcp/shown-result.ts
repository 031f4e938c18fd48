// An upstream's result as this client is to read it: URIs and ids by which it can come back, the marks of its era.
import { SERVER_INFO_META_KEY } from '@modelcontextprotocol/server';
import { isObject, type JsonObject } from '../lib/json-value.ts';
import { PRODUCT } from '../lib/product.ts';
import type { ClientRequest } from './client-request.ts';
import { DISCOVERY_DEADLINE_MS } from './limits.ts';
import type { RpcAnswer } from './protocol/message.ts';
import { resourceMap, type ResourceMap } from './resource-map.ts';
import { qualifyTaskId, taskIdsMapped } from './task-id.ts';

export const SERVER_INFO = { ...PRODUCT, title: 'Sallyport' };

type Serving = Pick<ClientRequest, 'peer' | 'caller' | 'upstreamViews'>;

/** The result of a call, a prompt or a task, whose content may refer to the upstream's resources and tasks. */
export async function shownResult(request: Serving, upstream: string, result: JsonObject): Promise<JsonObject> {
  const { scope } = request.caller;
  if (scope.naming === 'wire') return result;
  const named = taskIdsMapped(result, (id) => qualifyTaskId(upstream, id));
  if (!holdsResources(named)) return named;
  const resources = await resourceMap(scope, request.upstreamViews);
  return withShownUris(named, upstream, resources);
}

/** Whether the client's next request may lead there: content blocks of results, messages and finished tasks. */
function holdsResources({ content, messages, result }: JsonObject): boolean {
  const blocks = [
    ...listOf(content),
    ...listOf(messages).map((message) => (isObject(message) ? message['content'] : {})),
  ];
  if (blocks.some((block) => isObject(block) && (block['type'] === 'resource' || block['type'] === 'resource_link'))) {
    return true;
  }
  return isObject(result) && holdsResources(result);
}

function withShownUris(value: JsonObject, upstream: string, resources: ResourceMap): JsonObject {
  const { content, messages, result } = value;
  const block = (one: unknown): unknown => withShownUri(one, upstream, resources);
  const message = (one: unknown): unknown => (isObject(one) ? { ...one, content: block(one['content']) } : one);
  return {
    ...value,
    ...(Array.isArray(content) && { content: content.map(block) }),
    ...(Array.isArray(messages) && { messages: messages.map(message) }),
    ...(isObject(result) && { result: withShownUris(result, upstream, resources) }),
  };
}

function withShownUri(block: unknown, upstream: string, resources: ResourceMap): unknown {
  if (!isObject(block)) return block;
  const { type, uri, resource } = block;
  if (type === 'resource_link' && typeof uri === 'string') return { ...block, uri: resources.show(upstream, uri) };
  if (type !== 'resource' || !isObject(resource) || typeof resource['uri'] !== 'string') return block;
  return { ...block, resource: { ...resource, uri: resources.show(upstream, resource['uri']) } };
}

/**
 * The answer with what 2026-07-28 has on every result.
 * @param upstream whose result it is; none of them where it is the gateway's own
 */
export async function finished(request: Serving, result: JsonObject, upstream?: string): Promise<RpcAnswer> {
  if (request.peer.era === 'legacy') return { result };
  const meta = isObject(result['_meta']) ? result['_meta'] : {};
  const { naming } = request.caller.scope;
  const keepsOwn = naming === 'wire' && upstream !== undefined && meta[SERVER_INFO_META_KEY] !== undefined;
  const serverInfo = keepsOwn ? meta[SERVER_INFO_META_KEY] : await serverInfoFor(request);
  return { result: { resultType: 'complete', ...result, _meta: { ...meta, [SERVER_INFO_META_KEY]: serverInfo } } };
}

/** As whom the endpoint presents itself: the one server behind it, or the gateway. */
export async function serverInfoFor({ caller, upstreamViews }: Serving): Promise<unknown> {
  const { naming, grants } = caller.scope;
  const [sole] = grants.values();
  if (naming !== 'wire' || sole === undefined) return SERVER_INFO;
  const { catalog } = await upstreamViews.view(sole.upstream, DISCOVERY_DEADLINE_MS);
  return catalog?.serverInfo ?? SERVER_INFO;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
