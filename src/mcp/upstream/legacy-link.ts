// One owner's connection to one legacy server: its session, opened when first wanted and again when the server lost it.
import type { Upstream } from '../../policy/snapshot.ts';
import type { Ask, Face, Listener, Listening, LinkRequest } from '../links.ts';
import type { UpstreamNetwork } from '../ports.ts';
import type { RpcAnswer, Spoken } from '../protocol/message.ts';
import { faceTowards } from './face-towards.ts';
import { agreed, INITIALIZED, initializeOverHttp, initializeRequest } from './handshake.ts';
import { HandshakeError } from './handshake-error.ts';
import { HttpLine, sessionHeaders } from './http-line.ts';
import { httpWire } from './http-wire.ts';
import { LegacySession } from './legacy-session.ts';
import { isListChange } from './notifications.ts';
import { Patience } from './patience.ts';
import { PushStream } from './push-stream.ts';
import { isSessionLost } from './refusal.ts';
import type { KeptSession, SessionStore } from './session-store.ts';
import { openSseWire } from './sse-wire.ts';
import { type OpenSession, Subscribers } from './subscribers.ts';
import { streamEnd } from './transport.ts';
import type { Wire } from './wire.ts';

/** A connection that its server keeps for nobody is given up. */
const IDLE_CONNECTION_MS = 60_000;

export interface LegacyLinkOptions {
  readonly network: UpstreamNetwork;
  readonly store: SessionStore;
  readonly face: Face;
  /** Offered in the handshake. */
  readonly protocolVersion: string;
  readonly maxResponseBytes: number;
  /** Of a request, and of the handshake. */
  readonly timeoutMs: number;
  readonly waitUntil: (work: Promise<unknown>) => void;
  /** The server said so in this owner's session. */
  readonly onListChanged: () => void;
}

export class LegacyLink {
  readonly #upstream: Upstream;
  readonly #options: LegacyLinkOptions;
  readonly #subscribers: Subscribers;
  #open: OpenSession | undefined;
  #opening: Promise<OpenSession> | undefined;
  #idle: ReturnType<typeof setTimeout> | undefined;

  constructor(upstream: Upstream, options: LegacyLinkOptions) {
    this.#upstream = upstream;
    this.#options = { ...options, face: faceTowards(upstream, options.face) };
    this.#subscribers = new Subscribers(upstream, () => this.open());
  }

  /** @throws what `explainFailure` understands */
  async request(request: LinkRequest): Promise<RpcAnswer> {
    const deadline = Date.now() + this.#options.timeoutMs;
    const open = await this.#readyWithin(request.signal, deadline);
    try {
      return await this.#requestIn(open, request, deadline);
    } catch (error) {
      if (!isSessionLost(error)) throw error;
      this.#forget(open);
    }
    return this.#requestIn(await this.#readyWithin(request.signal, deadline), request, deadline);
  }

  /** @param isEager opens a session where none is; else what a session has to say is heard once there is one */
  listen(listening: Listening, isEager: boolean): Listener {
    return this.#subscribers.add(listening, isEager);
  }

  /** Whether it is of an older definition of this upstream. */
  isSuperseded({ name, fingerprint }: Upstream): boolean {
    return this.#upstream.name === name && this.#upstream.fingerprint !== fingerprint;
  }

  /** Whether a request is under way, or somebody listens. */
  get isInUse(): boolean {
    return this.#subscribers.size > 0 || this.#open?.session.busy === true;
  }

  /** Tells the server, if it was told that roots can change. */
  rootsChanged(): void {
    if (this.#options.face.capabilities.roots?.listChanged !== true || this.#open === undefined) return;
    const { wire } = this.#open.session;
    this.#options.waitUntil(wire.tell({ jsonrpc: '2.0', method: 'notifications/roots/list_changed' }));
  }

  /** Ends the session at the server, this object's own or one kept from before. */
  async close(): Promise<void> {
    this.#subscribers.close();
    const stored = this.#options.store.get(this.#upstream);
    const open = this.#open ?? (stored === undefined || stored.sessionId === '' ? undefined : this.#restore(stored));
    if (open === undefined) return;
    const { wire, known } = open.session;
    this.#forget(open);
    if (known.sessionId !== '' || this.#upstream.type === 'sse') await wire.end();
  }

  async #requestIn(open: OpenSession, request: LinkRequest, deadline: number): Promise<RpcAnswer> {
    const { session, push } = open;
    const timeoutMs = Math.max(1, deadline - Date.now());
    await this.#setLogLevel(session, request, timeoutMs);
    // What the server says on its own stream because of this request is lost where that stream is not open before it.
    const wantsPush = this.#subscribers.size > 0 || (request.ask !== undefined && this.#canBeAsked());
    const isHeld = wantsPush && session.known.sessionId !== '';
    if (isHeld) await push.hold();
    if (this.#idle !== undefined) clearTimeout(this.#idle);
    try {
      return await session.request(request, timeoutMs);
    } finally {
      if (isHeld) push.release();
      this.#endWhenIdle(open);
    }
  }

  #canBeAsked(): boolean {
    const { elicitation, sampling, roots } = this.#options.face.capabilities;
    return elicitation !== undefined || sampling !== undefined || roots !== undefined;
  }

  async #setLogLevel(session: LegacySession, { logLevel, signal }: LinkRequest, timeoutMs: number): Promise<void> {
    const { known } = session;
    if (logLevel === undefined || logLevel === known.logLevel || known.capabilities.logging === undefined) return;
    const request = { method: 'logging/setLevel', params: { level: logLevel }, signal, wantsProgress: false };
    const answer = await session.request(request, timeoutMs);
    // A server that refuses logs as it pleases; what is not wanted is dropped here.
    if ('error' in answer) return;
    this.#keep(session, { ...session.known, logLevel });
  }

