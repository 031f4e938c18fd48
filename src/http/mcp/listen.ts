// `subscriptions/listen` (2026-07-28): one stream that tells a client of what changes, for all upstreams behind the
// endpoint, until it hangs up or may see nothing any more.
import { SERVER_INFO_META_KEY, SUBSCRIPTION_ID_META_KEY } from '@modelcontextprotocol/server';
import { isObject } from '../../lib/json-value.ts';
import { startChangeFeed, type ListKind, type WatchedResources } from '../../mcp/change-feed.ts';
import { DISCOVERY_DEADLINE_MS } from '../../mcp/limits.ts';
import { RPC, rpcError } from '../../mcp/protocol/errors.ts';
import { responseTo, type RpcId, type Spoken } from '../../mcp/protocol/message.ts';
import { resourceMap } from '../../mcp/resource-map.ts';
import { offeredCapabilities } from '../../mcp/capabilities.ts';
import { serverInfoFor } from '../../mcp/shown-result.ts';
import { SseSocket } from '../../mcp/session/sse-socket.ts';
import { failure } from '../../policy/failure.ts';
import { errorResponse } from '../error-response.ts';
import { takeListenPlace, type ListenPlace } from './listen-places.ts';
import type { ServedRequest } from './modern.ts';
import { answerResponse, eventOf, streamResponse, tell } from './reply.ts';

/** Nobody waits for an answer here: less often than there, and often enough for whoever stands between. */
const KEEP_ALIVE_MS = 10_000;
/** In one subscription. */
const MAX_URIS = 1_000;
const FLAG_OF = {
  tools: 'toolsListChanged',
  prompts: 'promptsListChanged',
  resources: 'resourcesListChanged',
} as const;
const KINDS = ['tools', 'prompts', 'resources'] as const;

/** What is listened to: as the client wants it, or as much of that as there is. */
interface Filter {
  readonly lists: Readonly<Record<ListKind, boolean>>;
  /** As the client names them. */
  readonly uris: readonly string[];
}

export async function answerListen(served: ServedRequest): Promise<Response> {
  const { id, params } = served.message;
  const wanted = readFilter(params?.['notifications']);
  if (wanted === undefined) {
    const text = `"notifications" must say what to listen to: ${Object.values(FLAG_OF).join(', ')} (true or false) and resourceSubscriptions (at most ${MAX_URIS} URIs)`;
    return answerResponse(id, rpcError(RPC.invalidParams, text));
  }
  const { caller, now } = served;
  const place = takeListenPlace(caller.virtualKey.principal.keyId, now());
  if (place === undefined) {
    const text = 'This key has too many subscriptions open. End some of them, or try again later.';
    const refusal = failure('rate_limited', text, { retryAfterSeconds: 10 });
    return errorResponse(refusal, 'jsonrpc', caller.requestId);
  }
  return listen(served, place, await honour(served, wanted), await serverInfoFor(served));
}

interface Honoured extends Filter {
  readonly watched: WatchedResources;
}

async function listen(
  served: ServedRequest,
  place: ListenPlace,
  filter: Honoured,
  serverInfo: unknown,
): Promise<Response> {
  const { id } = served.message;
  let close = (): void => place.leave();
  const socket = new SseSocket(() => close());
  const end = (): void => {
    socket.write(eventOf(JSON.stringify(responseTo(id, { result: endOf(id, serverInfo) }))));
    socket.close();
    close();
  };
  const acknowledged = {
    method: 'notifications/subscriptions/acknowledged',
    params: { notifications: written(filter) },
  };
  tell(socket, tagged(acknowledged, id));
  if (filter.uris.length === 0 && !KINDS.some((kind) => filter.lists[kind])) {
    end();
    return streamResponse(socket.body);
  }
  const feed = startChangeFeed({
    resolveScope: served.resolveScope,
    views: served.upstreamViews,
    links: served.links,
    filter: filter.lists,
    uris: filter.watched,
    emit: (notification) => tell(socket, tagged(notification, id)),
    ready: () => socket.ready,
    now: served.now,
    onEnd: end,
  });
  const timer = setInterval(() => {
    place.keep(served.now());
    socket.keepAlive();
  }, KEEP_ALIVE_MS);
  close = () => {
    clearInterval(timer);
    feed.close();
    place.leave();
  };
  // It may have ended as it began.
  if (!socket.open) close();
  // What changes after the client has read the acknowledgement, it is told of.
  await feed.started;
  return streamResponse(socket.body);
}

/** As much of what is wanted as the endpoint has. What is not granted is left out like what does not exist. */
async function honour(served: ServedRequest, wanted: Filter): Promise<Honoured> {
  const { caller, upstreamViews } = served;
  const capabilities = await offeredCapabilities(served);
  const lists = {
    tools: wanted.lists.tools && capabilities.tools?.listChanged === true,
    prompts: wanted.lists.prompts && capabilities.prompts?.listChanged === true,
    resources: wanted.lists.resources && capabilities.resources?.listChanged === true,
  };
  const watched = new Map<string, Map<string, string>>();
  const uris: string[] = [];
  const resources = wanted.uris.length === 0 ? undefined : await resourceMap(caller.scope, upstreamViews);
  for (const shownUri of wanted.uris) {
    const target = resources?.find(shownUri);
    if (target === undefined) continue;
    const { upstream } = target.grant;
    const { catalog } = await upstreamViews.view(upstream, DISCOVERY_DEADLINE_MS);
    if (catalog !== undefined && catalog.capabilities.resources?.subscribe !== true) continue;
    watched.set(upstream.name, (watched.get(upstream.name) ?? new Map()).set(target.uri, shownUri));
    uris.push(shownUri);
  }
  return { lists, uris, watched };
}

/** @returns undefined where it is none */
function readFilter(value: unknown): Filter | undefined {
  if (!isObject(value)) return undefined;
  if (KINDS.some((kind) => !['boolean', 'undefined'].includes(typeof value[FLAG_OF[kind]]))) return undefined;
  const { resourceSubscriptions: uris = [] } = value;
  if (!Array.isArray(uris) || uris.length > MAX_URIS || !uris.every((uri) => typeof uri === 'string')) return undefined;
  const wants = (kind: ListKind): boolean => value[FLAG_OF[kind]] === true;
  return {
    lists: { tools: wants('tools'), prompts: wants('prompts'), resources: wants('resources') },
    uris: [...new Set<string>(uris)],
  };
}

function written({ lists, uris }: Filter): Readonly<Record<string, unknown>> {
  const flags = KINDS.filter((kind) => lists[kind]).map((kind) => [FLAG_OF[kind], true] as const);
  return { ...Object.fromEntries(flags), ...(uris.length > 0 && { resourceSubscriptions: uris }) };
}

function tagged({ method, params }: Spoken, id: RpcId): Spoken {
  const meta = isObject(params?.['_meta']) ? params['_meta'] : {};
  return { method, params: { ...params, _meta: { ...meta, [SUBSCRIPTION_ID_META_KEY]: id } } };
}

function endOf(id: RpcId, serverInfo: unknown): Readonly<Record<string, unknown>> {
  return {
    resultType: 'complete',
    _meta: { [SUBSCRIPTION_ID_META_KEY]: id, [SERVER_INFO_META_KEY]: serverInfo },
  };
}
