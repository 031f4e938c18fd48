// Those who listen to one legacy server in one session: kept listening whatever happens to the session.
import { textAt } from '../../lib/json-value.ts';
import type { Upstream } from '../../policy/snapshot.ts';
import type { Ask, Listener, Listening } from '../links.ts';
import type { UpstreamCallFailure } from '../ports.ts';
import type { RpcAnswer, RpcError, Spoken } from '../protocol/message.ts';
import { AnsweredError } from './answered-error.ts';
import { explainFailure } from './explain-failure.ts';
import { HandshakeError } from './handshake-error.ts';
import type { LegacySession } from './legacy-session.ts';
import { RESOURCE_UPDATED } from './notifications.ts';
import { pause } from './pause.ts';
import type { PushStream } from './push-stream.ts';

const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 60_000;
const SUBSCRIBE_MS = 10_000;

export interface OpenSession {
  readonly session: LegacySession;
  readonly push: PushStream;
}

interface Subscriber {
  readonly listening: Listening;
  /** Wants a session opened for its sake alone. */
  readonly isEager: boolean;
  uris: readonly string[];
}

export class Subscribers {
  readonly #upstream: Upstream;
  readonly #open: () => Promise<OpenSession>;
  readonly #all = new Set<Subscriber>();
  readonly #subscribed = new WeakMap<LegacySession, Set<string>>();
  #current: OpenSession | undefined;
  #isHeld = false;
  #holding: Promise<void> | undefined;
  #reconciling: Promise<unknown> | undefined;
  #seeking: AbortController | undefined;

  /** @param open the session, opened where there is none */
  constructor(upstream: Upstream, open: () => Promise<OpenSession>) {
    this.#upstream = upstream;
    this.#open = open;
  }

  get size(): number {
    return this.#all.size;
  }

  /** Of whoever listens since the longest. */
  ask(): Ask | undefined {
    for (const { listening } of this.#all) if (listening.ask !== undefined) return listening.ask;
    return undefined;
  }

  add(listening: Listening, isEager: boolean): Listener {
    const subscriber: Subscriber = { listening, isEager, uris: listening.uris };
    this.#all.add(subscriber);
    this.#settle();
    return {
      opened: this.#heard(),
      resubscribe: async (uris) => {
        subscriber.uris = uris;
        return this.#reconcileNow();
      },
      close: () => {
        this.#all.delete(subscriber);
        this.#settle();
      },
    };
  }

  tell(notification: Spoken): void {
    const uri = notification.method === RESOURCE_UPDATED ? textAt(notification.params, 'uri') : undefined;
    for (const { listening, uris } of this.#all) {
      // A server may name a part of what was subscribed to.
      if (uri === undefined || uris.some((wanted) => uri.startsWith(wanted))) listening.onNotification(notification);
    }
  }

  opened(open: OpenSession): void {
    this.#current = open;
    this.#isHeld = false;
    this.#settle();
  }

  lost(open: OpenSession): void {
    if (this.#current !== open) return;
    this.#current = undefined;
    this.#settle();
  }

  close(): void {
    this.#all.clear();
    this.#settle();
  }

  /** Makes of the session what those who listen now need. */
  #settle(): void {
    if (!this.#wantsSession()) this.#seeking?.abort();
    const current = this.#current;
    if (current === undefined) {
      if (this.#wantsSession() && this.#seeking === undefined) void this.#seek();
      return;
    }
    if (this.#isHeld !== this.#all.size > 0) {
      this.#isHeld = !this.#isHeld;
      if (this.#isHeld) this.#holding = current.push.hold();
      else current.push.release();
    }
    // A session that fails is noticed by whoever uses it.
    this.#reconciling = this.#reconcile(current).catch(() => undefined);
  }

  /** Where a session is open or wanted. */
  async #heard(): Promise<void> {
    if (this.#current === undefined && !this.#wantsSession()) return;
    try {
      await this.#open();
      await Promise.all([this.#holding, this.#reconciling]);
    } catch {
      // It is tried again, by whoever seeks a session.
    }
  }

  #wantsSession(): boolean {
    return [...this.#all].some(({ isEager, uris }) => isEager || uris.length > 0);
  }

  async #seek(): Promise<void> {
    const seeking = new AbortController();
    this.#seeking = seeking;
    for (let failures = 0; this.#current === undefined && !seeking.signal.aborted; failures++) {
      try {
        await this.#open();
      } catch {
        // Whoever calls the server meets what is wrong with it; here it is only tried again.
        await pause(Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** failures), seeking.signal);
      }
    }
    this.#seeking = undefined;
    if (seeking.signal.aborted) this.#settle();
  }

  async #reconcileNow(): Promise<UpstreamCallFailure | undefined> {
    try {
      const refusal = await this.#reconcile(await this.#open());
      return refusal === undefined ? undefined : explainFailure(new AnsweredError(refusal), this.#upstream, 'call');
    } catch (error) {
      const isHandshake = error instanceof HandshakeError;
      return explainFailure(isHandshake ? error.cause : error, this.#upstream, isHandshake ? 'initialize' : 'call');
    }
  }

  /** Makes the server's subscriptions those that somebody wants. @returns the first refusal */
  async #reconcile({ session }: OpenSession): Promise<RpcError | undefined> {
    const wanted = new Set([...this.#all].flatMap(({ uris }) => uris));
    const subscribed = this.#subscribed.get(session) ?? new Set();
    this.#subscribed.set(session, subscribed);
    const ask = (method: string, uri: string): Promise<RpcAnswer> => {
      const { signal } = new AbortController();
      return session.request({ method, params: { uri }, signal, wantsProgress: false }, SUBSCRIBE_MS);
    };
    for (const uri of subscribed) {
      if (wanted.has(uri)) continue;
      subscribed.delete(uri);
      await ask('resources/unsubscribe', uri);
    }
    let refusal: RpcError | undefined;
    for (const uri of wanted) {
      if (subscribed.has(uri)) continue;
      subscribed.add(uri);
      const answer = await ask('resources/subscribe', uri).catch((error: unknown) => {
        subscribed.delete(uri);
        throw error;
      });
      if (!('error' in answer)) continue;
      subscribed.delete(uri);
      refusal ??= answer.error;
    }
    return refusal;
  }
}
