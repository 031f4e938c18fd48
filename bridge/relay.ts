// Between the clients of one server process and the process: several clients share its one pipe, so request ids and
// progress tokens are replaced on the way in and restored on the way out. Knows nothing of processes and of HTTP.
import {
  INTERNAL_ERROR,
  METHOD_NOT_FOUND,
  SUBSCRIPTION_ID_META,
  errorResponse,
  isModern,
  isNotification,
  isRequest,
  metaOf,
  withMeta,
} from './json-rpc.ts';
import type { JsonObject, RpcId, RpcMessage, RpcNotification, RpcRequest, RpcResponse } from './json-rpc.ts';
import type { Log } from './log.ts';
import { push } from './session.ts';
import type { Session } from './session.ts';

const ELICITATION_COMPLETE = 'notifications/elicitation/complete';
const MOST_ELICITATIONS = 1_000;
/** What a client must have declared to be asked. */
const CAPABILITIES: Readonly<Record<string, string>> = {
  'elicitation/create': 'elicitation',
  'sampling/createMessage': 'sampling',
  'roots/list': 'roots',
};

/** Where the answer to one request goes. */
export interface ReplySink {
  /** Whether anything but the response can be sent. */
  readonly streaming: boolean;
  send(message: RpcNotification | RpcRequest): void;
  respond(response: RpcResponse): void;
  /** Ends without a response, as a cancelled request does. */
  close(): void;
}

export interface RelayedRequest {
  readonly request: RpcRequest;
  readonly sink: ReplySink;
  /** Absent in the modern era, which has none. */
  readonly session?: Session;
  readonly probe: boolean;
  /** Sees the response before the client does. */
  readonly onResponse?: (response: RpcResponse) => void;
}

interface Exchange extends RelayedRequest {
  readonly id: number;
  readonly progressToken: unknown;
}

export interface RelayOptions {
  /** False when the server does not read what it is sent. */
  readonly send: (message: RpcMessage) => boolean;
  readonly sessions: Iterable<Session>;
  readonly log: Log;
}

/** Undoes one relayed request: tells the server, unless it has answered. */
export type Cancel = (reason: string) => void;

export class Relay {
  readonly #options: RelayOptions;
  readonly #exchanges = new Map<number, Exchange>();
  /** Requests of the server, by the id under which the client knows them. */
  readonly #asked = new Map<
    string,
    { readonly serverId: RpcId; readonly session: Session; readonly exchange?: Exchange }
  >();
  /** By the server's own id: whose they were. */
  readonly #elicitations = new Map<unknown, Session>();
  #lastId = 0;
  /** When a client last began or ended a request; probes do not count. */
  lastUsedAt = Date.now();
  /** Whether the server ever said anything that made sense. */
  hasSpoken = false;

  constructor(options: RelayOptions) {
    this.#options = options;
  }

