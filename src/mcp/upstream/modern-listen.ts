// Hears what a server of 2026-07-28 says unasked: one `subscriptions/listen` at a time, begun again when it ends.
import { SUBSCRIPTION_ID_META_KEY } from '@modelcontextprotocol/client';
import { describeFault, log } from '../../lib/log.ts';
import { at, isObject, type JsonObject, listAt, textAt } from '../../lib/json-value.ts';
import type { Upstream } from '../../policy/snapshot.ts';
import type { Face, Listener, Listening } from '../links.ts';
import type { Catalog, UpstreamCallFailure, UpstreamNetwork, UpstreamViews } from '../ports.ts';
import { isNotification, isResponse } from '../protocol/message.ts';
import { AnsweredError } from './answered-error.ts';
import { MODERN_VERSION } from './connect.ts';
import { explainFailure } from './explain-failure.ts';
import { HttpLine } from './http-line.ts';
import { type Message, readMessages } from './message-stream.ts';
import { answerFor, envelope } from './modern-request.ts';
import { LIST_CHANGES, RESOURCE_UPDATED } from './notifications.ts';
import { pause } from './pause.ts';
import { ownId } from './request-message.ts';

const ACKNOWLEDGED = 'notifications/subscriptions/acknowledged';
const ACKNOWLEDGE_MS = 10_000;
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 60_000;
/** A subscription that lasted this long was a good one: the next attempt follows soon. */
const SUSTAINED_MS = 30_000;
/** How long the first attempt waits to learn what the server has to say. */
const ACQUAINTANCE_MS = 2_000;

export interface ModernListenOptions {
  readonly network: UpstreamNetwork;
  readonly views: UpstreamViews;
  readonly face: Face;
  readonly maxResponseBytes: number;
}

/** What the server is asked to tell of; its members are the protocol's. */
interface Filter {
  readonly toolsListChanged?: true;
  readonly promptsListChanged?: true;
  readonly resourcesListChanged?: true;
  readonly resourceSubscriptions?: readonly string[];
}

export function listenModern(upstream: Upstream, listening: Listening, options: ModernListenOptions): Listener {
  return new ModernListener(upstream, listening, options);
}

class ModernListener implements Listener {
  readonly #upstream: Upstream;
  readonly #listening: Listening;
  readonly #options: ModernListenOptions;
  readonly #closed = new AbortController();
  #uris: readonly string[];
  /** Of the attempt that runs. */
  #hangUp = new AbortController();
  /** Settles when the attempt that runs is acknowledged or has failed. */
  #outcome = Promise.withResolvers<UpstreamCallFailure | undefined>();
  readonly opened: Promise<void>;

  constructor(upstream: Upstream, listening: Listening, options: ModernListenOptions) {
    this.#upstream = upstream;
    this.#listening = listening;
    this.#options = options;
    this.#uris = listening.uris;
    this.opened = this.#outcome.promise.then(() => undefined);
    void this.#run();
  }

  async resubscribe(uris: readonly string[]): Promise<UpstreamCallFailure | undefined> {
    this.#uris = uris;
    this.#outcome = Promise.withResolvers();
    this.#hangUp.abort('resubscribe');
    return this.#outcome.promise;
  }

  close(): void {
    this.#closed.abort();
    this.#hangUp.abort();
    this.#outcome.resolve(undefined);
  }

