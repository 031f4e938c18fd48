// Those who listen to one legacy server in one session: kept listening whatever happens to the session.
import { textAt } from '../../lib/json-value.ts';
import type { Upstream } from '../../policy/snapshot.ts';
import type { Ask, Listener, Listening } from '../links.ts';
import type { UpstreamCallFailure } from '../ports.ts';
import type { RpcAnswer, RpcError, Spoken } from '../protocol/message.ts';
import { AnsweredError } from './answered-error.ts';
import { explainFailure } from './explain-failure.ts';
import type { LegacySession } from './legacy-session.ts';
import { RESOURCE_UPDATED } from './notifications.ts';
import { pause } from './pause.ts';

const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 60_000;
const SUBSCRIBE_MS = 10_000;

interface Held {
  readonly session: LegacySession;
}

export interface SubscribersOptions<Open extends Held> {
  readonly upstream: Upstream;
  /** The open session, opened where there is none. */
  readonly session: () => Promise<Open>;
  /** Keeps its stream open. @returns what lets go of it */
  readonly hold: (open: Open) => () => void;
}

interface Subscriber {
  readonly listening: Listening;
  uris: readonly string[];
}

export class Subscribers<Open extends Held = Held> {
  readonly #options: SubscribersOptions<Open>;
  readonly #all = new Set<Subscriber>();
  readonly #subscribed = new WeakMap<LegacySession, Set<string>>();
  #current: Open | undefined;
  /** Aborts when the session is lost or nobody listens any more. */
  #turn = new AbortController();
  #isRunning = false;

  constructor(options: SubscribersOptions<Open>) {
    this.#options = options;
  }

  get size(): number {
    return this.#all.size;
  }

  /** Of whoever listens since the longest. */
  ask(): Ask | undefined {
    for (const { listening } of this.#all) if (listening.ask !== undefined) return listening.ask;
    return undefined;
  }

  add(listening: Listening): Listener {
    const subscriber: Subscriber = { listening, uris: listening.uris };
    this.#all.add(subscriber);
    if (!this.#isRunning) void this.#run();
    return {
      resubscribe: async (uris) => {
        subscriber.uris = uris;
        return this.#reconcileNow();
      },
      close: () => {
        this.#all.delete(subscriber);
        if (this.#current !== undefined) void this.#reconcile(this.#current).catch(() => undefined);
        if (this.#all.size === 0) this.#turn.abort();
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

  lost(open: Open): void {
    if (this.#current === open) this.#turn.abort();
  }

  close(): void {
    this.#all.clear();
    this.#turn.abort();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    let failures = 0;
    while (this.#all.size > 0) {
      this.#turn = new AbortController();
      const { signal } = this.#turn;
      let release: (() => void) | undefined;
      try {
        const open = await this.#options.session();
        release = this.#options.hold(open);
        this.#current = open;
        await this.#reconcile(open);
        failures = 0;
        await aborted(signal);
      } catch {
        // Whoever calls the server meets what is wrong with it; here it is only tried again.
        await pause(Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** failures), signal);
        failures += 1;
      }
      release?.();
      this.#current = undefined;
    }
    this.#isRunning = false;
  }

  async #reconcileNow(): Promise<UpstreamCallFailure | undefined> {
    const { upstream, session } = this.#options;
    try {
      const refusal = await this.#reconcile(await session());
      return refusal === undefined ? undefined : explainFailure(new AnsweredError(refusal), upstream, 'call');
    } catch (error) {
      return explainFailure(error, upstream, 'call');
    }
  }

  /** Makes the server's subscriptions those that somebody wants. @returns the first refusal */
  async #reconcile({ session }: Open): Promise<RpcError | undefined> {
    const wanted = new Set([...this.#all].flatMap(({ uris }) => uris));
    const subscribed = this.#subscribed.get(session) ?? new Set();
    this.#subscribed.set(session, subscribed);
    const ask = (method: string, uri: string): Promise<RpcAnswer> => {
      const signal = new AbortController().signal;
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
      const answer = await ask('resources/subscribe', uri);
      if (!('error' in answer)) continue;
      subscribed.delete(uri);
      refusal ??= answer.error;
    }
    return refusal;
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
