// A session of a legacy client over a store, upstreams and a dispatch held in memory, and a reader of its streams.
import { settingsDocument } from '../../../../src/config/document.ts';
import type { ClientRequest, ServeRequest } from '../../../../src/mcp/client-request.ts';
import type { Face, Listening } from '../../../../src/mcp/links.ts';
import { ClientSession } from '../../../../src/mcp/session/client-session.ts';
import type {
  SessionAnswer,
  SessionParts,
  SessionPost,
  SessionState,
  SessionStore,
  StoredEvent,
  StoredStream,
  Subscription,
} from '../../../../src/mcp/session/ports.ts';
import type { RpcAnswer } from '../../../../src/mcp/protocol/message.ts';
import type { VirtualKey } from '../../../../src/policy/snapshot.ts';
import { HEALTHY, scopeWith } from '../rig.ts';
import { NO_LIMITS } from '../../no-limits.ts';

export const NONCE = 'n'.repeat(22);
const SESSION_ID = `0.${NONCE}.mac`;

export type Script = (request: ClientRequest, params: Readonly<Record<string, unknown>>) => Promise<RpcAnswer>;

export interface RigOptions {
  /** By method. */
  readonly script?: Readonly<Record<string, Script>>;
  readonly face?: Face;
  readonly protocolVersion?: string;
  readonly transport?: SessionState['transport'];
}

export interface StoredSession extends SessionStore {
  readonly rows: StoredEvent[];
  readonly streams: Map<string, StoredStream>;
  /** How often it was written to. */
  writes: number;
}

export function memoryStore(options: RigOptions = {}): StoredSession {
  let state: SessionState = {
    nonce: NONCE,
    slot: 0,
    keyId: 'vk_1',
    transport: options.transport ?? 'streamable',
    sessionId: SESSION_ID,
    protocolVersion: options.protocolVersion ?? '2025-11-25',
    face: options.face ?? { capabilities: {} },
    standaloneStream: 'standalone_stream'.slice(0, 16),
    idleMs: 60_000,
  };
  let subscriptions: Subscription[] = [];
  const store: StoredSession = {
    rows: [],
    streams: new Map(),
    writes: 0,
    state: () => state,
    setState(next) {
      state = next;
      store.writes++;
    },
    subscriptions: () => subscriptions,
    subscribe: (subscription) => void (subscriptions = [...subscriptions, subscription]),
    unsubscribe(upstream, uri) {
      subscriptions = subscriptions.filter((one) => one.upstream !== upstream || one.uri !== uri);
    },
    events: {
      setStream(stream) {
        store.writes++;
        store.streams.set(stream.name, stream);
      },
      stream(name) {
        const events = store.rows.filter((row) => row.stream === name);
        const known = store.streams.get(name);
        return known === undefined && events.length === 0 ? undefined : { open: known?.open ?? [], events };
      },
      append(events) {
        store.writes++;
        store.rows.push(...events);
      },
    },
    upstreamSessions: { get: () => undefined, put: () => undefined, drop: () => undefined },
  };
  return store;
}

export interface Rig {
  readonly session: ClientSession;
  readonly store: StoredSession;
  readonly listenings: Listening[];
  readonly closed: string[];
  readonly rootsChanged: () => number;
  /** Takes the key away, or gives it back. */
  revoke(revoked: boolean): void;
  /** The same session after its object was ended without a word. */
  restarted(): Rig;
  post(body: unknown, more?: Partial<SessionPost>): Promise<SessionAnswer>;
  listen(lastEventId?: string): Promise<SessionAnswer>;
}

