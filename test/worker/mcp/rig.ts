// The methods over upstreams, links and records held in memory.
import type { AuditEvent } from '../../../src/audit/event.ts';
import type { Admission } from '../../../src/budget/admission.ts';
import { settingsDocument } from '../../../src/config/document.ts';
import type { HealthReport } from '../../../src/health/report.ts';
import { ok, type Result } from '../../../src/lib/result.ts';
import type { JsonObject } from '../../../src/lib/json-value.ts';
import type { ClientRequest, Peer, RequestStates } from '../../../src/mcp/client-request.ts';
import type { LinkRequest, UpstreamLinks } from '../../../src/mcp/links.ts';
import { narrowScope, type Narrowing } from '../../../src/mcp/narrowing.ts';
import type { CallOutcome, Catalog, UpstreamCallFailure, UpstreamViews } from '../../../src/mcp/ports.ts';
import type { RpcAnswer, Spoken } from '../../../src/mcp/protocol/message.ts';
import type { Grant, Scope } from '../../../src/mcp/scope.ts';
import { serveRequest } from '../../../src/mcp/serve.ts';
import { createToolInvoker } from '../../../src/mcp/tool-call.ts';
import type { NamePatterns, Upstream, VirtualKey } from '../../../src/policy/snapshot.ts';
import { NO_LIMITS } from '../no-limits.ts';

export const HEALTHY: HealthReport = { state: 'healthy', breaker: 'closed', consecutiveFailures: 0, toolCount: 1 };
export const NOW = 1_800_000_000_000;

/** Declares what it has. */
export function catalogOf(offered: Partial<Catalog>): Catalog {
  const { tools = [], resources, resourceTemplates, prompts } = offered;
  const hasResources = resources !== undefined || resourceTemplates !== undefined;
  return {
    fingerprint: crypto.randomUUID(),
    tools,
    era: 'modern',
    capabilities: {
      ...(offered.tools !== undefined && { tools: { listChanged: true } }),
      ...(hasResources && { resources: { listChanged: true } }),
      ...(prompts !== undefined && { prompts: { listChanged: true } }),
    },
    at: NOW,
    ...offered,
  };
}

export function upstreamNamed(name: string): Upstream {
  return { name, type: 'http', url: `http://${name}.test/mcp`, fingerprint: name, sessions: 'isolated' } as Upstream;
}

type Patterns = Readonly<Record<string, NamePatterns>>;

export function scopeWith(
  granted: { readonly tools?: Patterns; readonly resources?: Patterns; readonly prompts?: Patterns },
  naming: Scope['naming'] = 'qualified',
): Scope {
  const names = new Set(Object.values(granted).flatMap((patterns) => Object.keys(patterns)));
  const grants = new Map<string, Grant>();
  for (const name of [...names].toSorted()) {
    grants.set(name, {
      upstream: upstreamNamed(name),
      tools: [granted.tools?.[name] ?? []],
      resources: [granted.resources?.[name] ?? []],
      prompts: [granted.prompts?.[name] ?? []],
    });
  }
  return { naming, grants };
}

export function keyWith(scope: Scope, more: Partial<VirtualKey> = {}): VirtualKey {
  const granted = (kind: 'tools' | 'resources' | 'prompts') =>
    new Map(Array.from(scope.grants, ([name, grant]) => [name, grant[kind][0] ?? []] as const));
  return {
    principal: { kind: 'virtual_key', keyId: 'vk_1', keyName: 'test', team: 'eng', payer: 'team:eng' },
    disabled: false,
    mode: 'direct',
    tools: granted('tools'),
    resources: granted('resources'),
    prompts: granted('prompts'),
    toolGroups: [],
    providers: new Map(),
    ...more,
  };
}

export function viewsOf(
  catalogs: Readonly<Record<string, Catalog | undefined>>,
  health: Partial<HealthReport> = {},
): UpstreamViews & { readonly relisted: string[]; readonly refreshed: string[]; readonly reports: CallOutcome[] } {
  const relisted: string[] = [];
  const refreshed: string[] = [];
  const reports: CallOutcome[] = [];
  const view = async ({ name }: Upstream) => {
    const catalog = catalogs[name];
    return { health: { ...HEALTHY, ...health }, ...(catalog !== undefined && { catalog }) };
  };
  return {
    relisted,
    refreshed,
    reports,
    view,
    refresh: async (upstream) => {
      refreshed.push(upstream.name);
      return view(upstream);
    },
    relist: ({ name }) => void relisted.push(name),
    report: (_upstream, outcome) => void reports.push(outcome),
  };
}

