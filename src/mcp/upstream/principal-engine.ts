// What a `PrincipalSession` object does: the sessions of one principal at legacy servers, and its calls that wait.
import type { Upstream } from '../../policy/snapshot.ts';
import type { Face } from '../links.ts';
import type { UpstreamCallFailure, UpstreamNetwork } from '../ports.ts';
import type { RpcAnswer, Spoken } from '../protocol/message.ts';
import { explainFailure } from './explain-failure.ts';
import { HandshakeError } from './handshake-error.ts';
import { HeldCall } from './held-call.ts';
import { LegacyLink } from './legacy-link.ts';
import type { CatalogLimits } from './list-catalog.ts';
import { OwnLists } from './own-lists.ts';
import type {
  Hear,
  PrincipalListening,
  PrincipalOutcome,
  PrincipalRequest,
  PrincipalResumption,
  PrincipalSessionPort,
  PrincipalWork,
} from './principal-port.ts';
import { PrincipalListeners } from './principal-listeners.ts';
import { closeSuperseded, DEFAULT_TIMEOUT_MS } from './session-links.ts';
import type { SessionStore } from './session-store.ts';

/** The newest revision before 2026-07-28: whatever such a client knows, it knows by its own. */
const PROTOCOL_VERSION = '2025-11-25';
/** How long a call waits for what the user says. */
const HOLD_MS = 5 * 60_000;
/** Of one principal; each may have asked several things. */
const MOST_HELD = 32;
const OWN_LISTS_MS = 2_000;

export interface PrincipalEngineOptions {
  readonly network: UpstreamNetwork;
  readonly store: SessionStore;
  readonly maxResponseBytes: number;
  readonly catalogLimits: CatalogLimits;
  /** All that are configured, by name. */
  readonly upstreams: () => Promise<ReadonlyMap<string, Upstream>>;
  readonly waitUntil: (work: Promise<unknown>) => void;
  readonly now: () => number;
  readonly holdMs?: number;
}

type Settled =
  | { readonly kind: 'answer'; readonly answer: RpcAnswer }
  | { readonly kind: 'failed'; readonly failure: UpstreamCallFailure; readonly suggestsModern?: boolean };

interface Call {
  readonly held: HeldCall<Settled>;
  readonly upstream: Upstream;
  readonly method: string;
}

interface Held extends Call {
  readonly over: PromiseWithResolvers<void>;
  readonly expiry: ReturnType<typeof setTimeout>;
}

export class PrincipalEngine implements PrincipalWork {
  readonly #options: PrincipalEngineOptions;
  readonly #links = new Map<string, LegacyLink>();
  readonly #ownLists: OwnLists;
  readonly #listeners = new PrincipalListeners();
  /** Under way, by the id of the request that waits for it. */
  readonly #calls = new Map<string, Call>();
  /** Waiting for input, by handle. */
  readonly #held = new Map<string, Held>();
  /** Whether one of its servers has said that a list of it changed, by fingerprint. */
  readonly #changed = new Set<string>();
  #face: Face = { capabilities: {} };

