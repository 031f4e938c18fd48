// The MCP routes over upstreams, links, records and clock held in memory. Clients of 2026-07-28 reach it through `fetch`.
import { Hono } from 'hono';
import type { ServerCapabilities, Tool } from '@modelcontextprotocol/server';
import type { AuditEvent } from '../../../../src/audit/event.ts';
import { openKeyring } from '../../../../src/config/keyring.ts';
import { settingsDocument } from '../../../../src/config/document.ts';
import type { AppEnv } from '../../../../src/http/app-env.ts';
import { mcpRoutes } from '../../../../src/http/routes/mcp.ts';
import type { JsonObject } from '../../../../src/lib/json-value.ts';
import { ok, type Result } from '../../../../src/lib/result.ts';
import type { Face, Listening, LinkRequest } from '../../../../src/mcp/links.ts';
import type { Catalog, UpstreamCallFailure } from '../../../../src/mcp/ports.ts';
import { createRequestStates } from '../../../../src/mcp/protocol/request-states.ts';
import type { NamePatterns, PolicySnapshot, Upstream, VirtualKey } from '../../../../src/policy/snapshot.ts';
import type { Services } from '../../../../src/services.ts';
import { NO_LIMITS } from '../../no-limits.ts';

export const URL_BASE = 'http://gateway.test';
export const VERSION = '2026-07-28';
export const ENVELOPE = {
  'io.modelcontextprotocol/protocolVersion': VERSION,
  'io.modelcontextprotocol/clientCapabilities': {},
  'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '9' },
};
export const ACCEPT = 'application/json, text/event-stream';
const KEY = 'vk-of-the-tests';

export type Answer = (request: LinkRequest, upstream: string) => Promise<Result<JsonObject, UpstreamCallFailure>>;

export interface McpAppOptions {
  /** By upstream; undefined where none was ever listed. */
  readonly catalogs: Readonly<Record<string, Partial<Catalog> | undefined>>;
  /** Upstream → patterns of tools, resources and prompts alike; everything by default. */
  readonly grants?: Readonly<Record<string, NamePatterns>>;
  readonly groups?: Readonly<Record<string, Readonly<Record<string, NamePatterns>>>>;
  readonly disabled?: readonly string[];
  readonly answer?: Answer;
  readonly settings?: object;
  readonly allowedHosts?: string;
}

export interface McpApp {
  readonly fetch: (input: string | URL | Request, init?: RequestInit) => Promise<Response>;
  readonly sent: { readonly upstream: string; readonly request: LinkRequest; readonly face: Face }[];
  readonly events: AuditEvent[];
  readonly listening: Map<string, Set<Listening>>;
  readonly catalogs: Map<string, Catalog>;
  /** Replaces what the upstream offers; a listing finds it. */
  offer(upstream: string, offered: Partial<Catalog>): void;
  /** Has an upstream say something to all who listen to it. */
  say(upstream: string, method: string, params?: JsonObject): void;
  /** Replaces the grants of the key, as a change of the configuration does; null revokes the key. */
  grant(grants: Readonly<Record<string, NamePatterns>> | null): void;
  readonly settled: () => Promise<void>;
}

export function tool(name: string, more: Partial<Tool> = {}): Tool {
  return { name, inputSchema: { type: 'object' }, ...more };
}

export function text(value: string) {
  return { content: [{ type: 'text', text: value }] };
}

function catalogOf(offered: Partial<Catalog>): Catalog {
  const changing = { listChanged: true };
  const capabilities: ServerCapabilities = {
    ...(offered.tools !== undefined && { tools: changing }),
    ...(offered.resources !== undefined && { resources: { ...changing, subscribe: true } }),
    ...(offered.prompts !== undefined && { prompts: changing }),
  };
  return { fingerprint: crypto.randomUUID(), tools: [], era: 'modern', capabilities, at: 0, ...offered };
}

function upstreamNamed(name: string, disabled: boolean): Upstream {
  const url = `http://${name}.test/mcp`;
  return { name, type: 'http', url, fingerprint: name, sessions: 'isolated', disabled } as Upstream;
}

function keyOf(options: McpAppOptions, grants: Readonly<Record<string, NamePatterns>>): VirtualKey {
  const granted = new Map(Object.entries(grants));
  return {
    principal: { kind: 'virtual_key', keyId: `vk_${keys}`, keyName: 'test', team: 'eng', payer: 'team:eng' },
    disabled: false,
    mode: 'direct',
    tools: granted,
    resources: granted,
    prompts: granted,
    toolGroups: Object.keys(options.groups ?? {}),
    providers: new Map(),
  };
}

/** Each app has a key of its own: what is counted by key is counted in the isolate. */
let keys = 0;

