// A legacy client's links and a scripted upstream at the end of them.
import type { JsonObject } from '../../../../src/lib/json-value.ts';
import type { Face, LinkRequest, UpstreamLinks } from '../../../../src/mcp/links.ts';
import type { Catalog, UpstreamNetwork } from '../../../../src/mcp/ports.ts';
import type { Spoken } from '../../../../src/mcp/protocol/message.ts';
import { createSessionLinks, type SessionLinks } from '../../../../src/mcp/upstream/session-links.ts';
import type { KeptSession } from '../../../../src/mcp/upstream/session-store.ts';
import { fixedViews, httpUpstream, MAX_RESPONSE_BYTES, memoryStore } from './rig.ts';

export const ASKABLE: Face = {
  info: { name: 'client', version: '1' },
  capabilities: { elicitation: { form: {}, url: {} }, sampling: {}, roots: { listChanged: true } },
};
export const UPSTREAM = httpUpstream('http://upstream.test/mcp');
export const catalog = (more: Partial<Catalog> = {}): Catalog => ({
  fingerprint: 'c1',
  tools: [],
  era: 'legacy',
  capabilities: {},
  at: 0,
  ...more,
});

export interface Rigged {
  readonly links: SessionLinks;
  readonly held: Map<string, KeptSession>;
  idle(): Promise<void>;
}

export function sessionRig(
  reach: UpstreamNetwork,
  more: { readonly catalog?: Catalog; readonly face?: Face; readonly held?: Map<string, KeptSession> } = {},
): Rigged {
  const held = more.held ?? new Map<string, KeptSession>();
  const after: Promise<unknown>[] = [];
  const shared: UpstreamLinks = {
    request: async () => Promise.reject(new Error('not shared')),
    listen: () => {
      throw new Error('not shared');
    },
  };
  const links = createSessionLinks({
    network: reach,
    views: fixedViews(more.catalog ?? catalog()),
    store: memoryStore(held),
    face: more.face ?? ASKABLE,
    protocolVersion: '2025-11-25',
    limits: async () => ({
      maxResponseBytes: MAX_RESPONSE_BYTES,
      catalog: { tools: 100, resources: 100, prompts: 100 },
    }),
    waitUntil: (work) => void after.push(work),
    now: Date.now,
    upstreams: async () => [UPSTREAM],
    shared,
  });
  return { links, held, idle: async () => void (await Promise.allSettled(after)) };
}

export function request(more: Partial<LinkRequest> = {}): LinkRequest {
  const { signal } = new AbortController();
  return { method: 'tools/call', params: { name: 'work' }, signal, wantsProgress: false, ...more };
}

/** What the upstream was sent. */
export interface Sent {
  readonly method: string;
  readonly headers: Headers;
  readonly body: Readonly<{ id?: unknown; method?: string; params?: JsonObject; result?: unknown; error?: JsonObject }>;
  readonly signal: AbortSignal;
}

const encoder = new TextEncoder();

/** A stream of events that the script writes when it likes. */
export class Stream {
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  readonly response: Response;
  /** Whether its reader hung up. */
  cancelled = false;

  constructor() {
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
      },
      cancel: () => {
        this.cancelled = true;
      },
    });
    this.response = new Response(body, { headers: { 'content-type': 'text/event-stream' } });
  }

  /** @param before lines of the event ahead of its data, each with its end */
  send(message: object, before = ''): this {
    this.#write(`${before}data: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`);
    return this;
  }

  raw(text: string): this {
    this.#write(text);
    return this;
  }

  end(): void {
    if (!this.cancelled) this.#controller?.close();
  }

  #write(text: string): void {
    if (!this.cancelled) this.#controller?.enqueue(encoder.encode(text));
  }
}

type Answerer = (sent: Sent) => Response | undefined | Promise<Response | undefined>;

/**
 * A legacy server with sessions `s-1`, `s-2`, …; `answer` may answer first. The stream of what belongs to no request is
 * `push`; a question's answer arrives in `answers`.
 */
export class ScriptedServer implements UpstreamNetwork {
  readonly sent: Sent[] = [];
  readonly sessions = new Set<string>();
  capabilities: JsonObject = {
    tools: { listChanged: true },
    resources: { subscribe: true, listChanged: true },
    logging: {},
  };
  push = new Stream();
  #opened = 0;
  readonly #answer: Answerer;

  constructor(answer: Answerer = () => undefined) {
    this.#answer = answer;
  }

  endpoint(): ReturnType<UpstreamNetwork['endpoint']> {
    return { url: new URL('http://upstream.test/mcp'), fetch: async (_input, init) => this.#serve(init ?? {}) };
  }

  /** Messages of one method, as they came. */
  of(method: string): Sent[] {
    return this.sent.filter(({ body }) => body.method === method);
  }

  async #serve({ method = 'GET', headers: given, body: text, signal }: RequestInit): Promise<Response> {
    const headers = new Headers(given);
    const body = typeof text === 'string' ? JSON.parse(text) : {};
    const sent: Sent = { method, headers, body, signal: signal ?? new AbortController().signal };
    this.sent.push(sent);
    if (sent.signal.aborted) throw sent.signal.reason;
    const answered = Promise.resolve(this.#answer(sent)).then((own) => own ?? this.#usual(sent));
    return abortable(await Promise.race([answered, rejection(sent.signal)]), sent.signal);
  }

  #usual({ method, headers, body }: Sent): Response {
    const session = headers.get('mcp-session-id') ?? '';
    if (body.method === 'initialize') return this.#initialize(body);
    if (!this.sessions.has(session)) return new Response('Session not found', { status: 404 });
    if (method === 'GET') return this.push.response;
    if (method === 'DELETE') this.sessions.delete(session);
    if (method === 'DELETE' || body.id === undefined || body.method === undefined) {
      return new Response(null, { status: 202 });
    }
    return Response.json({ jsonrpc: '2.0', id: body.id, result: { content: [] } });
  }

  #initialize({ id, params = {} }: Sent['body']): Response {
    this.#opened += 1;
    const session = `s-${this.#opened}`;
    this.sessions.add(session);
    const { protocolVersion } = params;
    const result = { protocolVersion, capabilities: this.capabilities, serverInfo: { name: 'scripted', version: '1' } };
    return Response.json({ jsonrpc: '2.0', id, result }, { headers: { 'mcp-session-id': session } });
  }
}

/** As `fetch` has it: an abort ends the body too. */
function abortable(response: Response, signal: AbortSignal): Response {
  if (response.body === null || response.headers.get('content-type') !== 'text/event-stream') return response;
  return new Response(response.body.pipeThrough(new TransformStream(), { signal }), response);
}

function rejection(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

export function done(id: unknown, text = 'done'): object {
  return { id, result: { content: [{ type: 'text', text }] } };
}

export function collect(): { readonly heard: Spoken[]; readonly onNotification: (notification: Spoken) => void } {
  const heard: Spoken[] = [];
  return { heard, onNotification: (notification) => void heard.push(notification) };
}