  constructor(options: PrincipalEngineOptions) {
    this.#options = options;
    this.#ownLists = new OwnLists({
      store: options.store,
      limits: async () => options.catalogLimits,
      now: options.now,
      link: (upstream) => this.#link(upstream, this.#face),
    });
  }

  async request(request: PrincipalRequest, hear: Hear): Promise<PrincipalOutcome> {
    const { upstream, method } = request;
    const held = new HeldCall<Settled>();
    held.start((call) => this.#send(request, call));
    return this.#turn(request.callId, { held, upstream, method }, hear);
  }

  async resume(
    { callId, handle, upstream, method, responses }: PrincipalResumption,
    hear: Hear,
  ): Promise<PrincipalOutcome> {
    const call = this.#held.get(handle);
    if (call?.upstream.fingerprint !== upstream.fingerprint || call.method !== method) return { kind: 'gone' };
    this.#release(handle, call);
    call.held.answer(responses);
    return this.#turn(callId, call, hear);
  }

  async cancel(callId: string): Promise<void> {
    this.#calls.get(callId)?.held.cancel('The client cancelled the request');
  }

  async keepHeld(handle: string): Promise<void> {
    await this.#held.get(handle)?.over.promise;
  }

  async listen({ listenerId, upstream, face, uris, isEager }: PrincipalListening, hear: Hear): Promise<void> {
    const link = this.#link(upstream, face);
    await this.#listeners.add(listenerId, hear, (onNotification) => link.listen({ uris, onNotification }, isEager));
  }

  async resubscribe(listenerId: string, uris: readonly string[]): Promise<UpstreamCallFailure | undefined> {
    return this.#listeners.resubscribe(listenerId, uris);
  }

  async unlisten(listenerId: string): Promise<void> {
    this.#listeners.end(listenerId);
  }

  async ownLists(
    upstream: Upstream,
    face: Face,
    known: string | undefined,
  ): ReturnType<PrincipalSessionPort['ownLists']> {
    this.#link(upstream, face);
    const catalog = await this.#ownLists.catalog(upstream, OWN_LISTS_MS);
    if (catalog === undefined) return {};
    return catalog.fingerprint === known ? { unchanged: true } : { catalog };
  }

  async endSessions(names: readonly string[]): Promise<readonly string[]> {
    const upstreams = await this.#options.upstreams();
    const ended = names.map(async (name) => {
      const upstream = upstreams.get(name);
      if (upstream === undefined) return undefined;
      const link = this.#link(upstream, this.#face);
      if (link.isInUse) return name;
      this.#links.delete(upstream.fingerprint);
      await link.close();
      return undefined;
    });
    return (await Promise.all(ended)).filter((name) => name !== undefined);
  }

  async #send(request: PrincipalRequest, call: HeldCall<Settled>): Promise<Settled> {
    const { upstream, face, method, params, wantsProgress, logLevel } = request;
    try {
      const answer = await this.#link(upstream, face).request({
        method,
        signal: call.signal,
        wantsProgress,
        ...(params !== undefined && { params }),
        ...(logLevel !== undefined && { logLevel }),
        onNotification: (notification) => heedLogLevel(call, notification, logLevel !== undefined),
        ask: (question, withdrawn) => call.ask(question, withdrawn),
      });
      return { kind: 'answer', answer };
    } catch (error) {
      if (!(error instanceof HandshakeError))
        return { kind: 'failed', failure: explainFailure(error, upstream, 'call') };
      const failure = explainFailure(error.cause, upstream, 'initialize');
      return { kind: 'failed', failure, suggestsModern: error.suggestsModern };
    }
  }

  async #turn(callId: string, call: Call, hear: Hear): Promise<PrincipalOutcome> {
    const { held, upstream } = call;
    this.#calls.set(callId, call);
    try {
      const turn = await held.turn(hear);
      const own = this.#hasOwnLists(upstream) ? ({ hasOwnLists: true } as const) : {};
      if (turn.kind === 'settled') return { ...turn.value, ...own };
      return { kind: 'asks', handle: this.#hold(call), questions: turn.questions, ...own };
    } finally {
      this.#calls.delete(callId);
    }
  }

  #hold({ held, upstream, method }: Call): string {
    const [oldest] = this.#held;
    if (this.#held.size >= MOST_HELD && oldest !== undefined) this.#expire(...oldest);
    const handle = crypto.randomUUID();
    const expiry = setTimeout(() => this.#expire(handle, call), this.#options.holdMs ?? HOLD_MS);
    const call: Held = { held, upstream, method, over: Promise.withResolvers(), expiry };
    this.#held.set(handle, call);
    return handle;
  }

  #expire(handle: string, call: Held): void {
    this.#release(handle, call);
    call.held.cancel('The input that the request waited for did not come in time');
  }

  #release(handle: string, { expiry, over }: Held): void {
    clearTimeout(expiry);
    this.#held.delete(handle);
    over.resolve();
  }

  #hasOwnLists({ fingerprint }: Upstream): boolean {
    return this.#changed.has(fingerprint);
  }

  #link(upstream: Upstream, face: Face): LegacyLink {
    // All that use this object can be asked the same; how they call themselves may differ.
    this.#face = face;
    const { fingerprint } = upstream;
    const known = this.#links.get(fingerprint);
    if (known !== undefined) return known;
    closeSuperseded(this.#links, upstream, this.#options.waitUntil);
    const { store } = this.#options;
    if (store.get(upstream)?.hasOwnLists === true) this.#changed.add(fingerprint);
    const link = new LegacyLink(upstream, {
      ...this.#options,
      face,
      protocolVersion: PROTOCOL_VERSION,
      timeoutMs: upstream.timeout ?? DEFAULT_TIMEOUT_MS,
      onListChanged: () => {
        this.#changed.add(fingerprint);
        this.#ownLists.changed(upstream);
      },
    });
    this.#links.set(fingerprint, link);
    return link;
  }
}

/** A client of 2026-07-28 that names no level wants no log messages. */
function heedLogLevel(call: HeldCall<Settled>, notification: Spoken, wantsLogs: boolean): void {
  if (notification.method !== 'notifications/message' || wantsLogs) call.hear(notification);
}
