// The upstreams of one client of 2026-07-28, for one request: modern servers are spoken to from here, legacy ones by way
// of the object that holds the principal's sessions.
import { canonicalJson } from '../../lib/canonical-json.ts';
import { sha256 } from '../../lib/sha256.ts';
import { err, ok, type Result } from '../../lib/result.ts';
import type { JsonObject } from '../../lib/json-value.ts';
import type { Upstream } from '../../policy/snapshot.ts';
import type { Face, Listener, Listening, LinkRequest, UpstreamLinks } from '../links.ts';
import type { Catalog, UpstreamCallFailure, UpstreamNetwork, UpstreamViews } from '../ports.ts';
import type { RpcAnswer } from '../protocol/message.ts';
import { AnsweredError } from './answered-error.ts';
import { forcedEra } from './connect.ts';
import { deferredListener } from './deferred-listener.ts';
import { explainFailure } from './explain-failure.ts';
import { ACQUAINTANCE_MS, requestModernServer } from './modern-link.ts';
import { listenModern } from './modern-listen.ts';
import { isListChange } from './notifications.ts';
import { callOpenApi } from './openapi-link.ts';
import { admitFace } from './principal-faces.ts';
import { PrincipalLists } from './principal-lists.ts';
import type { PrincipalSessions } from './principal-port.ts';
import { looksLegacy } from './refusal.ts';
import { listenRemotely, requestRemotely, type RemoteLinkOptions } from './remote-link.ts';
import { DEFAULT_TIMEOUT_MS, hasNews, type LinkLimits } from './session-links.ts';

/** Servers whose sessions are shared are told of no client in particular. */
const NOBODY: Face = { capabilities: {} };

export interface StatelessLinksOptions {
  readonly network: UpstreamNetwork;
  readonly views: UpstreamViews;
  readonly principalSessions: PrincipalSessions;
  /** Key id. */
  readonly principal: string;
  /** The client as its upstreams are to see it. */
  readonly face: Face;
  /** As configured now. */
  readonly limits: () => Promise<Pick<LinkLimits, 'maxResponseBytes'>>;
  readonly waitUntil: (work: Promise<unknown>) => void;
  readonly now: () => number;
}

export interface StatelessLinks extends UpstreamLinks {
  /** What this principal sees: of a legacy server whose lists changed in its own session, those. */
  readonly views: UpstreamViews;
}

export function createStatelessLinks(options: StatelessLinksOptions): StatelessLinks {
  return new LinksOfRequest(options);
}

/** The client's side of a session at a legacy server. */
interface Side {
  /** Of the object that has the session. */
  readonly name: string;
  readonly face: Face;
}

class LinksOfRequest implements StatelessLinks {
  readonly views: UpstreamViews;
  readonly #options: StatelessLinksOptions;
  readonly #lists: PrincipalLists;
  #ownSide: Promise<Side> | undefined;

