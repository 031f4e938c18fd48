// One POST of 2026-07-28: its headers are checked against its body, then it is served or refused. Nothing of it is
// remembered.
import { isObject } from '../../lib/json-value.ts';
import { showNamed } from '../../mcp/catalog.ts';
import type { ClientRequest, Peer } from '../../mcp/client-request.ts';
import { DISCOVERY_DEADLINE_MS, NAME_LENGTH } from '../../mcp/limits.ts';
import type { Face } from '../../mcp/links.ts';
import { peerOf, withinCapabilities } from '../../mcp/protocol/envelope.ts';
import { RPC, rpcError } from '../../mcp/protocol/errors.ts';
import { isRequest, type RpcNotification, type RpcRequest } from '../../mcp/protocol/message.ts';
import { paramHeaderFault, paramHeadersOf } from '../../mcp/protocol/param-headers.ts';
import { standardHeaderFault } from '../../mcp/protocol/standard-headers.ts';
import type { Scope } from '../../mcp/scope.ts';
import { serveRequest } from '../../mcp/serve.ts';
import { createToolInvoker, type ToolCaller } from '../../mcp/tool-call.ts';
import { parseQualifiedName } from '../../mcp/tool-name.ts';
import type { StatelessLinks } from '../../mcp/upstream/stateless-links.ts';
import { answerListen } from './listen.ts';
import { answerResponse, Reply } from './reply.ts';

const SUPPORTED_VERSIONS = ['2026-07-28'];

export interface ModernPost extends Pick<
  ClientRequest,
  'caller' | 'recorder' | 'admission' | 'now' | 'requestBytes' | 'requestStates'
> {
  /** As `classifyInboundRequest` found it: a request has a valid envelope. */
  readonly message: RpcRequest | RpcNotification;
  /** As the message names it. */
  readonly protocolVersion: string;
  readonly headers: Headers;
  readonly linksFor: (face: Face) => StatelessLinks;
  /** What the same request would let its client see now. */
  readonly resolveScope: () => Promise<Scope | undefined>;
  readonly waitUntil: (promise: Promise<unknown>) => void;
  /** Told until when the request runs, for its answer may begin before. */
  readonly runsUntil: (over: Promise<unknown>) => void;
}

/** A request whose client and upstreams are known. */
export interface ServedRequest extends ModernPost, Pick<ClientRequest, 'peer' | 'upstreamViews'> {
  readonly message: RpcRequest;
  readonly links: StatelessLinks;
}

export async function answerModern(post: ModernPost): Promise<Response> {
  const { message, protocolVersion, headers } = post;
  const id = isRequest(message) ? message.id : null;
  if (!SUPPORTED_VERSIONS.includes(protocolVersion)) {
    const data = { supported: SUPPORTED_VERSIONS, requested: protocolVersion };
    const text = `Unsupported protocol version: ${protocolVersion.slice(0, 100)}`;
    return answerResponse(id, rpcError(RPC.unsupportedProtocolVersion, text, data));
  }
  // Cancelling is hanging up, and nothing else is to be said without being asked.
  if (!isRequest(message)) return new Response(null, { status: 202 });
  const peer = peerOf(message.params, protocolVersion);
  const links = post.linksFor(peer.face);
  const caller = { ...post.caller, ...clientNamed(peer) };
  const served = { ...post, caller, message, peer, links, upstreamViews: links.views };
  const fault = standardHeaderFault(message, protocolVersion, headers) ?? (await argumentHeaderFault(served));
  if (fault !== undefined) return answerResponse(id, rpcError(RPC.headerMismatch, `Bad Request: ${fault}`));
  return message.method === 'subscriptions/listen' ? answerListen(served) : serve(served);
}

async function serve(served: ServedRequest): Promise<Response> {
  const { message, peer } = served;
  const hungUp = new AbortController();
  const { requestId } = served.caller;
  const { resolveScope } = served;
  const reply = new Reply({ id: message.id, requestId, resolveScope, giveUp: (reason) => hungUp.abort(reason) });
  const request: ClientRequest = {
    ...served,
    toolInvoker: createToolInvoker(served),
    signal: hungUp.signal,
    notify: (notification) => reply.notify(notification),
  };
  const answered = serveRequest(request, message).then((answer) => withinCapabilities(answer, peer.face));
  // A client that hangs up takes its request's context along; what is to be recorded and cancelled must outlive it.
  served.waitUntil(answered.catch(() => undefined));
  served.runsUntil(answered);
  return reply.respond(answered);
}

/** What the client calls itself is more than what its HTTP library does. */
function clientNamed({ face: { info } }: Peer): Pick<ToolCaller, 'client'> {
  return info === undefined ? {} : { client: `${info.name}/${info.version}`.slice(0, NAME_LENGTH) };
}

async function argumentHeaderFault({
  message,
  caller,
  upstreamViews,
  headers,
}: ServedRequest): Promise<string | undefined> {
  const { method, params } = message;
  const name = params?.['name'];
  if (method !== 'tools/call' || typeof name !== 'string') return undefined;
  const { grants, naming } = caller.scope;
  const upstream = naming === 'wire' ? grants.keys().next().value : parseQualifiedName(name)?.upstream;
  const grant = upstream === undefined ? undefined : grants.get(upstream);
  if (grant === undefined) return undefined;
  const { catalog } = await upstreamViews.view(grant.upstream, DISCOVERY_DEADLINE_MS);
  const tool = catalog && showNamed('tools', catalog, grant.upstream.name, naming).byShownName.get(name);
  const given = params?.['arguments'];
  return tool && paramHeaderFault(paramHeadersOf(tool.definition.inputSchema), isObject(given) ? given : {}, headers);
}