  /** Requests under way, those of health probes apart. */
  get inUse(): number {
    let count = 0;
    for (const exchange of this.#exchanges.values()) if (!exchange.probe) count += 1;
    return count;
  }

  get idle(): boolean {
    return this.#exchanges.size === 0;
  }

  request(relayed: RelayedRequest): Cancel {
    const { request, sink } = relayed;
    this.#lastId += 1;
    const id = this.#lastId;
    const { progressToken } = metaOf(request.params);
    const exchange: Exchange = { ...relayed, id, progressToken };
    const outbound =
      progressToken === undefined
        ? { ...request, id }
        : { ...request, id, params: withMeta(request.params, 'progressToken', id) };
    if (!this.#options.send(outbound)) {
      sink.respond(errorResponse(request.id, INTERNAL_ERROR, 'the server does not read its input; try again later'));
      return () => {};
    }
    this.#exchanges.set(id, exchange);
    this.#used(exchange);
    return (reason) => this.#cancel(exchange, reason);
  }

  /** A request of the bridge's own; settles when the server answers or dies. */
  call(method: string, params: JsonObject): Promise<RpcResponse> {
    return new Promise((resolve) => {
      const sink: ReplySink = { streaming: false, send() {}, respond: resolve, close() {} };
      this.request({ request: { jsonrpc: '2.0', id: 0, method, params }, sink, probe: false });
    });
  }

  notify(notification: RpcNotification): void {
    this.#options.send(notification);
  }

  /** A client's own cancellation, which names the request by the client's id. */
  cancelled(notification: RpcNotification, session: Session): void {
    const cancelled = [...this.#exchanges.values()].findLast(
      (exchange) => exchange.session === session && exchange.request.id === notification.params?.['requestId'],
    );
    if (cancelled === undefined) return;
    this.#options.send({ ...notification, params: { ...notification.params, requestId: cancelled.id } });
    this.#drop(cancelled);
  }

  /** Passes a client's answer to the server's request on; false when nothing of this session awaits it. */
  answer(response: RpcResponse, session: Session): boolean {
    const asked = typeof response.id === 'string' ? this.#asked.get(response.id) : undefined;
    if (asked?.session !== session) return false;
    this.#asked.delete(String(response.id));
    this.#options.send({ ...response, id: asked.serverId });
    return true;
  }

  /** Cancels what a client that left had under way. */
  leave(session: Session): void {
    for (const exchange of this.#exchanges.values()) {
      if (exchange.session === session) this.#cancel(exchange, 'the session was closed');
    }
    for (const [id, owner] of this.#elicitations) if (owner === session) this.#elicitations.delete(id);
    for (const [id, asked] of this.#asked)
      if (asked.session === session) this.#refuse(id, 'the client closed its session');
  }

  /** The server is gone: everything under way ends with this error. */
  fail(message: string, data: unknown): void {
    const exchanges = [...this.#exchanges.values()];
    this.#exchanges.clear();
    this.#asked.clear();
    for (const { request, sink, onResponse } of exchanges) {
      const response = errorResponse(request.id, INTERNAL_ERROR, message, data);
      onResponse?.(response);
      sink.respond(response);
    }
  }

  receive(message: RpcMessage): void {
    this.hasSpoken = true;
    if (isRequest(message)) this.#ask(message);
    else if (isNotification(message)) this.#route(message);
    else this.#respond(message);
  }

  #respond(response: RpcResponse): void {
    const exchange = typeof response.id === 'number' ? this.#exchanges.get(response.id) : undefined;
    if (exchange === undefined) {
      this.#options.log('debug', 'bridge.response.unawaited', { id: response.id });
      return;
    }
    this.#exchanges.delete(exchange.id);
    this.#used(exchange);
    const restored = { ...response, id: exchange.request.id };
    exchange.onResponse?.(restored);
    exchange.sink.respond(restoreSubscription(restored, exchange));
  }

  #route(notification: RpcNotification): void {
    const { method, params } = notification;
    const exchange = this.#exchangeNamed(notification);
    if (exchange !== undefined) {
      exchange.sink.send(restoreTokens(notification, exchange));
    } else if (method === 'notifications/cancelled') {
      this.#withdraw(notification);
    } else if (method === 'notifications/progress' || metaOf(params)[SUBSCRIPTION_ID_META] !== undefined) {
      this.#options.log('debug', 'bridge.notification.late', { method });
    } else {
      this.#broadcast(notification);
    }
  }

  /** The request that a notification names by its progress token or subscription id. */
  #exchangeNamed({ method, params }: RpcNotification): Exchange | undefined {
    const id = method === 'notifications/progress' ? params?.['progressToken'] : metaOf(params)[SUBSCRIPTION_ID_META];
    return typeof id === 'number' ? this.#exchanges.get(id) : undefined;
  }

  /** What names no request: a changed list or resource concerns all sessions, anything else one that can be told. */
  #broadcast(notification: RpcNotification): void {
    const { method, params } = notification;
    if (!method.endsWith('/list_changed') && method !== 'notifications/resources/updated')
      return this.#tellOne(notification);
    const uri = method === 'notifications/resources/updated' ? params?.['uri'] : undefined;
    for (const session of this.#options.sessions) {
      if (typeof uri === 'string' && !session.subscriptions.has(uri)) continue;
      // A client without a stream of its own still hears of it while it has a request under way.
      if (!push(session, notification)) this.#streamingExchange(session)?.sink.send(notification);
    }
  }

  /** What was said on behalf of one client is not for the others to read. */
  #tellOne(notification: RpcNotification): void {
    const { method, params } = notification;
    const [only, ...others] = this.#exchanges.values();
    if (only?.sink.streaming === true && others.length === 0) return only.sink.send(notification);
    const named = method === ELICITATION_COMPLETE ? this.#elicitations.get(params?.['elicitationId']) : undefined;
    const busy = this.#busy();
    const [session, ...more] = named === undefined ? (busy.size > 0 ? busy : this.#options.sessions) : [named];
    if (session === undefined || more.length > 0) {
      this.#options.log('debug', 'bridge.notification.unattributed', { method });
      return;
    }
    if (!push(session, notification)) this.#streamingExchange(session)?.sink.send(notification);
  }

  /** The sessions that have something under way. */
  #busy(): ReadonlySet<Session> {
    const sessions = [...this.#exchanges.values()].flatMap(({ session }) => (session === undefined ? [] : [session]));
    return new Set(sessions);
  }

