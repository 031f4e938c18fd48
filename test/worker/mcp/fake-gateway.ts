// The MCP routes over upstreams, health and audit held in memory. Clients reach it through `fetch`.
import { Hono } from 'hono';
import type { CallToolResult, Tool } from '@modelcontextprotocol/server';
import type { AuditEvent } from '../../../src/audit/event.ts';
import { settingsDocument } from '../../../src/config/document.ts';
import type { HealthReport } from '../../../src/health/report.ts';
import type { AppEnv } from '../../../src/http/app-env.ts';
import { mcpRoutes } from '../../../src/http/routes/mcp.ts';
import { ok, type Result } from '../../../src/lib/result.ts';
import type { CallOutcome, Catalog, UpstreamCallFailure, UpstreamToolCall } from '../../../src/mcp/ports.ts';
import type { PolicySnapshot, Upstream, VirtualKey } from '../../../src/policy/snapshot.ts';
import type { Services } from '../../../src/services.ts';

export const HEALTHY: HealthReport = { state: 'healthy', breaker: 'closed', consecutiveFailures: 0, toolCount: 1 };

export interface FakeUpstream {
  /** Absent: no listing ever succeeded. */
  readonly tools?: readonly Tool[];
  readonly instructions?: string;
  readonly health?: Partial<HealthReport>;
  readonly disabled?: boolean;
  /** Milliseconds until the view is there. */
  readonly viewDelay?: number;
  /** Tools that only a refresh finds. */
  readonly learns?: readonly Tool[];
  readonly call?: (call: UpstreamToolCall) => Promise<Result<CallToolResult, UpstreamCallFailure>>;
}

export interface FakeOptions {
  readonly upstreams: Readonly<Record<string, FakeUpstream>>;
  /** Upstream → patterns; everything by default. */
  readonly grants?: Readonly<Record<string, readonly string[]>>;
  readonly groups?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  readonly heldGroups?: readonly string[];
  readonly settings?: object;
  readonly key?: Partial<VirtualKey>;
  /** Instead of keeping the event. */
  readonly recordFails?: boolean;
}

export interface FakeGateway {
  readonly fetch: (input: string | URL | Request, init?: RequestInit) => Promise<Response>;
  readonly events: AuditEvent[];
  readonly reports: { readonly upstream: string; readonly outcome: CallOutcome }[];
  readonly calls: { readonly upstream: string; readonly owner: string; readonly call: UpstreamToolCall }[];
  readonly refreshed: string[];
  /** Resolves when all that goes on after the responses is over. */
  settled(): Promise<void>;
}

export const URL_BASE = 'http://gateway.test';

export function tool(name: string, more: Partial<Tool> = {}): Tool {
  return { name, inputSchema: { type: 'object' }, ...more };
}

export function text(value: string): CallToolResult {
  return { content: [{ type: 'text', text: value }] };
}

export function fakeGateway(options: FakeOptions): FakeGateway {
  const gateway = { events: [], reports: [], calls: [], refreshed: [] } as Omit<FakeGateway, 'fetch' | 'settled'>;
  const waiting: Promise<unknown>[] = [];
  const upstreams = new Map(
    Object.entries(options.upstreams).map(([name, fake]) => [name, upstreamDocument(name, fake)]),
  );
  const catalogs = new Map(Object.entries(options.upstreams).map(([name, fake]) => [name, catalogOf(fake)]));
  const snapshot = snapshotOf(options, upstreams);
  const virtualKey = keyOf(options);

  const view = async (upstream: Upstream) => {
    const fake = options.upstreams[upstream.name] ?? {};
    if (fake.viewDelay !== undefined) await scheduler.wait(fake.viewDelay);
    const catalog = catalogs.get(upstream.name);
    return { health: { ...HEALTHY, ...fake.health }, ...(catalog !== undefined && { catalog }) };
  };
  const services = {
    now: () => Date.now(),
    waitUntil: (promise: Promise<unknown>) => void waiting.push(promise),
    recorder: {
      durable: async (_payer: string, event: AuditEvent) => {
        if (options.recordFails === true) throw new Error('the ledger is gone');
        await scheduler.wait(1);
        gateway.events.push(event);
      },
      batched: (_payer: string, event: AuditEvent) => void gateway.events.push(event),
    },
    upstreamViews: {
      view: (upstream: Upstream, deadline: number) =>
        Promise.race([view(upstream), scheduler.wait(deadline).then(() => ({ health: HEALTHY }))]),
      refresh: async (upstream: Upstream) => {
        gateway.refreshed.push(upstream.name);
        const { tools = [], learns = [] } = options.upstreams[upstream.name] ?? {};
        catalogs.set(upstream.name, catalogOf({ tools: [...tools, ...learns] }));
        return view(upstream);
      },
      report: (upstream: Upstream, outcome: CallOutcome) =>
        void gateway.reports.push({ upstream: upstream.name, outcome }),
    },
  } as unknown as Services;

  const app = new Hono<AppEnv>();
  app.use(async (c, next) => {
    const principal = virtualKey.principal;
    const given = { requestId: 'req_1', receivedAt: Date.now(), services, snapshot, virtualKey, principal };
    for (const [name, value] of Object.entries(given)) c.set(name as 'requestId', value as string);
    await next();
  });
  app.route(
    '/mcp',
    mcpRoutes(() => async (upstream, owner, call) => {
      gateway.calls.push({ upstream: upstream.name, owner, call });
      return (await options.upstreams[upstream.name]?.call?.(call)) ?? ok(text(`${upstream.name} did ${call.name}`));
    }),
  );
  return {
    ...gateway,
    fetch: async (input, init) => app.fetch(new Request(input, init), {}),
    settled: async () => void (await Promise.all(waiting)),
  };
}

function upstreamDocument(name: string, { disabled }: FakeUpstream): Upstream {
  const url = `http://${name}.test/mcp`;
  return { name, type: 'http', url, fingerprint: name, ...(disabled !== undefined && { disabled }) };
}

function catalogOf({ tools, instructions }: FakeUpstream): Catalog | undefined {
  if (tools === undefined) return undefined;
  const base = { fingerprint: 'f', tools, era: 'modern', capabilities: { tools: {} }, at: 0 } as const;
  return { ...base, ...(instructions !== undefined && { instructions }) };
}

function snapshotOf(options: FakeOptions, upstreams: ReadonlyMap<string, Upstream>): PolicySnapshot {
  return {
    revision: 1,
    virtualKeys: new Map(),
    upstreams,
    toolGroups: new Map(
      Object.entries(options.groups ?? {}).map(([name, tools]) => [
        name,
        { tools: new Map(Object.entries(tools)), resources: new Map(), prompts: new Map() },
      ]),
    ),
    providers: new Map(),
    settings: settingsDocument.parse(options.settings ?? {}),
  };
}

function keyOf(options: FakeOptions): VirtualKey {
  const everything = Object.fromEntries(Object.keys(options.upstreams).map((name) => [name, ['*']]));
  return {
    principal: { kind: 'virtual_key', keyId: 'vk_1', keyName: 'test', team: 'eng', payer: 'team:eng' },
    disabled: false,
    mode: 'direct',
    tools: new Map(Object.entries(options.grants ?? everything)),
    resources: new Map(),
    prompts: new Map(),
    toolGroups: options.heldGroups ?? [],
    providers: new Map(),
    ...options.key,
  };
}
