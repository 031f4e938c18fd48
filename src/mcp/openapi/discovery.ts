// The tools of an API, read anew only when its description changed.
import { sha256 } from '../../lib/sha256.ts';
import { readCatalog, type ApiCatalog } from './catalog.ts';
import { readSpec, unusable, type OpenApiUpstream } from './spec-source.ts';
import type { UpstreamNetwork } from '../ports.ts';
import { EgressError } from '../../egress/egress-error.ts';

export interface Discovery {
  readonly network: UpstreamNetwork;
  readonly maxTools: number;
  readonly signal: AbortSignal;
}

interface Known {
  /** Of the definition that it was read for. */
  readonly fingerprint: string;
  readonly maxTools: number;
  readonly etag?: string;
  /** Of the text. */
  readonly digest: string;
  readonly catalog: ApiCatalog;
}

const MOST_KNOWN = 100;
/** By the server's name. Plain data, which may outlive the request that brought it. */
const known = new Map<string, Known>();

/** What was read before, without asking anyone. */
export function heldCatalog(upstream: OpenApiUpstream, maxTools: number): ApiCatalog | undefined {
  return heldFor(upstream, maxTools)?.catalog;
}

/**
 * The tools as of now. When the description cannot be read any more they are those of the last time, and the note says so.
 * @throws EgressError when there was no last time
 */
export async function discover(upstream: OpenApiUpstream, options: Discovery): Promise<ApiCatalog> {
  const held = heldFor(upstream, options.maxTools);
  if (held !== undefined && !('url' in upstream.spec)) return held.catalog;
  try {
    return await readAgain(upstream, options, held);
  } catch (error) {
    if (held === undefined || !(error instanceof EgressError)) throw error;
    const note = `its description could not be read again, so that its tools are those of the last time: it ${error.message}`;
    return { ...held.catalog, note: held.catalog.note === undefined ? note : `${note}; ${held.catalog.note}` };
  }
}

async function readAgain(
  upstream: OpenApiUpstream,
  { network, maxTools, signal }: Discovery,
  held: Known | undefined,
): Promise<ApiCatalog> {
  const spec = await readSpec(upstream, network, { etag: held?.etag, signal });
  if (spec === undefined && held !== undefined) return held.catalog;
  const { text = '', etag } = spec ?? {};
  const digest = await sha256(text);
  if (held?.digest === digest) return held.catalog;
  const read = readCatalog(text, {
    baseUrl: upstream.base_url,
    specUrl: 'url' in upstream.spec ? upstream.spec.url : undefined,
    headers: Object.keys(upstream.headers ?? {}),
    maxTools,
  });
  if (!read.ok) throw unusable(read.error);
  const { fingerprint } = upstream;
  remember(upstream.name, { fingerprint, maxTools, digest, catalog: read.value, ...(etag !== undefined && { etag }) });
  return read.value;
}

function heldFor({ name, fingerprint }: OpenApiUpstream, maxTools: number): Known | undefined {
  const held = known.get(name);
  return held?.fingerprint === fingerprint && held.maxTools === maxTools ? held : undefined;
}

/** The longest unchanged makes room. */
function remember(name: string, entry: Known): void {
  known.delete(name);
  known.set(name, entry);
  const [oldest] = known.keys();
  if (known.size > MOST_KNOWN && oldest !== undefined) known.delete(oldest);
}
