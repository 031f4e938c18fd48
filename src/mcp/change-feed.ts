// Tells one listening client what changes of that which it sees. An upstream's word that a list changed, and a look now
// and then for what nobody tells (grants, configuration, what probes found), lead to a comparison with what the client
// could see before; only a difference is told. What a key may no longer see it hears nothing of either.
import { describeFault, log as logEvent } from '../lib/log.ts';
import type { Upstream } from '../policy/snapshot.ts';
import { DISCOVERY_DEADLINE_MS } from './limits.ts';
import type { Ask, Listener, UpstreamLinks } from './links.ts';
import { PacedNotifications } from './paced-notifications.ts';
import type { UpstreamCallFailure, UpstreamViews } from './ports.ts';
import type { Spoken } from './protocol/message.ts';
import type { Scope } from './scope.ts';
import { isShuttingDown } from './shutdown.ts';
import { LIST_CHANGES } from './upstream/notifications.ts';
import { visibleDigests, type VisibleDigests } from './visible-digests.ts';

/** How long a change that no upstream tells of, and a revoked key, may go unnoticed. */
const TICK_MS = 3_000;
/** How many times within that it is asked whether the gateway is about to end. */
const BEATS = 3;
/** Feeds begun together do not look together: each look is this much sooner or later. */
const JITTER = 0.2;
/** An upstream that tells of changes without end is listed no more often than this. */
const REFRESH_INTERVAL_MS = 250;
/** How long upstreams are waited for before the client is told that it is listening. */
const OPENING_MS = 1_000;
const KINDS = ['tools', 'prompts', 'resources'] as const;

export type ListKind = (typeof KINDS)[number];

/** Upstream → a resource's URI there → the URI under which its updates are told. */
export type WatchedResources = ReadonlyMap<string, ReadonlyMap<string, string>>;

export interface ChangeFeedOptions {
  /** What the client may see now; undefined ends the feed. */
  readonly resolveScope: () => Promise<Scope | undefined>;
  readonly views: UpstreamViews;
  readonly links: UpstreamLinks;
  /** The lists whose changes are told. */
  readonly filter: Readonly<Record<ListKind, boolean>>;
  readonly uris?: WatchedResources;
  readonly emit: (notification: Spoken) => void;
  /** False while the client takes nothing more. */
  readonly ready?: () => boolean;
  /** Of legacy clients only. */
  readonly ask?: Ask;
  /** Log messages of legacy upstreams that belong to no request. */
  readonly log?: (notification: Spoken, upstream: string) => void;
  readonly now: () => number;
  readonly tickMs?: number;
  /** There is nothing to be seen any more: the key is gone, or the endpoint. Not called after `close`. */
  readonly onEnd: () => void;
}

export interface ChangeFeed {
  /** Resolves when no change goes unnoticed any more, as far as upstreams let themselves be listened to in time. */
  readonly started: Promise<void>;
  /** Replaces the resources of all upstreams. @returns the first upstream's refusal, where one refuses */
  resubscribe(uris: WatchedResources): Promise<UpstreamCallFailure | undefined>;
  close(): void;
}

/** Begins at once, with what is to be seen now as what the client knows. */
export function startChangeFeed(options: ChangeFeedOptions): ChangeFeed {
  return new RunningFeed(options);
}

interface Heard {
  readonly upstream: Upstream;
  readonly listener: Listener;
  /** When it was last listed because it said so. */
  refreshedAt: number;
  refreshing: boolean;
  /** It said so again meanwhile. */
  again: boolean;
}

class RunningFeed implements ChangeFeed {
  readonly started: Promise<void>;
  readonly #options: ChangeFeedOptions;
  readonly #paced: PacedNotifications;
  readonly #heard = new Map<string, Heard>();
  #uris: WatchedResources;
  #scope: Scope | undefined;
  #seen: VisibleDigests | undefined;
  #comparing = false;
  #compareAgain = false;
  #beats = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #closed = false;

  constructor(options: ChangeFeedOptions) {
    this.#options = options;
    this.#uris = options.uris ?? new Map();
    this.#paced = new PacedNotifications(options);
    const began = this.#beat().then(() => this.#opened());
    this.started = Promise.race([began, scheduler.wait(OPENING_MS)]);
  }

  async resubscribe(uris: WatchedResources): Promise<UpstreamCallFailure | undefined> {
    const before = this.#uris;
    this.#uris = uris;
    if (this.#scope !== undefined) this.#listenWithin(this.#scope);
    const refusals = await Promise.all(
      [...this.#heard].map(([name, { listener }]) => {
        const wanted = urisOf(uris, name);
        return wanted.join(' ') === urisOf(before, name).join(' ') ? undefined : listener.resubscribe(wanted);
      }),
    );
    return refusals.find((refusal) => refusal !== undefined);
  }

  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#paced.close();
    for (const { listener } of this.#heard.values()) listener.close();
    this.#heard.clear();
  }

