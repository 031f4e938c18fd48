// The upstreams of one legacy client, in sessions of its own. Lives in the object of the client's session, where what
// one request opened another may use.
import { err, ok, type Result } from '../../lib/result.ts';
import type { JsonObject } from '../../lib/json-value.ts';
import type { Upstream } from '../../policy/snapshot.ts';
import type { Era, Face, Listener, Listening, LinkRequest, UpstreamLinks } from '../links.ts';
import type { Catalog, UpstreamCallFailure, UpstreamNetwork, UpstreamViews } from '../ports.ts';
import type { RpcAnswer } from '../protocol/message.ts';
import { AnsweredError } from './answered-error.ts';
import { forcedEra } from './connect.ts';
import { deferredListener } from './deferred-listener.ts';
import { forgetVerdict, noteLegacyRefused, refusedLegacy } from './era-verdicts.ts';
import { explainFailure } from './explain-failure.ts';
import { HandshakeError } from './handshake-error.ts';
import { fulfil, legacyResult } from './input-fulfilment.ts';
import { LegacyLink } from './legacy-link.ts';
import { ACQUAINTANCE_MS, requestModernServer } from './modern-link.ts';
import { listenModern } from './modern-listen.ts';
import { callOpenApi } from './openapi-link.ts';
import type { CatalogLimits } from './list-catalog.ts';
import { OwnLists } from './own-lists.ts';
import { looksLegacy } from './refusal.ts';
import type { SessionStore } from './session-store.ts';
import { toLegacyError } from './translated-answer.ts';

export const DEFAULT_TIMEOUT_MS = 60_000;

export interface LinkLimits {
  readonly maxResponseBytes: number;
  readonly catalog: CatalogLimits;
}

export interface SessionLinksOptions {
  readonly network: UpstreamNetwork;
  readonly views: UpstreamViews;
  readonly store: SessionStore;
  /** The client as its upstreams are to see it. */
  readonly face: Face;
  /** The client's own. */
  readonly protocolVersion: string;
  /** As configured now. */
  readonly limits: () => Promise<LinkLimits>;
  readonly waitUntil: (work: Promise<unknown>) => void;
  readonly now: () => number;
  /** All that are configured: a session kept from before a restart is ended at whichever it is. */
  readonly upstreams: () => Promise<Iterable<Upstream>>;
  /** For servers whose sessions are `shared`. */
  readonly shared: UpstreamLinks;
}

export interface SessionLinks extends UpstreamLinks {
  /** What this client sees: of a server whose lists changed in its own session, those. */
  readonly views: UpstreamViews;
  rootsChanged(): void;
  /** Ends every session at the upstreams, those of before a restart too. */
  close(): Promise<void>;
}

export function createSessionLinks(options: SessionLinksOptions): SessionLinks {
  return new LinksOfSession(options);
}

class LinksOfSession implements SessionLinks {
  readonly views: UpstreamViews;
  readonly #options: SessionLinksOptions;
  readonly #ownLists: OwnLists;
  readonly #links = new Map<string, LegacyLink>();