export function sessionRig(options: RigOptions = {}, store = memoryStore(options)): Rig {
  let revoked = false;
  let roots = 0;
  const listenings: Listening[] = [];
  const closed: string[] = [];
  const serve: ServeRequest = async (asked, { method, params = {} }) => {
    const script = options.script?.[method];
    return script === undefined ? { error: { code: -32601, message: 'Method not found' } } : script(asked, params);
  };
  const views = {
    view: async () => ({ health: HEALTHY }),
    refresh: async () => ({ health: HEALTHY }),
    relist: async () => ({ health: HEALTHY }),
    report: () => undefined,
  };
  const scope = scopeWith({ tools: { up: ['*'] } }, 'wire');
  const parts: SessionParts = {
    store,
    now: () => Date.now(),
    waitUntil: () => undefined,
    standing: async () =>
      revoked ? undefined : { scope, settings: settingsDocument.parse({}), virtualKey: {} as VirtualKey },
    admission: NO_LIMITS,
    recorder: { durable: async () => undefined, batched: () => undefined, settled: () => undefined },
    serve,
    upstreams: () => ({
      toolInvoker: { invoke: async () => ({ ok: true, value: { content: [] } }) },
      links: {
        views,
        request: async () => ({ ok: true, value: {} }),
        listen(_upstream, listening) {
          listenings.push(listening);
          return { resubscribe: async () => undefined, close: () => undefined };
        },
        rootsChanged: () => void roots++,
        close: async () => void closed.push('upstreams'),
      },
    }),
  };
  const session = new ClientSession(parts);
  const call = { nonce: NONCE, requestId: 'req_1', receivedAt: 0, narrowing: {} };
  return {
    session,
    store,
    listenings,
    closed,
    rootsChanged: () => roots,
    revoke: (value) => void (revoked = value),
    restarted: () => sessionRig(options, store),
    post: (body, more) => session.post({ ...call, body, bytes: 1, prefersStream: false, ...more }),
    listen: (lastEventId) =>
      session.listen({ nonce: NONCE, narrowing: {}, ...(lastEventId !== undefined && { lastEventId }) }),
  };
}

export function request(method: string, params?: object, id: string | number = 1): object {
  return { jsonrpc: '2.0', id, method, ...(params !== undefined && { params }) };
}

export interface SeenEvent {
  readonly id?: string;
  readonly retry?: number;
  readonly type?: string;
  /** Parsed; undefined for an event without data. */
  readonly message?: unknown;
}

/** Reads one stream, event by event. */
export class EventReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();
  #rest = '';

  constructor(answer: SessionAnswer) {
    if (answer.kind !== 'stream') throw new Error(`not a stream: ${JSON.stringify(answer)}`);
    this.#reader = answer.events.getReader();
  }

  /** The next that is no mere comment; undefined at the end. */
  async next(): Promise<SeenEvent | undefined> {
    for (;;) {
      const end = this.#rest.indexOf('\n\n');
      if (end !== -1) {
        const event = parseEvent(this.#rest.slice(0, end));
        this.#rest = this.#rest.slice(end + 2);
        if (event !== undefined) return event;
        continue;
      }
      const { value, done } = await this.#reader.read();
      if (done) return undefined;
      this.#rest += this.#decoder.decode(value, { stream: true });
    }
  }

  async all(): Promise<SeenEvent[]> {
    const events: SeenEvent[] = [];
    for (let event = await this.next(); event !== undefined; event = await this.next()) events.push(event);
    return events;
  }

  hangUp(): Promise<void> {
    return this.#reader.cancel();
  }
}

function parseEvent(text: string): SeenEvent | undefined {
  const fields = new Map(
    text
      .split('\n')
      .filter((line) => !line.startsWith(':'))
      .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
  );
  if (fields.size === 0) return undefined;
  const [id, retry, type, data] = ['id', 'retry', 'event', 'data'].map((name) => fields.get(name));
  return {
    ...(id !== undefined && { id }),
    ...(retry !== undefined && { retry: Number(retry) }),
    ...(type !== undefined && { type }),
    ...(data !== undefined && data !== '' && { message: data.startsWith('{') ? (JSON.parse(data) as unknown) : data }),
  };
}
