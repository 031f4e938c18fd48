// What a client is told that belongs to none of its requests, for as long as it keeps the session's own stream open.
import type { LoggingLevel } from '@modelcontextprotocol/server';
import { ok, type Result } from '../../lib/result.ts';
import { startChangeFeed, type ChangeFeed, type WatchedResources } from '../change-feed.ts';
import { attributed, isLogged } from '../hop.ts';
import type { Ask } from '../links.ts';
import type { UpstreamCallFailure } from '../ports.ts';
import type { Spoken } from '../protocol/message.ts';
import type { Scope } from '../scope.ts';
import type { SessionLinks } from '../upstream/session-links.ts';
import type { EventStream } from './event-stream.ts';
import type { SessionParts, Subscription } from './ports.ts';

/** A client that is sent away, or loses its way, is back before this; upstreams need not notice. */
const GRACE_MS = 15_000;
/** For what nobody tells of. A thousand idle sessions cost more by this than by all else. */
const LOOK_MS = 5_000;
const ALL_LISTS = { tools: true, prompts: true, resources: true };
export interface ListeningOptions {
  readonly parts: Pick<SessionParts, 'store' | 'now' | 'waitUntil'>;
  readonly stream: EventStream;
  readonly resolveScope: () => Promise<Scope | undefined>;
  /** Several servers speak to the client through this session. */
  readonly isShared: () => boolean;
  readonly logLevel: () => LoggingLevel;
  readonly ask: Ask;
  /** There is nothing left that the client may be told of. */
  readonly onEnd: () => void;
}

export class Listening {
  readonly #options: ListeningOptions;
  #feed: ChangeFeed | undefined;
  #links: SessionLinks | undefined;

  constructor(options: ListeningOptions) {
    this.#options = options;
  }

  /** To be called before the stream has a reader, and when the client became another. */
  listenBy(links: SessionLinks): void {
    if (links === this.#links) return;
    this.stop();
    this.#links = links;
    this.follow();
  }

  /** To be called when the stream got or lost its reader. */
  follow(): void {
    if (this.#options.stream.attached) this.#feed ??= this.#links && this.#start(this.#links);
    else if (this.#feed !== undefined) this.#options.parts.waitUntil(this.#stopUnlessBack());
  }

  async resubscribe(): Promise<Result<undefined, UpstreamCallFailure>> {
    const refusal = await this.#feed?.resubscribe(watched(this.#options.parts.store.subscriptions()));
    return refusal === undefined ? ok(undefined) : { ok: false, error: refusal };
  }

  stop(): void {
    this.#feed?.close();
    this.#feed = undefined;
  }

  #start(links: SessionLinks): ChangeFeed {
    const { parts, stream, resolveScope, isShared, logLevel, ask, onEnd } = this.#options;
    const tell = (notification: Spoken): void => stream.send({ jsonrpc: '2.0', ...notification });
    return startChangeFeed({
      resolveScope,
      views: links.views,
      links,
      filter: ALL_LISTS,
      uris: watched(parts.store.subscriptions()),
      emit: tell,
      ready: () => stream.ready,
      ask,
      log: (notification, upstream) => {
        if (isLogged(notification, logLevel())) tell(isShared() ? attributed(notification, upstream) : notification);
      },
      now: parts.now,
      tickMs: LOOK_MS,
      onEnd: () => {
        this.#feed = undefined;
        onEnd();
      },
    });
  }

  async #stopUnlessBack(): Promise<void> {
    await scheduler.wait(GRACE_MS);
    if (!this.#options.stream.attached) this.stop();
  }
}

function watched(subscriptions: readonly Subscription[]): WatchedResources {
  const uris = new Map<string, Map<string, string>>();
  for (const { upstream, uri, shownUri } of subscriptions) {
    const own = uris.get(upstream) ?? new Map<string, string>();
    uris.set(upstream, own.set(uri, shownUri));
  }
  return uris;
}
