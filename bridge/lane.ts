// One connection to a stdio server: at most one process at a time, and what must be said to a new one when it takes the
// place of one that ended. A process speaks one era and, in the legacy one, had one handshake; clients of another need another.
import { Child } from './child.ts';
import type { ChildExit } from './child.ts';
import type { Definition } from './definition.ts';
import { isObject } from './json-rpc.ts';
import type { JsonObject, RpcNotification, RpcResponse } from './json-rpc.ts';
import type { Log } from './log.ts';
import { Relay } from './relay.ts';
import type { Cancel, RelayedRequest } from './relay.ts';
import type { Session } from './session.ts';
import type { StderrRing } from './stderr-ring.ts';
import type { Ready, Unavailable } from './unavailable.ts';

/** A first start may have to download the server's package. */
const INITIALIZE_TIMEOUT_MS = 120_000;

const PROBE_GRACE_MS = 100;

/**
 * The client of a process that serves many. Each of them may be there when it asks, so it is told that it can ask, and
 * refused where the one it means cannot answer. Roots are different: they say what a server may touch, and no client may
 * say that for the others.
 */
const EVERYBODY = {
  capabilities: { elicitation: { form: {}, url: {} }, sampling: {} },
  clientInfo: { name: 'sallyport', version: '1' },
};

/** `open` has had no handshake: it serves the modern era, or waits for a first `initialize`. */
export type LaneEra = 'open' | 'legacy';

export interface LaneOwner {
  readonly definition: Definition;
  readonly stderr: StderrRing;
  readonly log: Log;
  /** Takes the place of one more process, or says why there is none. */
  admit(): Promise<Unavailable | undefined>;
  started(lane: Lane, child: Child): void;
  /** The operating system refused to make a process after `admit`. */
  couldNotStart(error: unknown): void;
  exited(lane: Lane, exit: ChildExit, hadSpoken: boolean): void;
  /** Its process was taken out of service and is about to end. */
  retired(lane: Lane): void;
  /** Why nothing runs, after a process ended by itself. */
  unavailable(): Unavailable;
}

interface Handshake {
  readonly params: JsonObject;
  readonly answer: Promise<RpcResponse>;
  /** Whether the server was told that its client is initialized. */
  confirmed: boolean;
}

export class Lane {
  readonly #owner: LaneOwner;
  readonly sessions = new Set<Session>();
  era: LaneEra;
  /** In the legacy era, what the first client asked for. */
  protocolVersion: string | undefined;
  /** The running process once answered as only a modern server does. */
  provenModern = false;
  #running: { readonly child: Child; readonly relay: Relay } | undefined;
  #starting: Promise<Ready<Relay>> | undefined;
  #handshake: Handshake | undefined;
  #logLevel: JsonObject | undefined;
  #idleTimer: NodeJS.Timeout | undefined;
  /** A process that is on its way out; its successor waits for it. */
  #leaving: Promise<void> = Promise.resolve();

  constructor(owner: LaneOwner, era: LaneEra) {
    this.#owner = owner;
    this.era = era;
  }

  get child(): Child | undefined {
    return this.#running?.child;
  }

  get relay(): Relay | undefined {
    return this.#running?.relay;
  }