  async #opened(): Promise<void> {
    await Promise.all(Array.from(this.#heard.values(), ({ listener }) => listener.opened));
  }

  async #beat(): Promise<void> {
    const { now, tickMs = TICK_MS } = this.#options;
    if (isShuttingDown(now())) return this.#end();
    if (this.#beats++ % BEATS === 0) await this.#look();
    if (this.#closed) return;
    const beatMs = (tickMs / BEATS) * (1 + JITTER * (2 * Math.random() - 1));
    this.#timer = setTimeout(() => void this.#beat(), beatMs);
  }

  async #look(): Promise<void> {
    try {
      const scope = await this.#options.resolveScope();
      if (this.#closed) return;
      if (scope === undefined) return this.#end();
      if (scope !== this.#scope) this.#listenWithin(scope);
      await this.#compare();
    } catch (fault) {
      // Without a configuration nobody may be told anything.
      logEvent('error', 'feed.failed', { fault: describeFault(fault) });
      this.#end();
    }
  }

  #end(): void {
    if (this.#closed) return;
    this.close();
    this.#options.onEnd();
  }

  #listenWithin(scope: Scope): void {
    this.#scope = scope;
    for (const [name, { upstream, listener }] of this.#heard) {
      if (scope.grants.get(name)?.upstream.fingerprint === upstream.fingerprint && this.#wants(name)) continue;
      listener.close();
      this.#heard.delete(name);
    }
    for (const [name, { upstream }] of scope.grants) {
      if (this.#wants(name) && !this.#heard.has(name)) this.#heard.set(name, this.#listen(upstream));
    }
  }

  #wants(upstream: string): boolean {
    const { filter, ask, log } = this.#options;
    const always = ask !== undefined || log !== undefined || KINDS.some((kind) => filter[kind]);
    return always || urisOf(this.#uris, upstream).length > 0;
  }

  #listen(upstream: Upstream): Heard {
    const { links, ask } = this.#options;
    const listener = links.listen(upstream, {
      uris: urisOf(this.#uris, upstream.name),
      onNotification: (notification) => {
        const heard = this.#heard.get(upstream.name);
        if (heard?.listener === listener) this.#hear(heard, notification);
      },
      ...(ask !== undefined && { ask }),
    });
    return { upstream, listener, refreshedAt: -Infinity, refreshing: false, again: false };
  }

  #hear(heard: Heard, notification: Spoken): void {
    const { ask, log, filter } = this.#options;
    switch (notification.method) {
      case 'notifications/tools/list_changed':
      case 'notifications/prompts/list_changed':
      case 'notifications/resources/list_changed':
        if (KINDS.some((kind) => filter[kind] && notification.method === LIST_CHANGES[kind])) void this.#refresh(heard);
        break;
      case 'notifications/resources/updated':
        this.#tellUpdate(heard.upstream.name, notification);
        break;
      case 'notifications/message':
        log?.(notification, heard.upstream.name);
        break;
      default:
        // Of the legacy eras: what was asked of a client is done with, a task went on.
        if (ask !== undefined) this.#paced.offer(notification);
    }
  }

  /** The update may be of a part of what was subscribed to (2025-11-25, resources, "Subscriptions"). */
  #tellUpdate(upstream: string, { method, params }: Spoken): void {
    const uri = params?.['uri'];
    if (typeof uri !== 'string') return;
    const watched = this.#uris.get(upstream);
    if (watched === undefined) return;
    const whole = watched.has(uri) ? uri : [...watched.keys()].find((prefix) => uri.startsWith(prefix));
    const shown = whole === undefined ? undefined : watched.get(whole);
    if (whole === undefined || shown === undefined) return;
    this.#paced.offer({ method, params: { ...params, uri: shown + uri.slice(whole.length) } });
  }

  /** One listing at a time; what was said during one leads to another, for it may not have seen it. */
  async #refresh(heard: Heard): Promise<void> {
    if (heard.refreshing) {
      heard.again = true;
      return;
    }
    const { views, now } = this.#options;
    heard.refreshing = true;
    try {
      do {
        const early = heard.refreshedAt + REFRESH_INTERVAL_MS - now();
        if (early > 0) await scheduler.wait(early);
        if (this.#closed || this.#heard.get(heard.upstream.name) !== heard) return;
        heard.refreshedAt = now();
        heard.again = false;
        await views.refresh(heard.upstream, DISCOVERY_DEADLINE_MS);
        await this.#compare();
      } while (heard.again);
    } catch (fault) {
      logEvent('error', 'feed.refresh_failed', { upstream: heard.upstream.name, fault: describeFault(fault) });
    } finally {
      heard.refreshing = false;
    }
  }

  async #compare(): Promise<void> {
    this.#compareAgain = true;
    if (this.#comparing) return;
    this.#comparing = true;
    try {
      while (this.#compareAgain && !this.#closed && this.#scope !== undefined) {
        this.#compareAgain = false;
        this.#tellDifference(await visibleDigests(this.#scope, this.#options.views));
      }
    } finally {
      this.#comparing = false;
    }
  }

  #tellDifference(seen: VisibleDigests): void {
    const before = this.#seen;
    this.#seen = seen;
    if (before === undefined || this.#closed) return;
    for (const kind of KINDS) {
      if (this.#options.filter[kind] && seen[kind] !== before[kind]) this.#paced.offer({ method: LIST_CHANGES[kind] });
    }
  }
}

function urisOf(uris: WatchedResources, upstream: string): string[] {
  return [...(uris.get(upstream)?.keys() ?? [])];
}