export type Answer = (request: LinkRequest, upstream: string) => Promise<Result<JsonObject, UpstreamCallFailure>>;

export interface RigOptions {
  readonly catalogs: Readonly<Record<string, Catalog | undefined>>;
  readonly scope?: Scope;
  readonly era?: Peer['era'];
  readonly peer?: Partial<Peer>;
  readonly answer?: Answer;
  readonly health?: Partial<HealthReport>;
  readonly key?: Partial<VirtualKey>;
  readonly narrowing?: Narrowing;
  readonly requestStates?: RequestStates;
  readonly session?: ClientRequest['session'];
  readonly recordFails?: boolean;
  /** Asked where the key or a server has limits. */
  readonly admission?: Admission;
  readonly now?: () => number;
}

export interface Rig {
  readonly request: ClientRequest;
  readonly views: ReturnType<typeof viewsOf>;
  readonly events: AuditEvent[];
  readonly told: Spoken[];
  readonly sent: { readonly upstream: string; readonly request: LinkRequest }[];
  serve(method: string, params?: JsonObject): Promise<RpcAnswer>;
  /** @throws where the answer is an error */
  result(method: string, params?: JsonObject): Promise<JsonObject>;
  /** @throws where the answer is none */
  error(method: string, params?: JsonObject): Promise<{ code: number; message: string; data?: unknown }>;
}

/** Everything of all servers is granted unless a scope says otherwise. */
export function methodsRig(options: RigOptions): Rig {
  const { catalogs, era = 'modern', answer = async () => ok({ content: [] }), now = () => NOW } = options;
  const { admission = NO_LIMITS } = options;
  const everything = Object.fromEntries(Object.keys(catalogs).map((name) => [name, ['*']]));
  const wide = options.scope ?? scopeWith({ tools: everything, resources: everything, prompts: everything });
  const scope = narrowScope(wide, options.narrowing ?? {});
  const views = viewsOf(catalogs, options.health);
  const events: AuditEvent[] = [];
  const told: Spoken[] = [];
  const sent: { upstream: string; request: LinkRequest }[] = [];
  const keep = (event: AuditEvent): void => {
    if (options.recordFails === true) throw new Error('the ledger is gone');
    events.push(event);
  };
  const recorder = {
    durable: async (_payer: string, event: AuditEvent) => keep(event),
    batched: (_payer: string, event: AuditEvent) => keep(event),
    settled: () => undefined,
  };
  const links: UpstreamLinks = {
    request: async (upstream, request) => {
      sent.push({ upstream: upstream.name, request });
      return answer(request, upstream.name);
    },
    listen: () => ({ resubscribe: async () => undefined, close: () => undefined }),
  };
  const request: ClientRequest = {
    peer: {
      era,
      protocolVersion: era === 'modern' ? '2026-07-28' : '2025-11-25',
      face: { capabilities: {} },
      ...options.peer,
    },
    caller: {
      virtualKey: keyWith(wide, options.key),
      scope,
      settings: settingsDocument.parse({ audit: { content: 'full' } }),
      requestId: 'req_1',
      receivedAt: NOW,
    },
    links,
    upstreamViews: views,
    toolInvoker: createToolInvoker({
      now,
      waitUntil: () => undefined,
      recorder,
      admission,
      upstreamViews: views,
      links,
    }),
    recorder,
    admission,
    now,
    requestBytes: 100,
    signal: new AbortController().signal,
    notify: (notification) => void told.push(notification),
    ...(options.requestStates !== undefined && { requestStates: options.requestStates }),
    ...(options.session !== undefined && { session: options.session }),
  };
  const serve = (method: string, params?: JsonObject): Promise<RpcAnswer> =>
    serveRequest(request, { id: 1, method, ...(params !== undefined && { params }) });
  return {
    request,
    views,
    events,
    told,
    sent,
    serve,
    async result(method, params) {
      const answered = await serve(method, params);
      if ('error' in answered) throw new Error(JSON.stringify(answered.error));
      return answered.result;
    },
    async error(method, params) {
      const answered = await serve(method, params);
      if ('result' in answered) throw new Error(JSON.stringify(answered.result));
      return answered.error;
    },
  };
}