  /** The relay of a running process, which is started where none is. */
  ready(): Promise<Ready<Relay>> {
    if (this.#starting === undefined && this.#running !== undefined) {
      return Promise.resolve({ ok: true, value: this.#running.relay });
    }
    this.#starting ??= this.#start().finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  }

  /** Answers a client's `initialize`: the first is the server's to answer, the others share its answer. */
  async initialize(params: JsonObject): Promise<Ready<RpcResponse>> {
    const ready = await this.ready();
    if (!ready.ok) return ready;
    const shown = this.#owner.definition.isolation === 'shared' ? { ...params, ...EVERYBODY } : params;
    this.#handshake ??= { params: shown, answer: this.#shakeHands(ready.value, shown), confirmed: false };
    const handshake = this.#handshake;
    const response = await handshake.answer;
    if (response.error !== undefined && this.#handshake === handshake) this.#handshake = undefined;
    // It ended instead of answering: that is no word of the server's.
    if (response.error !== undefined && this.relay !== ready.value)
      return { ok: false, error: this.#owner.unavailable() };
    return { ok: true, value: response };
  }

  /** Relays a request of one of this lane's sessions, or of the modern era. */
  request(relay: Relay, relayed: RelayedRequest): Cancel {
    const { request, session, sink } = relayed;
    const { method, params } = request;
    const uri = params?.['uri'];
    if (method === 'logging/setLevel' && session !== undefined) {
      return relay.request({ ...relayed, onResponse: ({ error }) => void (error ?? (this.#logLevel = params)) });
    }
    if (session === undefined || typeof uri !== 'string') return relay.request(relayed);
    if (method === 'resources/subscribe') {
      return relay.request({ ...relayed, onResponse: ({ error }) => void (error ?? session.subscriptions.add(uri)) });
    }
    if (method === 'resources/unsubscribe') {
      session.subscriptions.delete(uri);
      if (this.#isSubscribed(uri)) {
        // The server knows one subscriber only, and another client is still one.
        sink.respond({ jsonrpc: '2.0', id: request.id, result: {} });
        return () => {};
      }
    }
    return relay.request(relayed);
  }

  notify(relay: Relay, notification: RpcNotification, session: Session | undefined): void {
    if (notification.method === 'notifications/initialized') {
      if (this.#handshake?.confirmed === false) {
        this.#handshake.confirmed = true;
        relay.notify(notification);
      }
    } else if (notification.method !== 'notifications/cancelled') {
      relay.notify(notification);
    } else if (session !== undefined) {
      // In the modern era over HTTP a request is cancelled by closing its response.
      relay.cancelled(notification, session);
    }
  }

  /** Forgets a client. */
  leave(session: Session): void {
    this.sessions.delete(session);
    this.relay?.leave(session);
    for (const stream of session.streams) stream.close();
    for (const uri of session.subscriptions) {
      if (!this.#isSubscribed(uri)) void this.relay?.call('resources/unsubscribe', { uri });
    }
  }

  /** Ends the process, if one runs or is about to; resolves when nothing of it is left. */
  async stop(reason: string): Promise<void> {
    if (this.#running === undefined) await this.#starting;
    await this.#retire(reason);
  }

  /** Takes the process out of service at once and ends it. */
  async #retire(reason: string): Promise<void> {
    const child = this.child;
    this.#running = undefined;
    clearTimeout(this.#idleTimer);
    if (child !== undefined) {
      this.#leaving = child.stop(reason, { wanted: true });
      this.#endOwnSessions();
      this.#owner.retired(this);
    }
    await this.#leaving;
  }

  /** Forgets all clients; what they have under way is answered when the process ends. */
  endSessions(): void {
    for (const session of this.sessions) for (const stream of session.streams) stream.close();
    this.sessions.clear();
  }

  /** A session with a process of its own ends with it: what the process knew is lost. */
  #endOwnSessions(): void {
    if (this.#owner.definition.isolation === 'session') this.endSessions();
  }

  #isSubscribed(uri: string): boolean {
    return [...this.sessions].some((session) => session.subscriptions.has(uri));
  }

  async #start(): Promise<Ready<Relay>> {
    await this.#leaving;
    const refusal = await this.#owner.admit();
    if (refusal !== undefined) return { ok: false, error: refusal };
    const relay = this.#spawn();
    if (relay === undefined) return { ok: false, error: this.#owner.unavailable() };
    if (this.#handshake === undefined) return { ok: true, value: relay };
    await this.#resume(relay, this.#handshake);
    return this.relay === relay ? { ok: true, value: relay } : { ok: false, error: this.#owner.unavailable() };
  }

  #spawn(): Relay | undefined {
    const { definition, stderr, log } = this.#owner;
    const relay = new Relay({ send: (message) => child.send(message), sessions: this.sessions, log });
    let child: Child;
    try {
      child = new Child({
        definition,
        stderr,
        log,
        onMessage: (message) => relay.receive(message),
        onExit: (exit) => this.#exited(relay, exit),
      });
    } catch (error) {
      this.#owner.couldNotStart(error);
      return undefined;
    }
    this.#running = { child, relay };
    this.provenModern = false;
    this.#reapWhenIdle(relay);
    this.#owner.started(this, child);
    return relay;
  }

  #exited(relay: Relay, exit: ChildExit): void {
    if (this.relay === relay) {
      clearTimeout(this.#idleTimer);
      this.#running = undefined;
    }
    this.#owner.exited(this, exit, relay.hasSpoken);
    const { code, stderrTail } = this.#owner.unavailable();
    relay.fail(`server ${exit.reason}`, { code, stderr_tail: stderrTail });
    this.#endOwnSessions();
  }

  async #shakeHands(relay: Relay, params: JsonObject): Promise<RpcResponse> {
    const child = this.child;
    const timer = setTimeout(() => {
      const reason = `did not answer initialize within ${INITIALIZE_TIMEOUT_MS / 1000} s`;
      void child?.stop(reason, { wanted: false, kill: true });
    }, INITIALIZE_TIMEOUT_MS);
    try {
      return await relay.call('initialize', params);
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Tells a new process what the last one knew of its clients, so that their sessions outlive it. Where it answers the
   * handshake otherwise, what the clients were told no longer holds, and they must begin anew.
   */
  async #resume(relay: Relay, handshake: Handshake): Promise<void> {
    const answer = this.#shakeHands(relay, handshake.params);
    const [before, now] = [await handshake.answer, await answer];
    if (this.relay !== relay) return;
    if (agreement(before) !== agreement(now)) {
      this.#handshake = now.error === undefined ? { params: handshake.params, answer, confirmed: false } : undefined;
      this.endSessions();
      return;
    }
    if (handshake.confirmed) relay.notify({ jsonrpc: '2.0', method: 'notifications/initialized' });
    if (this.#logLevel !== undefined) void relay.call('logging/setLevel', this.#logLevel);
    const uris = new Set(Array.from(this.sessions, (session) => Array.from(session.subscriptions)).flat());
    for (const uri of uris) void relay.call('resources/subscribe', { uri });
  }

  #reapWhenIdle(relay: Relay): void {
    const { idleTimeoutMs } = this.#owner.definition;
    const check = (): void => {
      const isInUse = relay.inUse > 0 || [...this.sessions].some((session) => session.streams.size > 0);
      const idleMs = isInUse ? 0 : Date.now() - relay.lastUsedAt;
      // A probe does not keep the process, and is not cut off in the middle either.
      if (idleMs >= idleTimeoutMs && relay.idle) void this.#retire('was idle');
      else this.#idleTimer = setTimeout(check, Math.max(PROBE_GRACE_MS, idleTimeoutMs - idleMs)).unref();
    };
    this.#idleTimer = setTimeout(check, idleTimeoutMs).unref();
  }
}

/** What a handshake settled between the two sides. */
function agreement({ result }: RpcResponse): string | undefined {
  return isObject(result) ? JSON.stringify([result['protocolVersion'], result['capabilities']]) : undefined;
}
