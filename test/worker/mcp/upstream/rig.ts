// An upstream of the fixtures, and everything a call or a probe needs, without the rest of the gateway.
import { env } from 'cloudflare:workers';
import { inject } from 'vitest';
import '../../../support/provided-context.ts';
import { createUpstreamNetwork } from '../../../../src/egress/upstream-network.ts';
import { healthReport, unknownCondition } from '../../../../src/health/condition.ts';
import { probeUpstream } from '../../../../src/mcp/upstream/probe.ts';
import type { JsonObject } from '../../../../src/lib/json-value.ts';
import { PRODUCT } from '../../../../src/lib/product.ts';
import { ok, type Result } from '../../../../src/lib/result.ts';
import type { Face, UpstreamLinks } from '../../../../src/mcp/links.ts';
import type { Catalog, UpstreamCallFailure, UpstreamNetwork, UpstreamViews } from '../../../../src/mcp/ports.ts';
import { legacyResult } from '../../../../src/mcp/upstream/input-fulfilment.ts';
import { PrincipalEngine } from '../../../../src/mcp/upstream/principal-engine.ts';
import type { KeptSession, SessionStore } from '../../../../src/mcp/upstream/session-store.ts';
import { createStatelessLinks, type StatelessLinks } from '../../../../src/mcp/upstream/stateless-links.ts';
import type { Upstream } from '../../../../src/policy/snapshot.ts';

export type HttpUpstream = Extract<Upstream, { type: 'http' }>;

export const network = createUpstreamNetwork(env);
export const MAX_RESPONSE_BYTES = 8 * 1024 * 1024;
export const MAX_TOOLS = 2_000;
export const FACE: Face = { info: PRODUCT, capabilities: {} };

export function httpUpstream(url: string, more: Partial<HttpUpstream> = {}): HttpUpstream {
  return { name: 'fixture', type: 'http', url, fingerprint: 'f1', timeout: 3_000, ...more };
}

export function misbehaving(quirk: string, more: Partial<HttpUpstream> = {}): HttpUpstream {
  return httpUpstream(`${inject('misbehavingUrl')}/${quirk}/mcp`, more);
}

export async function catalogOf(upstream: Upstream): Promise<Catalog> {
  const result = await probe(upstream);
  if (!result.ok || result.catalog === undefined) throw new Error(`no catalog: ${JSON.stringify(result)}`);
  return result.catalog;
}

export function probe(
  upstream: Upstream,
  request: Partial<Parameters<typeof probeUpstream>[2]> = {},
  reach: UpstreamNetwork = network,
): ReturnType<typeof probeUpstream> {
  const catalogLimits = { tools: MAX_TOOLS, resources: 100, prompts: 100 };
  const dependencies = { network: reach, maxResponseBytes: MAX_RESPONSE_BYTES, catalogLimits, now: Date.now };
  return probeUpstream(dependencies, upstream, { listing: true, timeoutMs: 3_000, ...request });
}

interface HeldSessions {
  readonly held: Map<string, KeptSession>;
}

interface Rig {
  readonly links: (owner: string, face?: Face) => StatelessLinks;
  /** Calls a tool as a client of 2026-07-28 does; the result without what only that revision knows. */
  readonly call: (
    upstream: Upstream,
    owner: string,
    call: ToolCall,
  ) => Promise<Result<JsonObject, UpstreamCallFailure>>;
  readonly sessions: HeldSessions;
  /** Settles when what was left for after the response is done. */
  idle(): Promise<void>;
}

const LIMITS = { maxResponseBytes: MAX_RESPONSE_BYTES, catalog: { tools: MAX_TOOLS, resources: 100, prompts: 100 } };

/** The same view of the upstream always. */
export function fixedViews(catalog: Catalog | undefined): UpstreamViews {
  const health = healthReport(unknownCondition, { disabled: false, toolCount: 0 }, 0);
  const view: UpstreamViews['view'] = async () => (catalog === undefined ? { health } : { health, catalog });
  return { view, refresh: view, relist: () => {}, report: () => {} };
}

/** One session in memory, as the objects keep it. */
export function memoryStore(held: Map<string, KeptSession>, key = 'one'): SessionStore {
  return {
    get: () => held.get(key),
    put: (_upstream, session) => void held.set(key, session),
    drop: (_upstream, sessionId) => {
      if (held.get(key)?.sessionId === sessionId) held.delete(key);
    },
  };
}

export function rig(
  catalog?: Catalog,
  reach: UpstreamNetwork = network,
  more: { readonly holdMs?: number; readonly views?: UpstreamViews } = {},
): Rig {
  const held = new Map<string, KeptSession>();
  const after: Promise<unknown>[] = [];
  const engines = new Map<string, PrincipalEngine>();
  const shared = { network: reach, now: Date.now, waitUntil: (work: Promise<unknown>) => void after.push(work) };
  const principalSessions = (name: string): PrincipalEngine => {
    const known = engines.get(name);
    if (known !== undefined) return known;
    const { maxResponseBytes, catalog: catalogLimits } = LIMITS;
    // Tests know an owner's first session by the owner.
    const [, owner] = JSON.parse(name) as [string, string];
    const isFirst = ![...engines.keys()].some((other) => (JSON.parse(other) as string[])[1] === owner);
    const store = memoryStore(held, isFirst ? owner : name);
    const engine = new PrincipalEngine({
      ...shared,
      ...more,
      store,
      maxResponseBytes,
      catalogLimits,
      upstreams: async () => new Map(),
    });
    engines.set(name, engine);
    return engine;
  };
  const views = more.views ?? fixedViews(catalog);
  const links: Rig['links'] = (principal, face = FACE) =>
    createStatelessLinks({ ...shared, views, principalSessions, principal, face, limits: async () => LIMITS });
  return {
    links,
    call: (upstream, owner, call) => callTool(links(owner), upstream, call),
    sessions: { held },
    idle: async () => void (await Promise.allSettled(after)),
  };
}

export interface ToolCall {
  readonly name: string;
  readonly arguments?: JsonObject;
  readonly meta?: JsonObject;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: JsonObject) => void;
}

async function callTool(
  links: UpstreamLinks,
  upstream: Upstream,
  { name, arguments: given, meta, signal, onProgress }: ToolCall,
): Promise<Result<JsonObject, UpstreamCallFailure>> {
  const outcome = await links.request(upstream, {
    method: 'tools/call',
    params: { name, ...(given !== undefined && { arguments: given }), ...(meta !== undefined && { _meta: meta }) },
    signal,
    wantsProgress: onProgress !== undefined,
    onNotification: ({ method, params = {} }) => {
      if (method === 'notifications/progress') onProgress?.(params);
    },
  });
  return outcome.ok ? ok(legacyResult(outcome.value)) : outcome;
}

export function toolCall(name: string, more: Partial<ToolCall> = {}): ToolCall {
  return { name, signal: new AbortController().signal, ...more };
}

export interface FixtureState {
  readonly calls: string[];
  readonly methods: string[];
  readonly sessions: string[];
  readonly cancelled: number;
}

export async function stateOf(base: string): Promise<FixtureState> {
  return (await fetch(`${base}/control/state`)).json();
}

export async function callsReceived(quirk: string): Promise<number> {
  const counts: Record<string, number> = await (await fetch(`${inject('misbehavingUrl')}/control/counts`)).json();
  return counts[quirk] ?? 0;
}
