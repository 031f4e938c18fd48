// One session of a client of the legacy eras, for as long as its object is in memory: requests, streams, questions. What
// must outlive that is in the store.
import { describeFault, log } from '../../lib/log.ts';
import type { ClientRequest, Peer, SessionControls } from '../client-request.ts';
import type { Ask } from '../links.ts';
import type { Narrowing } from '../narrowing.ts';
import { RPC, rpcError } from '../protocol/errors.ts';
import { isRpcId, responseTo } from '../protocol/message.ts';
import type { RpcAnswer, RpcId, RpcNotification, RpcRequest } from '../protocol/message.ts';
import { newStreamName, readEventId } from './event-id.ts';
import { EventLog } from './event-log.ts';
import { EventStream } from './event-stream.ts';
import { Exchange } from './exchange.ts';
import { readHandshake, understandsEmptyEvents } from './handshake.ts';
import { sortMessages } from './incoming.ts';
import { Listening } from './listening.ts';
import { OpenQuestions } from './open-questions.ts';
import type {
  SessionAnswer,
  SessionListen,
  SessionParts,
  SessionPost,
  SessionRefusal,
  SessionState,
  SessionUpstreams,
  Standing,
} from './ports.ts';
import { RunningRequests } from './running-requests.ts';

/** Of a client that did not say; servers send about this much by themselves. */
const DEFAULT_LOG_LEVEL = 'info';
/** More than a client could want at once. */
const MOST_RUNNING = 256;
/**
 * A client that hung up, and a key that is no more, are noticed no sooner than by the next of these. Who waits for an
 * answer is looked after more often; on a stream that only listens each costs as much as on any, and there are many.
 */
const HEARTBEAT_MS = { waiting: 3_000, listening: 15_000 };
const PROBE_PAUSE_MS = 50;
/** Of what a client gives for a cancellation, characters. */
const REASON_LENGTH = 500;
const LOST =
  'The gateway was restarted before this request was answered. It may have taken effect; look before you repeat it.';

export class ClientSession {
  readonly #parts: SessionParts;
  readonly #log: EventLog;
  readonly #questions: OpenQuestions;
  readonly #running = new RunningRequests();
  readonly #standalone: EventStream;
  readonly #listening: Listening;
  /** Those that are read, or written to. */
  readonly #streams = new Map<string, EventStream>();
  #state: SessionState;
  #upstreams: SessionUpstreams | undefined;
  #heartbeat: { readonly ms: number; readonly timer: ReturnType<typeof setInterval> } | undefined;
  /** Several servers speak to the client through it. */
  #isShared = false;
  /** Of whoever reads the session's own stream. */
  #narrowing: Narrowing = {};
  #activeAt: number;