  async #run(): Promise<void> {
    let failures = 0;
    while (!this.#closed.signal.aborted) {
      this.#hangUp = new AbortController();
      const { signal } = this.#hangUp;
      const startedAt = Date.now();
      const { catalog } = await this.#options.views.view(this.#upstream, ACQUAINTANCE_MS);
      const filter = filterOf(catalog, this.#uris);
      if (Object.keys(filter).length === 0) {
        this.#outcome.resolve(undefined);
        // What it has to say may change with its next discovery, and what is wanted with the next subscription.
        await pause(LAST_RETRY_MS, signal);
        continue;
      }
      await this.#attempt(filter, signal);
      if (signal.aborted) continue;
      failures = Date.now() - startedAt > SUSTAINED_MS ? 0 : failures + 1;
      await pause(Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.max(0, failures - 1)), signal);
    }
  }

  /** Ends with the subscription, however it ends. */
  async #attempt(filter: Filter, signal: AbortSignal): Promise<void> {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new DOMException('not acknowledged', 'TimeoutError')), ACKNOWLEDGE_MS);
    try {
      const hungUp = AbortSignal.any([signal, late.signal]);
      const subscription = this.#subscribe(filter, hungUp, () => {
        clearTimeout(timer);
        this.#outcome.resolve(undefined);
      });
      // A body that was being read may learn of it only with its next piece.
      await Promise.race([subscription, rejection(hungUp)]);
    } catch (error) {
      if (!signal.aborted) this.#fail(late.signal.aborted ? late.signal.reason : error);
    } finally {
      clearTimeout(timer);
    }
  }

  #fail(error: unknown): void {
    try {
      this.#outcome.resolve(explainFailure(error, this.#upstream, 'call'));
    } catch (fault) {
      log('error', 'listen.failed', { upstream: this.#upstream.name, fault: describeFault(fault) });
      this.#outcome.resolve(undefined);
    }
  }

  async #subscribe(filter: Filter, signal: AbortSignal, onAcknowledged: () => void): Promise<void> {
    const { network, face, maxResponseBytes: maxBytes } = this.#options;
    const id = ownId();
    const line = new HttpLine(network.endpoint(this.#upstream), { 'mcp-protocol-version': MODERN_VERSION });
    const params = { notifications: filter, _meta: envelope(face) };
    const request = { jsonrpc: '2.0', id, method: 'subscriptions/listen', params };
    const response = await line.post(request, signal, { 'mcp-method': request.method });
    let granted: Granted | undefined;
    const receive = (message: Message): 'more' | 'enough' => {
      const answer = isResponse(message) ? answerFor(message, id) : undefined;
      if (answer !== undefined && 'error' in answer) throw new AnsweredError(answer.error);
      if (answer !== undefined) return 'enough';
      if (!isNotification(message) || Number(at(message, 'params', '_meta', SUBSCRIPTION_ID_META_KEY)) !== id) {
        return 'more';
      }
      if (message.method === ACKNOWLEDGED) {
        granted = new Granted(message.params, filter);
        onAcknowledged();
      } else if (granted?.covers(message) === true) {
        this.#listening.onNotification(said(message));
      }
      return 'more';
    };
    await readMessages(response, { maxBytes, endless: true, receive });
  }
}

function rejection(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

/** What the server acknowledged of what it was asked for: it has nothing else to say. */
class Granted {
  readonly #methods: ReadonlySet<string>;
  readonly #uris: readonly string[];

  constructor(params: unknown, asked: Filter) {
    const granted = at(params, 'notifications');
    const methods = Object.entries(LIST_CHANGES).flatMap(([kind, method]) =>
      at(granted, `${kind}ListChanged`) === true && at(asked, `${kind}ListChanged`) === true ? [method] : [],
    );
    this.#methods = new Set<string>(methods);
    const wanted = new Set<unknown>(asked.resourceSubscriptions);
    this.#uris = listAt(granted, 'resourceSubscriptions').filter(
      (uri): uri is string => typeof uri === 'string' && wanted.has(uri),
    );
  }

  covers({ method, params }: { readonly method: string; readonly params?: JsonObject }): boolean {
    if (method !== RESOURCE_UPDATED) return this.#methods.has(method);
    const uri = textAt(params, 'uri');
    return uri !== undefined && this.#uris.some((granted) => uri.startsWith(granted));
  }
}

function filterOf(catalog: Catalog | undefined, uris: readonly string[]): Filter {
  const { tools, prompts, resources } = catalog?.capabilities ?? {};
  return {
    ...(tools?.listChanged === true && { toolsListChanged: true }),
    ...(prompts?.listChanged === true && { promptsListChanged: true }),
    ...(resources?.listChanged === true && { resourcesListChanged: true }),
    ...(uris.length > 0 && { resourceSubscriptions: uris }),
  };
}

/** Without the name of a subscription that is of this hop. */
function said({ method, params }: { readonly method: string; readonly params?: JsonObject }) {
  const meta = params?.['_meta'];
  if (params === undefined || !isObject(meta)) return { method, ...(params !== undefined && { params }) };
  const { [SUBSCRIPTION_ID_META_KEY]: _, ...rest } = meta;
  const { _meta, ...bare } = params;
  return { method, params: Object.keys(rest).length > 0 ? { ...bare, _meta: rest } : bare };
}