  constructor(options: SessionLinksOptions) {
    this.#options = options;
    this.#ownLists = new OwnLists({
      store: options.store,
      limits: async () => (await options.limits()).catalog,
      now: options.now,
      link: (upstream) => this.#legacy(upstream),
    });
    this.views = this.#ownLists.over(options.views);
  }

  async request(upstream: Upstream, request: LinkRequest): Promise<Result<JsonObject, UpstreamCallFailure>> {
    if (upstream.type === 'openapi')
      return callOpenApi({ ...this.#options, ...(await this.#options.limits()) }, upstream, request);
    try {
      const { catalog } = await this.#options.views.view(upstream, ACQUAINTANCE_MS);
      if (isShared(upstream, catalog)) return await this.#requestShared(upstream, request);
      const answer = await this.#answer(upstream, catalog, request);
      if (!('error' in answer)) return ok(answer.result);
      return err(explainFailure(new AnsweredError(answer.error), upstream, 'call'));
    } catch (error) {
      if (!(error instanceof HandshakeError)) return err(explainFailure(error, upstream, 'call'));
      return err(explainFailure(error.cause, upstream, 'initialize'));
    }
  }

  listen(upstream: Upstream, listening: Listening): Listener {
    return deferredListener(this.#listenInEra(upstream, listening));
  }

  rootsChanged(): void {
    for (const link of this.#links.values()) link.rootsChanged();
  }

  async close(): Promise<void> {
    const { upstreams, store } = this.#options;
    for (const upstream of await upstreams()) if (store.get(upstream) !== undefined) await this.#legacy(upstream);
    await Promise.all(Array.from(this.#links.values(), (link) => link.close()));
    this.#links.clear();
  }

  async #requestShared(upstream: Upstream, request: LinkRequest): Promise<Result<JsonObject, UpstreamCallFailure>> {
    const { ask: _, ...alone } = request;
    const outcome = await this.#options.shared.request(upstream, alone);
    return outcome.ok ? ok(legacyResult(outcome.value)) : outcome;
  }

  async #answer(upstream: Upstream, catalog: Catalog | undefined, request: LinkRequest): Promise<RpcAnswer> {
    const forced = forcedEra(upstream);
    const era = forced ?? this.#eraOf(upstream, catalog);
    if (era === 'legacy') {
      try {
        return await (await this.#legacy(upstream)).request(request);
      } catch (error) {
        if (forced !== undefined || !(error instanceof HandshakeError) || !error.suggestsModern) throw error;
        return this.#modernAfter(error, upstream, catalog, request);
      }
    }
    try {
      return await this.#modern(upstream, catalog, request);
    } catch (error) {
      if (forced !== undefined || !looksLegacy(error)) throw error;
      return this.#legacyAfter(error, upstream, request);
    }
  }

  /** A server that does not understand a modern request may have left the modern era; else that is what counts. */
  async #legacyAfter(error: unknown, upstream: Upstream, request: LinkRequest): Promise<RpcAnswer> {
    try {
      const answer = await (await this.#legacy(upstream)).request(request);
      forgetVerdict(upstream.fingerprint);
      this.#options.waitUntil(this.#options.views.refresh(upstream, 0));
      return answer;
    } catch (refusal) {
      throw refusal instanceof HandshakeError ? error : refusal;
    }
  }

  /** A server that refuses the handshake may have left the legacy era; if it has not, that refusal is what counts. */
  async #modernAfter(
    refusal: HandshakeError,
    upstream: Upstream,
    catalog: Catalog | undefined,
    request: LinkRequest,
  ): Promise<RpcAnswer> {
    try {
      const answer = await this.#modern(upstream, catalog, request);
      noteLegacyRefused(upstream.fingerprint, this.#options.now());
      return answer;
    } catch (error) {
      throw looksLegacy(error) ? refusal : error;
    }
  }

  async #modern(upstream: Upstream, catalog: Catalog | undefined, request: LinkRequest): Promise<RpcAnswer> {
    const { maxResponseBytes } = await this.#options.limits();
    const hop = { ...this.#options, maxResponseBytes, timeoutMs: upstream.timeout ?? DEFAULT_TIMEOUT_MS };
    const answer = await fulfil({
      ask: request.ask,
      signal: request.signal,
      send: (more) =>
        requestModernServer(upstream, catalog, { ...request, params: { ...request.params, ...more } }, hop),
    });
    return 'error' in answer ? { error: toLegacyError(answer.error, request) } : answer;
  }

  /** The client's own, wherever the server speaks it. */
  #eraOf({ fingerprint, sessions }: Upstream, catalog: Catalog | undefined): Era {
    // A session that is everybody's is of no use to this client.
    if (sessions === 'shared' && catalog?.era === 'modern') return 'modern';
    return catalog?.era === 'modern' && refusedLegacy(fingerprint, this.#options.now()) ? 'modern' : 'legacy';
  }

  async #legacy(upstream: Upstream): Promise<LegacyLink> {
    const { maxResponseBytes } = await this.#options.limits();
    const known = this.#links.get(upstream.fingerprint);
    if (known !== undefined) return known;
    closeSuperseded(this.#links, upstream, this.#options.waitUntil);
    const link = new LegacyLink(upstream, {
      ...this.#options,
      maxResponseBytes,
      timeoutMs: upstream.timeout ?? DEFAULT_TIMEOUT_MS,
      onListChanged: () => this.#ownLists.changed(upstream),
    });
    this.#links.set(upstream.fingerprint, link);
    return link;
  }

  async #listenInEra(upstream: Upstream, listening: Listening): Promise<Listener> {
    const { views, now, limits } = this.#options;
    const { maxResponseBytes } = await limits();
    const { catalog } = await views.view(upstream, ACQUAINTANCE_MS);
    const forced = forcedEra(upstream);
    const era = forced ?? this.#eraOf(upstream, catalog);
    if (upstream.type === 'openapi') return { resubscribe: async () => undefined, close: () => {} };
    if (isShared(upstream, catalog)) return this.#options.shared.listen(upstream, listening);
    if (era === 'modern') return listenModern(upstream, listening, { ...this.#options, maxResponseBytes });
    const link = await this.#legacy(upstream);
    const isEager = hasNews(catalog);
    if (forced === undefined && catalog?.era === 'modern' && (isEager || listening.uris.length > 0)) {
      const refusal = await link.open().then(
        () => undefined,
        (error: unknown) => error,
      );
      if (refusal instanceof HandshakeError && refusal.suggestsModern) {
        noteLegacyRefused(upstream.fingerprint, now());
        return listenModern(upstream, listening, { ...this.#options, maxResponseBytes });
      }
    }
    return link.listen(listening, isEager);
  }
}

/** The sessions of a definition that is no more are ended. */
export function closeSuperseded(
  links: Map<string, LegacyLink>,
  upstream: Upstream,
  waitUntil: (work: Promise<unknown>) => void,
): void {
  for (const [fingerprint, link] of links) {
    if (!link.isSuperseded(upstream)) continue;
    links.delete(fingerprint);
    waitUntil(link.close());
  }
}

/** Whether this server's sessions are one, and it is spoken to in one. */
function isShared(upstream: Upstream, catalog: Catalog | undefined): boolean {
  return upstream.sessions === 'shared' && (forcedEra(upstream) ?? catalog?.era ?? 'legacy') === 'legacy';
}

/** Whether the server may say something unasked that concerns every client. */
export function hasNews(catalog: Catalog | undefined): boolean {
  const { tools, prompts, resources } = catalog?.capabilities ?? {};
  return tools?.listChanged === true || prompts?.listChanged === true || resources?.listChanged === true;
}