  async #readyWithin(signal: AbortSignal, deadline: number): Promise<OpenSession> {
    if (this.#open !== undefined && !signal.aborted) return this.#open;
    const patience = new Patience(Math.max(1, deadline - Date.now()), signal);
    try {
      return await Promise.race([this.open(), patience.lost]);
    } finally {
      patience.stop();
    }
  }

  /**
   * The session, opened where there is none; those who want it at the same time share one handshake.
   * @throws HandshakeError
   */
  open(): Promise<OpenSession> {
    if (this.#open !== undefined) return Promise.resolve(this.#open);
    this.#opening ??= this.#begin().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #begin(): Promise<OpenSession> {
    const stored = this.#upstream.type === 'sse' ? undefined : this.#options.store.get(this.#upstream);
    try {
      this.#open = stored === undefined ? await this.#initialize() : this.#restore(stored);
    } catch (cause) {
      throw new HandshakeError(cause);
    }
    this.#subscribers.opened(this.#open);
    return this.#open;
  }

  #restore(known: KeptSession): OpenSession {
    const line = new HttpLine(this.#options.network.endpoint(this.#upstream), sessionHeaders(known));
    return this.#opened(httpWire(line, this.#options.maxResponseBytes), known);
  }

  async #initialize(): Promise<OpenSession> {
    const { network, face, protocolVersion, maxResponseBytes: maxBytes, timeoutMs, store } = this.#options;
    const endpoint = network.endpoint(this.#upstream);
    const request = initializeRequest(face, protocolVersion);
    if (this.#upstream.type === 'sse') return this.#initializeOverSse();
    const known = await initializeOverHttp(new HttpLine(endpoint, {}), request, { maxBytes, timeoutMs });
    const line = new HttpLine(endpoint, sessionHeaders(known));
    await line.tell(INITIALIZED);
    store.put(this.#upstream, known);
    return this.#opened(httpWire(line, maxBytes), known);
  }

  async #initializeOverSse(): Promise<OpenSession> {
    const { network, face, protocolVersion, maxResponseBytes: maxBytes, timeoutMs } = this.#options;
    const parts: { open?: OpenSession; ended?: { readonly error: unknown } } = {};
    const wire = await openSseWire(network.endpoint(this.#upstream), {
      maxBytes,
      timeoutMs,
      receive: (message) => parts.open?.session.receive(message),
      onEnd: (error) => {
        parts.ended = { error };
        parts.open?.session.fail(error);
        if (parts.open !== undefined) this.#forget(parts.open);
      },
    });
    const { method, params } = initializeRequest(face, protocolVersion);
    const open = this.#opened(wire, { sessionId: '', protocolVersion: '', capabilities: {} });
    parts.open = open;
    const { signal } = new AbortController();
    const answer = await open.session.request(
      { method, signal, wantsProgress: false, ...(params && { params }) },
      timeoutMs,
    );
    open.session.known = agreed(answer, '');
    await wire.tell(INITIALIZED);
    if (parts.ended !== undefined) throw parts.ended.error ?? streamEnd();
    return open;
  }

  #opened(wire: Wire, known: KeptSession): OpenSession {
    const { face, waitUntil } = this.#options;
    const session: LegacySession = new LegacySession(wire, {
      known,
      face,
      waitUntil,
      audience: {
        onUnasked: (notification) => this.#tell(session, notification),
        ask: (): Ask | undefined => this.#subscribers.ask(),
        isListening: () => this.#subscribers.size > 0,
      },
    });
    const open: OpenSession = { session, push: new PushStream(session, () => this.#forget(open)) };
    return open;
  }

  #tell(session: LegacySession, notification: Spoken): void {
    if (isListChange(notification.method)) {
      if (session.known.hasOwnLists !== true) this.#keep(session, { ...session.known, hasOwnLists: true });
      this.#options.onListChanged();
    }
    this.#subscribers.tell(notification);
  }

  #keep(session: LegacySession, known: KeptSession): void {
    session.known = known;
    if (this.#upstream.type !== 'sse') this.#options.store.put(this.#upstream, known);
  }

  #forget(open: OpenSession): void {
    open.push.stop();
    if (this.#open === open) this.#open = undefined;
    this.#options.store.drop(this.#upstream, open.session.known.sessionId);
    this.#subscribers.lost(open);
  }

  #endWhenIdle(open: OpenSession): void {
    if (this.#upstream.type !== 'sse') return;
    if (this.#idle !== undefined) clearTimeout(this.#idle);
    this.#idle = setTimeout(() => {
      if (open.session.busy || this.#subscribers.size > 0) return this.#endWhenIdle(open);
      this.#forget(open);
      this.#options.waitUntil(open.session.wire.end());
    }, IDLE_CONNECTION_MS);
  }
}
