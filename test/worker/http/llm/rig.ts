// The LLM routes with everything around them but the network and the ledger, which are the test's own.
import { createExecutionContext } from 'cloudflare:test';
import { Hono } from 'hono';
import type { AuditEvent } from '../../../../src/audit/event.ts';
import { AuditOverflow } from '../../../../src/audit/recorder.ts';
import type { Admission } from '../../../../src/budget/admission.ts';
import type { Limit } from '../../../../src/budget/limits.ts';
import { gatewayDocument, type ProviderDocument } from '../../../../src/config/document.ts';
import type { Env } from '../../../../src/env.ts';
import type { AppEnv } from '../../../../src/http/app-env.ts';
import { llmRoutes } from '../../../../src/http/routes/llm/index.ts';
import type { KeyLimits, PolicySnapshot, ProviderGrant, VirtualKey } from '../../../../src/policy/snapshot.ts';
import type { Services } from '../../../../src/services.ts';
import { NO_LIMITS } from '../../no-limits.ts';

export const KEY = 'vk-test-key-1';
type Grants = Readonly<Record<string, Partial<ProviderGrant>>>;

export interface RigOptions {
  readonly providers: readonly (Partial<ProviderDocument> & { name: string })[];
  /** All models of every provider when left out. */
  readonly grants?: Grants;
  /** The network: what a provider answers. Left out, the real one. */
  readonly network?: (request: Request) => Response | Promise<Response>;
  readonly durability?: 'durable' | 'batched';
  readonly content?: 'none' | 'hash' | 'redacted' | 'full';
  readonly requestBytes?: number;
  readonly concurrentRequests?: number;
  readonly recorder?: 'works' | 'full' | 'broken';
  /** Asked for every call where it is given; else nothing bounds the key. */
  readonly admission?: Admission;
}

export interface Rig {
  readonly events: AuditEvent[];
  /** What the providers were sent, in order; bodies as text. */
  readonly sent: { readonly url: string; readonly headers: Headers; readonly body: string }[];
  readonly fetch: (path: string, init?: RequestInit) => Promise<Response>;
  /** For SDKs. */
  readonly sdkFetch: typeof fetch;
  /** The one event, once it is there. */
  readonly event: () => Promise<AuditEvent>;
}

export const LIMIT: Limit = {
  id: 'calls of the key',
  tier: 'virtual_key',
  name: 'tester',
  metric: 'requests',
  amount: 9,
  window: { period: '1m', calendar: false },
};
const LIMITS: KeyLimits = { own: [LIMIT], providers: new Map(), mcpClients: new Map() };

let revision = 0;

export function startRig(options: RigOptions): Rig {
  const events: AuditEvent[] = [];
  const sent: Rig['sent'] = [];
  const snapshot = snapshotOf(options);
  const app = new Hono<AppEnv>();
  app.use(async (c, next) => {
    c.set('receivedAt', Date.now());
    c.set('requestId', 'req_test');
    c.set('services', servicesOf(options, snapshot, events, c.executionCtx) as Services);
    await next();
  });
  app.route('/', llmRoutes());
  const { network } = options;
  const env =
    network === undefined
      ? {}
      : {
          OPERATOR_NETWORK: {
            async fetch(input: RequestInfo, init?: RequestInit) {
              const request = new Request(input, init);
              sent.push({ url: request.url, headers: request.headers, body: await request.clone().text() });
              return network(request);
            },
          },
        };
  const send = async (input: Request): Promise<Response> => app.fetch(input, env as Env, createExecutionContext());
  return {
    events,
    sent,
    fetch: (path, init) => send(new Request(`http://sallyport${path}`, withKey(init))),
    sdkFetch: (input, init) => send(new Request(input, init)),
    async event() {
      for (let tries = 0; tries < 200 && events.length === 0; tries++) await scheduler.wait(10);
      const [event, ...more] = events;
      if (event === undefined || more.length > 0) throw new Error(`${events.length} events in place of one`);
      return event;
    },
  };
}

function withKey(init: RequestInit = {}): RequestInit {
  const headers = new Headers(init.headers);
  if (!headers.has('authorization') && !headers.has('x-api-key')) headers.set('authorization', `Bearer ${KEY}`);
  if (init.body !== undefined && !headers.has('content-type')) headers.set('content-type', 'application/json');
  return { ...init, headers };
}

function snapshotOf({ providers, grants, ...options }: RigOptions): PolicySnapshot {
  const document = gatewayDocument.parse({
    providers: providers.map(({ timeout, ...provider }) => ({
      ...provider,
      ...(timeout !== undefined && { timeout }),
    })),
    audit: {
      content: options.content ?? 'hash',
      durability: { llm_calls: options.durability ?? 'batched' },
    },
    limits: {
      request_bytes: options.requestBytes ?? 1_000_000,
      concurrent_requests: options.concurrentRequests ?? 1_000,
    },
  });
  const granted: Grants = grants ?? Object.fromEntries(providers.map(({ name }) => [name, {}]));
  const key: VirtualKey = {
    principal: { kind: 'virtual_key', keyId: 'vk_1', keyName: 'tester', team: 'eng', payer: 'team:eng' },
    disabled: false,
    mode: 'direct',
    tools: new Map(),
    resources: new Map(),
    prompts: new Map(),
    toolGroups: [],
    providers: new Map(Object.entries(granted).map(([name, grant]) => [name, { models: ['*'], weight: 1, ...grant }])),
    ...(options.admission !== undefined && { limits: LIMITS }),
  };
  const { audit, limits, health, mcp } = document;
  return {
    revision: ++revision,
    virtualKeys: new Map([[KEY, key]]),
    upstreams: new Map(),
    toolGroups: new Map(),
    providers: new Map(
      document.providers.map((provider) => [provider.name, { ...provider, type: provider.type ?? provider.name }]),
    ),
    settings: { audit, limits, health, code_mode: mcp.code_mode, sessions: mcp.sessions },
  };
}

function servicesOf(
  { recorder = 'works', admission = NO_LIMITS }: RigOptions,
  snapshot: PolicySnapshot,
  events: AuditEvent[],
  context: Pick<ExecutionContext, 'waitUntil'>,
): Pick<Services, 'now' | 'waitUntil' | 'snapshot' | 'hashVirtualKey' | 'recorder' | 'admission'> {
  const record = (event: AuditEvent): void => {
    if (recorder === 'full') throw new AuditOverflow('full');
    if (recorder === 'broken') throw new Error('the ledger is out of reach');
    events.push(event);
  };
  return {
    now: Date.now,
    waitUntil: (promise) => context.waitUntil(promise),
    snapshot: async () => snapshot,
    hashVirtualKey: async (key) => key,
    admission,
    recorder: {
      async durable(_payer, event) {
        await scheduler.wait(5);
        record(event);
      },
      batched: (_payer, event) => record(event),
      settled: () => undefined,
    },
  };
}
