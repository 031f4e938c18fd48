// An upstream of the fixtures, and everything a call or a probe needs, without the rest of the gateway.
import { env } from 'cloudflare:workers';
import { inject } from 'vitest';
import '../../../support/provided-context.ts';
import { createUpstreamNetwork } from '../../../../src/egress/upstream-network.ts';
import { healthReport, unknownCondition } from '../../../../src/health/condition.ts';
import type { CallDependencies } from '../../../../src/mcp/upstream/call.ts';
import { createCallUpstreamTool } from '../../../../src/mcp/upstream/call.ts';
import { probeUpstream } from '../../../../src/mcp/upstream/probe.ts';
import type {
  CallUpstreamTool,
  Catalog,
  UpstreamNetwork,
  UpstreamSession,
  UpstreamSessions,
  UpstreamToolCall,
} from '../../../../src/mcp/ports.ts';
import type { Upstream } from '../../../../src/policy/snapshot.ts';

export type HttpUpstream = Extract<Upstream, { type: 'http' }>;

export const network = createUpstreamNetwork(env);
export const MAX_RESPONSE_BYTES = 8 * 1024 * 1024;
export const MAX_TOOLS = 2_000;

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

/** Sessions in memory, by owner, as the objects keep them. */
export function memorySessions(): UpstreamSessions & { readonly held: Map<string, UpstreamSession> } {
  const held = new Map<string, UpstreamSession>();
  return {
    held,
    get: async (owner) => held.get(owner),
    put: async (owner, _upstream, session) => void held.set(owner, session),
    drop: async (owner, _upstream, sessionId) => {
      if (held.get(owner)?.sessionId === sessionId) held.delete(owner);
    },
  };
}

interface Rig {
  readonly call: CallUpstreamTool;
  readonly sessions: ReturnType<typeof memorySessions>;
  /** Settles when what was left for after the response is done. */
  idle(): Promise<void>;
}

export function rig(catalog?: Catalog, reach: UpstreamNetwork = network): Rig {
  const sessions = memorySessions();
  const after: Promise<unknown>[] = [];
  const health = healthReport(unknownCondition, { disabled: false, toolCount: 0 }, 0);
  const view = async (): ReturnType<CallDependencies['views']['view']> =>
    catalog === undefined ? { health } : { health, catalog };
  const call = createCallUpstreamTool({
    network: reach,
    views: { view, refresh: view, relist: () => {}, report: () => {} },
    sessions,
    maxResponseBytes: MAX_RESPONSE_BYTES,
    waitUntil: (work) => void after.push(work),
  });
  return { call, sessions, idle: async () => void (await Promise.allSettled(after)) };
}

export function toolCall(name: string, more: Partial<UpstreamToolCall> = {}): UpstreamToolCall {
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