  constructor(options: StatelessLinksOptions) {
    this.#options = options;
    const { principalSessions, now } = options;
    this.#lists = new PrincipalLists({
      nameOf: async (upstream) => (await this.#sideFor(upstream)).name,
      ask: async (name, upstream, have) =>
        principalSessions(name).ownLists(upstream, (await this.#sideFor(upstream)).face, have),
      now,
    });
    this.views = this.#lists.over(options.views);
  }

  async request(upstream: Upstream, request: LinkRequest): Promise<Result<JsonObject, UpstreamCallFailure>> {
    if (upstream.type === 'openapi') {
      const outcome = await callOpenApi(await this.#hop(), upstream, request);
      return outcome.ok ? ok({ resultType: 'complete', ...outcome.value }) : outcome;
    }
    const { catalog } = await this.#options.views.view(upstream, ACQUAINTANCE_MS);
    const forced = forcedEra(upstream);
    if ((forced ?? catalog?.era ?? 'modern') === 'legacy') {
      const { result, suggestsModern } = await this.#remote(upstream, request);
      return suggestsModern && forced === undefined ? this.#changedToModern(upstream, request, result) : result;
    }
    try {
      return read(await this.#modern(upstream, catalog, request), upstream);
    } catch (error) {
      if (forced !== undefined || !looksLegacy(error)) return err(explainFailure(error, upstream, 'call'));
      return this.#changedToLegacy(upstream, request, error);
    }
  }

  listen(upstream: Upstream, listening: Listening): Listener {
    return deferredListener(this.#listenInEra(upstream, listening));
  }

  async #modern(upstream: Upstream, catalog: Catalog | undefined, request: LinkRequest): Promise<RpcAnswer> {
    const timeoutMs = upstream.timeout ?? DEFAULT_TIMEOUT_MS;
    return requestModernServer(upstream, catalog, request, { ...(await this.#hop()), timeoutMs });
  }

  async #hop() {
    return { ...this.#options, ...(await this.#options.limits()) };
  }

  async #remote(upstream: Upstream, request: LinkRequest) {
    return requestRemotely(upstream, request, await this.#remoteOptions(upstream));
  }

  /** The server refused the old handshake; if it does not speak 2026-07-28 either, that refusal is what counts. */
  async #changedToModern(
    upstream: Upstream,
    request: LinkRequest,
    refusal: Result<JsonObject, UpstreamCallFailure>,
  ): Promise<Result<JsonObject, UpstreamCallFailure>> {
    try {
      const answer = await this.#modern(upstream, undefined, request);
      this.#discoverAgain(upstream);
      return read(answer, upstream);
    } catch (error) {
      return looksLegacy(error) ? refusal : err(explainFailure(error, upstream, 'call'));
    }
  }

  async #changedToLegacy(
    upstream: Upstream,
    request: LinkRequest,
    error: unknown,
  ): Promise<Result<JsonObject, UpstreamCallFailure>> {
    const { result } = await this.#remote(upstream, request);
    if (!result.ok && result.error.stage === 'initialize') return err(explainFailure(error, upstream, 'call'));
    this.#discoverAgain(upstream);
    return result;
  }

  #discoverAgain(upstream: Upstream): void {
    this.#options.waitUntil(this.#options.views.refresh(upstream, 0));
  }

  async #listenInEra(upstream: Upstream, listening: Listening): Promise<Listener> {
    const { catalog } = await this.#options.views.view(upstream, ACQUAINTANCE_MS);
    if (upstream.type === 'openapi') return { resubscribe: async () => undefined, close: () => {} };
    if ((forcedEra(upstream) ?? catalog?.era ?? 'modern') === 'modern') {
      return listenModern(upstream, listening, await this.#hop());
    }
    const onNotification: Listening['onNotification'] = (notification) => {
      if (!isListChange(notification.method)) return listening.onNotification(notification);
      // Whoever is told looks at once, and must not see what was.
      void this.#lists.changed(upstream).then(() => listening.onNotification(notification));
    };
    const options = await this.#remoteOptions(upstream);
    return listenRemotely(upstream, { ...listening, onNotification }, options, hasNews(catalog));
  }

  async #remoteOptions(upstream: Upstream): Promise<RemoteLinkOptions> {
    const { name, face } = await this.#sideFor(upstream);
    return {
      session: this.#options.principalSessions(name),
      face,
      waitUntil: this.#options.waitUntil,
      onOwnLists: () => this.#lists.changed(upstream),
    };
  }

  async #sideFor(upstream: Upstream): Promise<Side> {
    if (upstream.sessions === 'shared') return { name: JSON.stringify(['shared', upstream.name]), face: NOBODY };
    const { principal, face, now } = this.#options;
    this.#ownSide ??= sideOf(principal, face, now());
    return this.#ownSide;
  }
}

function read(answer: RpcAnswer, upstream: Upstream): Result<JsonObject, UpstreamCallFailure> {
  if ('error' in answer) return err(explainFailure(new AnsweredError(answer.error), upstream, 'call'));
  return ok('resultType' in answer.result ? answer.result : { resultType: 'complete', ...answer.result });
}

/** A server is told at the beginning of a session what its client can be asked: clients that differ in it need several. */
async function sideOf(principal: string, face: Face, now: number): Promise<Side> {
  const side = async (shown: Face): Promise<Side & { readonly digest: string }> => {
    const digest = await sha256(canonicalJson(shown.capabilities));
    return { digest, name: JSON.stringify(['principal', principal, digest]), face: shown };
  };
  const own = await side(face);
  return admitFace(principal, own.digest, now) ? own : side({ ...face, capabilities: {} });
}
