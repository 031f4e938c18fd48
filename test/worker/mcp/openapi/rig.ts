// The bookshop as an upstream, and what a probe or a call of it needs, without the rest of the gateway.
import { env } from 'cloudflare:workers';
import { inject } from 'vitest';
import '../../../support/provided-context.ts';
import type { SeenRequest } from '../../../support/openapi-api.ts';
import { createUpstreamNetwork } from '../../../../src/egress/upstream-network.ts';
import { healthReport, unknownCondition } from '../../../../src/health/condition.ts';
import { callOperation } from '../../../../src/mcp/openapi/call.ts';
import { probeOpenApi } from '../../../../src/mcp/openapi/probe.ts';
import type { OpenApiUpstream } from '../../../../src/mcp/openapi/spec-source.ts';
import type { Catalog, UpstreamNetwork, UpstreamToolCall } from '../../../../src/mcp/ports.ts';

export const network = createUpstreamNetwork(env);
/** As in `support/openapi-api.ts`, which is of another runtime. */
export const TOKEN = 'bookshop-token-5f1c';
let made = 0;

/** Each with a fingerprint of its own, so that nothing is known of it. */
export function bookshop(spec: string, more: Partial<OpenApiUpstream> = {}): OpenApiUpstream {
  made += 1;
  return {
    name: 'shop',
    type: 'openapi',
    spec: { url: `${inject('bookshopUrl')}/spec/${spec}` },
    fingerprint: `f${made}`,
    headers: { authorization: `Bearer ${TOKEN}` },
    timeout: 2_000,
    ...more,
  };
}

export function probe(
  upstream: OpenApiUpstream,
  request: Partial<Parameters<typeof probeOpenApi>[2]> = {},
  reach: UpstreamNetwork = network,
): ReturnType<typeof probeOpenApi> {
  const dependencies = { network: reach, catalogLimits: { tools: 100 }, now: Date.now };
  return probeOpenApi(dependencies, upstream, { listing: true, timeoutMs: 2_000, ...request });
}

export async function catalogOf(upstream: OpenApiUpstream): Promise<Catalog> {
  const result = await probe(upstream);
  if (!result.ok || result.catalog === undefined) throw new Error(`no catalog: ${JSON.stringify(result)}`);
  return result.catalog;
}

export interface CallOptions {
  readonly reach?: UpstreamNetwork;
  readonly maxResponseBytes?: number;
  readonly signal?: AbortSignal;
}

export async function call(
  upstream: OpenApiUpstream,
  catalog: Catalog | undefined,
  name: string,
  args: NonNullable<UpstreamToolCall['arguments']> = {},
  { reach = network, maxResponseBytes = 1_000_000, signal = new AbortController().signal }: CallOptions = {},
): ReturnType<typeof callOperation> {
  const health = healthReport(unknownCondition, { disabled: false, toolCount: 0 }, 0);
  const view = async () => (catalog === undefined ? { health } : { health, catalog });
  return callOperation({ network: reach, views: { view }, maxResponseBytes }, upstream, {
    name,
    arguments: args,
    signal,
  });
}

/** The requests that the bookshop received and whose path and query hold the mark. */
export async function seen(mark: string): Promise<readonly SeenRequest[]> {
  const state: { seen: SeenRequest[] } = await (await fetch(`${inject('bookshopUrl')}/control/seen`)).json();
  return state.seen.filter(({ url }) => url.includes(mark));
}