export function mcpApp(options: McpAppOptions): McpApp {
  keys++;
  const names = Object.keys(options.catalogs);
  const everything = Object.fromEntries(names.map((name) => [name, ['*']]));
  const upstreams = new Map(
    names.map((name) => [name, upstreamNamed(name, options.disabled?.includes(name) ?? false)]),
  );
  const offered = new Map<string, Partial<Catalog>>();
  const waiting: Promise<unknown>[] = [];
  const app: Pick<McpApp, 'sent' | 'events' | 'listening' | 'catalogs'> = {
    sent: [],
    events: [],
    listening: new Map(),
    catalogs: new Map(),
  };
  for (const [name, catalog] of Object.entries(options.catalogs)) {
    if (catalog !== undefined) app.catalogs.set(name, catalogOf(catalog));
  }
  const snapshotWith = (key: VirtualKey | undefined): PolicySnapshot => ({
    revision: 1,
    virtualKeys: new Map(key === undefined ? [] : [[`hash of ${KEY}`, key]]),
    upstreams,
    toolGroups: new Map(
      Object.entries(options.groups ?? {}).map(([name, group]) => {
        const patterns = new Map(Object.entries(group));
        return [name, { tools: patterns, resources: patterns, prompts: patterns }];
      }),
    ),
    providers: new Map(),
    settings: settingsDocument.parse(options.settings ?? {}),
  });
  const virtualKey = keyOf(options, options.grants ?? everything);
  let snapshot = snapshotWith(virtualKey);

  const views = {
    view: async ({ name }: Upstream) => {
      const catalog = app.catalogs.get(name);
      return { health: { state: 'healthy', breaker: 'closed' }, ...(catalog !== undefined && { catalog }) };
    },
    refresh: async (upstream: Upstream) => {
      const found = offered.get(upstream.name);
      if (found !== undefined) app.catalogs.set(upstream.name, catalogOf(found));
      return views.view(upstream);
    },
    relist: () => undefined,
    report: () => undefined,
  };
  const linksOf = (_principal: string, face: Face) => ({
    views,
    request: async (upstream: Upstream, request: LinkRequest) => {
      app.sent.push({ upstream: upstream.name, request, face });
      const answer =
        options.answer ?? (async () => ok(text(`${upstream.name} did ${String(request.params?.['name'])}`)));
      return answer(request, upstream.name);
    },
    listen: ({ name }: Upstream, listening: Listening) => {
      const heard = app.listening.get(name) ?? new Set();
      app.listening.set(name, heard.add(listening));
      return { resubscribe: async () => undefined, close: () => void heard.delete(listening) };
    },
  });
  const services = {
    now: () => Date.now(),
    waitUntil: (promise: Promise<unknown>) => void waiting.push(promise),
    snapshot: async () => snapshot,
    hashVirtualKey: async (key: string) => `hash of ${key}`,
    admission: NO_LIMITS,
    recorder: {
      durable: async (_payer: string, event: AuditEvent) => void app.events.push(event),
      batched: (_payer: string, event: AuditEvent) => void app.events.push(event),
    },
    linksOf,
    requestStates: createRequestStates({
      now: () => Date.now(),
      key: async () => {
        const opened = await openKeyring(btoa('k'.repeat(32)));
        if (!opened.ok) throw new Error(opened.error);
        return opened.value.requestStates;
      },
    }),
  } as unknown as Services;

  const hono = new Hono<AppEnv>();
  hono.use(async (c, next) => {
    const given = { requestId: 'req_1', receivedAt: Date.now(), services, snapshot, virtualKey };
    for (const [name, value] of Object.entries(given)) c.set(name as 'requestId', value as string);
    await next();
  });
  hono.route('/mcp', mcpRoutes());
  const { allowedHosts } = options;
  return {
    ...app,
    fetch: async (input, init) => {
      const request = new Request(input, init);
      request.headers.set('authorization', `Bearer ${KEY}`);
      return hono.fetch(request, allowedHosts === undefined ? {} : { SALLYPORT_ALLOWED_HOSTS: allowedHosts });
    },
    offer: (upstream, catalog) => void offered.set(upstream, catalog),
    say(upstream, method, params) {
      for (const { onNotification } of app.listening.get(upstream) ?? [])
        onNotification({ method, ...(params !== undefined && { params }) });
    },
    grant(grants) {
      snapshot = snapshotWith(grants === null ? undefined : keyOf(options, grants));
    },
    settled: async () => void (await Promise.all(waiting)),
  };
}

export function post(app: McpApp, body: unknown, headers: Record<string, string> = {}, path = '/mcp') {
  return app.fetch(URL_BASE + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: ACCEPT, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

/** With the headers that belong to it, unless others are given. */
export function modern(
  app: McpApp,
  method: string,
  { _meta, ...params }: { readonly _meta?: JsonObject; readonly [member: string]: unknown } = {},
  headers: Record<string, string> = {},
  path = '/mcp',
) {
  const name = params['name'] ?? params['uri'];
  return post(
    app,
    { jsonrpc: '2.0', id: 7, method, params: { ...params, _meta: { ...ENVELOPE, ..._meta } } },
    {
      'mcp-protocol-version': VERSION,
      'mcp-method': method,
      ...(typeof name === 'string' && { 'mcp-name': name }),
      ...headers,
    },
    path,
  );
}

export interface RpcMessage {
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: JsonObject;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
  readonly result?: JsonObject;
}

export async function rpc(response: Response | Promise<Response>): Promise<RpcMessage & { readonly status: number }> {
  const settled = await response;
  return { status: settled.status, ...(await settled.json<RpcMessage>()) };
}

/** The events of a stream as they come; comments are `comment`. */
export function eventsOf(response: Response): {
  next(): Promise<RpcMessage | 'comment' | 'end'>;
  cancel(): Promise<void>;
} {
  const reader = (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  return {
    async next() {
      for (;;) {
        const end = rest.indexOf('\n\n');
        if (end !== -1) {
          const event = rest.slice(0, end);
          rest = rest.slice(end + 2);
          if (event.startsWith(':')) return 'comment';
          return JSON.parse(event.split('\ndata: ')[1] ?? 'null') as RpcMessage;
        }
        const { value, done } = await reader.read();
        if (done) return 'end';
        rest += value;
      }
    },
    cancel: () => reader.cancel(),
  };
}

/** Without comments. */
export async function nextMessage(events: ReturnType<typeof eventsOf>): Promise<RpcMessage | 'end'> {
  for (;;) {
    const event = await events.next();
    if (event !== 'comment') return event;
  }
}
