// Whether an API answers, and which tools its description makes of it.
import type { ProbeRequest, ProbeResult } from '../../../durable-objects/contracts.ts';
import { EgressError } from '../../egress/egress-error.ts';
import { deadlineSignal } from '../../egress/fetch.ts';
import { sha256 } from '../../lib/sha256.ts';
import { canonicalJson } from '../../lib/canonical-json.ts';
import { PRODUCT } from '../../lib/product.ts';
import type { Catalog, UpstreamNetwork } from '../ports.ts';
import { explainFailure } from '../upstream/explain-failure.ts';
import { UNAVAILABLE } from './call.ts';
import type { ApiCatalog } from './catalog.ts';
import { discover, heldCatalog } from './discovery.ts';
import type { OpenApiUpstream } from './spec-source.ts';

/** A description may take longer than a sign of life. */
const WHOLE_PROBE = 4;

export interface OpenApiProbeDependencies {
  readonly network: UpstreamNetwork;
  readonly catalogLimits: { readonly tools: number };
  readonly now: () => number;
}

/** Never rejects for the fault of the API or its description. */
export async function probeOpenApi(
  dependencies: OpenApiProbeDependencies,
  upstream: OpenApiUpstream,
  request: Omit<ProbeRequest, 'name'>,
): Promise<Exclude<ProbeResult, { gone: true }>> {
  const { fingerprint } = upstream;
  let stage: 'connect' | 'list' = 'list';
  try {
    const read = await readTools(dependencies, upstream, request);
    stage = 'connect';
    const startedAt = dependencies.now();
    const base = upstream.base_url ?? read?.base ?? heldCatalog(upstream, dependencies.catalogLimits.tools)?.base;
    if (base !== undefined) await signOfLife(dependencies.network, { ...upstream, base_url: base }, request.timeoutMs);
    const latencyMs = dependencies.now() - startedAt;
    const catalog = read === undefined ? undefined : await catalogOf(read, dependencies.now());
    return { ok: true, fingerprint, latencyMs, ...(catalog !== undefined && { catalog }) };
  } catch (error) {
    const { message, detail = message } = explainFailure(error, upstream, stage);
    return { ok: false, fingerprint, stage, message: detail, needsAuth: false };
  }
}

/** @returns undefined where they are not asked for, or stay as they are known because nobody can tell them now */
async function readTools(
  { network, catalogLimits }: OpenApiProbeDependencies,
  upstream: OpenApiUpstream,
  { listing, known, timeoutMs }: Omit<ProbeRequest, 'name'>,
): Promise<ApiCatalog | undefined> {
  const maxTools = catalogLimits.tools;
  const isLocated = upstream.base_url !== undefined || heldCatalog(upstream, maxTools) !== undefined;
  if (!listing && isLocated) return undefined;
  try {
    return await discover(upstream, { network, maxTools, signal: deadlineSignal(WHOLE_PROBE * timeoutMs) });
  } catch (error) {
    // The API may be well although whoever serves its description is not.
    if (known !== undefined && isLocated && error instanceof EgressError) return undefined;
    throw error;
  }
}

/** Any answer is one, as long as it is the API's own and not that of a proxy which cannot reach it. */
async function signOfLife(network: UpstreamNetwork, upstream: OpenApiUpstream, timeoutMs: number): Promise<void> {
  const { url, fetch: send } = network.endpoint(upstream);
  const headers = { 'user-agent': `${PRODUCT.name}/${PRODUCT.version}` };
  let response: Response;
  try {
    response = await send(url, { method: 'HEAD', headers, signal: deadlineSignal(timeoutMs) });
  } catch (error) {
    // A redirect, which is not followed.
    if (error instanceof EgressError && error.code === 'upstream_error') return;
    throw error;
  }
  await response.body?.cancel();
  const code = UNAVAILABLE.get(response.status);
  if (code !== undefined) throw new EgressError(code, 'may_have_run', `answered HTTP ${response.status}`);
}

async function catalogOf(api: ApiCatalog, now: number): Promise<Catalog> {
  const { tools, title, version = '', instructions, note } = api;
  const described = {
    tools,
    // No session, nothing to negotiate: as stateless as the newest revision.
    era: 'modern',
    // Changes are found here, by reading the description again: nobody needs to ask for more.
    capabilities: { tools: { listChanged: true } },
    ...(title !== undefined && { serverInfo: { name: title, version } }),
    ...(instructions !== undefined && { instructions }),
  } as const;
  const fingerprint = fingerprints.get(api.tools) ?? (await sha256(canonicalJson(described)));
  fingerprints.set(api.tools, fingerprint);
  return { ...described, fingerprint, ...(note !== undefined && { note }), at: now };
}

// Tools that were not read again are the same, and a large catalog takes a while to be measured.
const fingerprints = new WeakMap<ApiCatalog['tools'], string>();