  /** Of the session that is in the store. */
  constructor(parts: SessionParts) {
    this.#parts = parts;
    const { store, now, waitUntil } = parts;
    this.#state = store.state();
    this.#activeAt = now();
    this.#log = new EventLog({
      store: store.events,
      now,
      later: (ms, work) => waitUntil(scheduler.wait(ms).then(work)),
    });
    this.#questions = new OpenQuestions({ now, capabilities: () => this.#state.face.capabilities });
    this.#standalone = this.#stream(this.#state.standaloneStream, now());
    this.#listening = new Listening({
      parts,
      stream: this.#standalone,
      isShared: () => this.#isShared,
      resolveScope: async () => {
        const scope = (await parts.standing(this.#state, this.#narrowing))?.scope;
        this.#isShared = scope?.naming === 'qualified';
        return scope;
      },
      logLevel: () => this.#state.logLevel ?? DEFAULT_LOG_LEVEL,
      ask: this.#askOn(() => this.#standalone),
      onEnd: () => this.#standalone.release(),
    });
  }

  /** Whether somebody waits for it or reads from it. */
  get busy(): boolean {
    return this.#running.size > 0 || [...this.#streams.values()].some(({ attached }) => attached);
  }

  /** When it was last used or busy, milliseconds since the epoch. */
  get activeAt(): number {
    return this.busy ? this.#parts.now() : this.#activeAt;
  }

  async post(post: SessionPost): Promise<SessionAnswer> {
    this.#activeAt = this.#parts.now();
    const incoming = sortMessages(post.body);
    if (typeof incoming === 'string') return refused(incoming);
    const standing = await this.#parts.standing(this.#state, post.narrowing);
    if (standing === undefined) return refused('revoked');
    for (const response of incoming.responses) this.#questions.answer(response);
    for (const notification of incoming.notifications) this.#heed(notification);
    if (incoming.requests.length === 0) return { kind: 'accepted' };

    const exchange = this.#exchange(incoming.requests, post);
    const served = Promise.all(
      incoming.requests.map(async (request) => {
        exchange.settle(request.id, await this.#serve(request, exchange, standing, post));
      }),
    );
    // The client may hang up; it comes back for the answer.
    this.#parts.waitUntil(served);
    return exchange.answer(served);
  }

  async listen({ lastEventId, narrowing }: SessionListen): Promise<SessionAnswer> {
    if (!(await this.#admit(narrowing))) return refused('revoked');
    if (lastEventId !== undefined) return this.#resume(lastEventId);
    if (this.#standalone.attached && (await this.#standalone.probe(PROBE_PAUSE_MS))) return refused('stream_open');
    return streamed(this.#standalone.attach(this.#standalone.position));
  }

  /** The old transport: its only stream, which begins with where to send messages. */
  async open({ lastEventId, narrowing }: SessionListen, messagesUrl: string): Promise<SessionAnswer> {
    if (!(await this.#admit(narrowing))) return refused('revoked');
    const after = lastEventId === undefined ? this.#standalone.position : readEventId(lastEventId)?.seq;
    if (after === undefined) return refused('unknown_event');
    const opening = `event: endpoint\nid: ${this.#standalone.idAt(after)}\ndata: ${messagesUrl}\n\n`;
    return streamed(this.#reopen(after, opening));
  }

  /** The session is over, for the client and for its upstreams. The store is the caller's matter. */
  async close(): Promise<void> {
    this.#running.abortAll('The client ended its session');
    this.#questions.close();
    this.#listening.stop();
    this.#dismiss();
    await this.#ownUpstreams().links.close();
  }

  async #serve(
    { id, method, params }: RpcRequest,
    exchange: Exchange,
    standing: Standing,
    post: SessionPost,
  ): Promise<RpcAnswer | undefined> {
    if (this.#running.size >= MOST_RUNNING)
      return rpcError(RPC.internalError, `${MOST_RUNNING} requests are under way already; wait for some of them.`);
    const message = { id, method, ...(params !== undefined && { params }) };
    const run = this.#running.begin(id);
    try {
      if (method === 'initialize' && this.#state.transport === 'sse') await this.#shakeHands(params);
      const answer = await this.#parts.serve(this.#request(exchange, standing, post, run.signal), message);
      return run.signal.aborted ? undefined : answer;
    } catch (fault) {
      log('error', 'mcp.request.failed', { request_id: post.requestId, fault: describeFault(fault) });
      return rpcError(RPC.internalError, `The gateway failed; its log names the fault under ${post.requestId}.`);
    } finally {
      this.#running.end(run);
      this.#activeAt = this.#parts.now();
    }
  }

  /** The session of a client of the old transport begins before the client has said who it is. */
  async #shakeHands(params: RpcRequest['params']): Promise<void> {
    this.#keep({ ...this.#state, ...readHandshake(params) });
    // Those that are open were opened in another's name.
    const before = this.#upstreams;
    this.#upstreams = undefined;
    await before?.links.close();
    this.#listening.listenBy(this.#ownUpstreams().links);
  }

  #keep(state: SessionState): void {
    this.#state = state;
    this.#parts.store.setState(state);
  }

  #ownUpstreams(): SessionUpstreams {
    this.#upstreams ??= this.#parts.upstreams(this.#state);
    return this.#upstreams;
  }

  #request(exchange: Exchange, standing: Standing, post: SessionPost, signal: AbortSignal): ClientRequest {
    const { recorder, admission, now } = this.#parts;
    const { links, toolInvoker } = this.#ownUpstreams();
    const { protocolVersion, face, logLevel = DEFAULT_LOG_LEVEL } = this.#state;
    const peer: Peer = { era: 'legacy', protocolVersion, face, logLevel };
    const { requestId, receivedAt, client, tags } = post;
    return {
      peer,
      caller: {
        ...standing,
        requestId,
        receivedAt,
        session: this.#state.nonce,
        ...(client !== undefined && { client }),
        ...(tags !== undefined && { tags }),
      },
      links,
      upstreamViews: links.views,
      toolInvoker,
      recorder,
      admission,
      now,
      requestBytes: post.bytes,
      signal,
      notify: (notification) => exchange.notify(notification),
      ask: (request, withdrawn) => this.#questions.ask(request, withdrawn, (question) => exchange.tell(question)),
      onPause: (retryMs) => exchange.pause(retryMs),
      session: this.#controls(),
    };
  }

  #controls(): SessionControls {
    const { store } = this.#parts;
    return {
      setLogLevel: async (logLevel) => this.#keep({ ...this.#state, logLevel }),
      subscribe: async ({ name: upstream }, uri, shownUri) => {
        store.subscribe({ upstream, uri, shownUri });
        const outcome = await this.#listening.resubscribe();
        if (!outcome.ok) store.unsubscribe(upstream, uri);
        return outcome;
      },
      unsubscribe: async ({ name: upstream }, uri) => {
        store.unsubscribe(upstream, uri);
        await this.#listening.resubscribe();
      },
    };
  }

  #exchange(requests: readonly RpcRequest[], { body, prefersStream }: SessionPost): Exchange {
    const { transport, protocolVersion } = this.#state;
    const ids = requests.map(({ id }) => id);
    const shared = { isBatch: Array.isArray(body), prefersStream };
    if (transport === 'sse')
      return new Exchange({ ...shared, stream: () => this.#standalone, ownStream: false, pausable: false });
    return new Exchange({
      ...shared,
      stream: () => this.#beginStream(ids),
      ownStream: true,
      pausable: understandsEmptyEvents(protocolVersion),
    });
  }

  #beginStream(ids: readonly RpcId[]): EventStream {
    const name = newStreamName();
    this.#log.begin(name, ids);
    return this.#stream(name, 0);
  }

  #stream(name: string, position: number): EventStream {
    const { transport, sessionId, protocolVersion } = this.#state;
    const stream: EventStream = new EventStream({
      name,
      log: this.#log,
      idPrefix: transport === 'sse' ? `${sessionId}~` : '',
      primes: transport === 'streamable' && understandsEmptyEvents(protocolVersion),
      position,
      onChange: () => this.#follow(stream),
    });
    this.#streams.set(name, stream);
    return stream;
  }

  /** Makes ready for a reader. */
  async #admit(narrowing: Narrowing): Promise<boolean> {
    this.#activeAt = this.#parts.now();
    if ((await this.#parts.standing(this.#state, narrowing)) === undefined) return false;
    this.#narrowing = narrowing;
    this.#listening.listenBy(this.#ownUpstreams().links);
    return true;
  }

  #reopen(after: number, opening?: string): ReadableStream<Uint8Array> {
    // What it carried in an earlier life of this object.
    this.#log.open(this.#standalone.name);
    return this.#standalone.attach(after, opening);
  }

  #resume(lastEventId: string): SessionAnswer {
    const cursor = readEventId(lastEventId);
    if (cursor === undefined) return refused('unknown_event');
    if (cursor.stream === this.#standalone.name) return streamed(this.#reopen(cursor.seq));
    const live = this.#streams.get(cursor.stream);
    if (live !== undefined) return streamed(live.attach(cursor.seq));
    const open = this.#log.open(cursor.stream);
    if (open === undefined) return refused('unknown_event');
    const missed = this.#log.after(cursor.stream, cursor.seq);
    if (open.length === 0 && missed.length === 0) return { kind: 'over' };
    const stream = this.#stream(cursor.stream, Math.max(cursor.seq, this.#log.lastSeq(cursor.stream)));
    const events = stream.attach(cursor.seq);
    // Whoever worked on these is gone with an earlier life of this object.
    for (const id of open) stream.send(responseTo(id, rpcError(RPC.internalError, LOST)), id);
    stream.end();
    return streamed(events);
  }

  #askOn(stream: () => EventStream): Ask {
    return (request, withdrawn) => this.#questions.ask(request, withdrawn, (question) => stream().send(question));
  }

  #heed({ method, params }: RpcNotification): void {
    const { requestId: id, reason } = params ?? {};
    if (method === 'notifications/cancelled' && isRpcId(id)) this.#running.abort(id, cancellationReason(reason));
    else if (method === 'notifications/roots/list_changed') this.#upstreams?.links.rootsChanged();
  }

  #follow(stream: EventStream): void {
    this.#activeAt = this.#parts.now();
    if (stream === this.#standalone) this.#listening.follow();
    else if (stream.ended && !stream.attached) this.#streams.delete(stream.name);
    this.#keepBeating();
  }

  #keepBeating(): void {
    const attached = [...this.#streams.values()].filter((one) => one.attached);
    const listensOnly = attached.every((one) => one === this.#standalone);
    const ms = listensOnly ? HEARTBEAT_MS.listening : HEARTBEAT_MS.waiting;
    if (attached.length > 0 && this.#heartbeat?.ms === ms) return;
    if (this.#heartbeat !== undefined) clearInterval(this.#heartbeat.timer);
    this.#heartbeat = attached.length === 0 ? undefined : { ms, timer: setInterval(() => void this.#beat(), ms) };
  }

  async #beat(): Promise<void> {
    for (const stream of this.#streams.values()) stream.keepAlive();
    try {
      if ((await this.#parts.standing(this.#state, {})) !== undefined) return;
    } catch (fault) {
      log('error', 'session.unjudged', { fault: describeFault(fault) });
    }
    // A key that is no more, or nothing to judge it by.
    this.#running.abortAll('The client may not use this any more');
    this.#dismiss();
  }

  #dismiss(): void {
    for (const stream of this.#streams.values()) stream.release();
  }
}

function cancellationReason(given: unknown): string {
  return typeof given === 'string' ? given.slice(0, REASON_LENGTH) : 'The client cancelled the request';
}

function streamed(events: ReadableStream<Uint8Array>): SessionAnswer {
  return { kind: 'stream', events };
}

function refused(refusal: SessionRefusal): SessionAnswer {
  return { kind: 'refused', refusal };
}