  #streamingExchange(session: Session): Exchange | undefined {
    return [...this.#exchanges.values()].findLast(
      (exchange) => exchange.session === session && exchange.sink.streaming,
    );
  }

  /** A request of the server: it names no request of a client, so it goes out only where one session can be meant. */
  #ask(request: RpcRequest): void {
    if (request.method === 'ping') {
      // Asks whether the other end of this pipe is alive, and that is the bridge.
      this.#options.send({ jsonrpc: '2.0', id: request.id, result: {} });
      return;
    }
    const busy = this.#busy();
    const listening = [...this.#options.sessions].filter((session) => session.streams.size > 0);
    const [session, ...others] = busy.size > 0 ? busy : listening;
    if (session === undefined || others.length > 0) {
      const why =
        session === undefined
          ? 'no client is there to answer it'
          : 'several clients share this server and it cannot be told which one is meant; set `isolation: session`';
      this.#options.send(errorResponse(request.id, INTERNAL_ERROR, `${request.method} was not delivered: ${why}`));
      return;
    }
    const capability = CAPABILITIES[request.method];
    if (capability !== undefined && session.capabilities[capability] === undefined) {
      const text = `${request.method} was not delivered: the client that is meant did not declare ${capability}`;
      this.#options.send(errorResponse(request.id, METHOD_NOT_FOUND, text));
      return;
    }
    this.#noteElicitation(request, session);
    const exchange = this.#streamingExchange(session);
    this.#lastId += 1;
    const id = `server-${this.#lastId}`;
    this.#asked.set(id, { serverId: request.id, session, ...(exchange === undefined ? {} : { exchange }) });
    if (exchange !== undefined) exchange.sink.send({ ...request, id });
    else if (!push(session, { ...request, id })) this.#refuse(id, 'the client accepts no stream');
  }

  /** That an elicitation by URL is done is told when its request may be long over. */
  #noteElicitation({ params }: RpcRequest, session: Session): void {
    const elicitationId = params?.['elicitationId'];
    if (typeof elicitationId !== 'string') return;
    this.#elicitations.set(elicitationId, session);
    const [oldest] = this.#elicitations.keys();
    if (this.#elicitations.size > MOST_ELICITATIONS) this.#elicitations.delete(oldest);
  }

  /** The server takes a request of its own back. */
  #withdraw(notification: RpcNotification): void {
    for (const [id, { serverId, session, exchange }] of this.#asked) {
      if (serverId !== notification.params?.['requestId']) continue;
      this.#asked.delete(id);
      const restored = { ...notification, params: { ...notification.params, requestId: id } };
      if (exchange !== undefined && this.#exchanges.has(exchange.id)) exchange.sink.send(restored);
      else push(session, restored);
    }
  }

  #cancel(exchange: Exchange, reason: string): void {
    if (!this.#exchanges.has(exchange.id)) return;
    // Over stdio both eras cancel by notification; a modern one must carry its envelope, or it reads as legacy.
    const { progressToken: _, ...envelope } = metaOf(exchange.request.params);
    const meta = isModern(exchange.request) ? { _meta: envelope } : {};
    this.#options.send({
      jsonrpc: '2.0',
      method: 'notifications/cancelled',
      params: { requestId: exchange.id, reason, ...meta },
    });
    this.#drop(exchange);
  }

  /** Ends a request without its response; what the server asked on its behalf will not be answered either. */
  #drop(exchange: Exchange): void {
    this.#exchanges.delete(exchange.id);
    this.#used(exchange);
    for (const [id, asked] of this.#asked) {
      if (asked.exchange === exchange) this.#refuse(id, 'the client ended the request it belonged to');
    }
    exchange.sink.close();
  }

  #used(exchange: Exchange): void {
    if (!exchange.probe) this.lastUsedAt = Date.now();
  }

  #refuse(id: string, why: string): void {
    const asked = this.#asked.get(id);
    if (asked === undefined) return;
    this.#asked.delete(id);
    this.#options.send(errorResponse(asked.serverId, INTERNAL_ERROR, `not answered: ${why}`));
  }
}

function restoreTokens(notification: RpcNotification, exchange: Exchange): RpcNotification {
  if (notification.method === 'notifications/progress') {
    return { ...notification, params: { ...notification.params, progressToken: exchange.progressToken } };
  }
  return { ...notification, params: withMeta(notification.params, SUBSCRIPTION_ID_META, exchange.request.id) };
}

/** The result that ends a subscription names it too. */
function restoreSubscription(response: RpcResponse, exchange: Exchange): RpcResponse {
  const { result } = response;
  if (typeof result !== 'object' || result === null || !('_meta' in result)) return response;
  const holder = result as JsonObject;
  if (metaOf(holder)[SUBSCRIPTION_ID_META] !== exchange.id) return response;
  return { ...response, result: withMeta(holder, SUBSCRIPTION_ID_META, exchange.request.id) };
}
