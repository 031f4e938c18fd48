// Where a description comes from: the configuration itself, or an address that the operator configured.
import { EgressError } from '../../egress/egress-error.ts';
import { readBody } from '../../egress/response-limit.ts';
import { decodeBase64 } from '../../lib/base64url.ts';
import { PRODUCT } from '../../lib/product.ts';
import type { Upstream } from '../../policy/snapshot.ts';
import type { UpstreamNetwork } from '../ports.ts';
import { SPEC_BYTES } from './limits.ts';
import { tooLarge } from './spec-text.ts';

export type OpenApiUpstream = Extract<Upstream, { type: 'openapi' }>;

export interface SpecText {
  readonly text: string;
  /** Of the answer that brought it. */
  readonly etag?: string;
}

/**
 * @param etag of the text that is known
 * @returns undefined when it is still the same
 * @throws EgressError with what is wrong
 */
export async function readSpec(
  upstream: OpenApiUpstream,
  network: UpstreamNetwork,
  { etag, signal }: { readonly etag?: string | undefined; readonly signal: AbortSignal },
): Promise<SpecText | undefined> {
  const { spec } = upstream;
  if ('document' in spec) return { text: spec.document };
  if ('gzip' in spec) return { text: await unpack(spec.gzip) };
  try {
    return await fetchSpec(upstream, spec.url, network, { etag, signal });
  } catch (error) {
    if (!(error instanceof EgressError)) throw error;
    throw new EgressError(
      error.code,
      error.progress,
      `has a description that cannot be read: its address ${error.message}`,
    );
  }
}

/** What is wrong with a description, in words that follow the server's name. */
export function unusable(predicate: string): EgressError {
  return new EgressError('upstream_error', 'not_started', `cannot be offered: its description ${predicate}`);
}

async function unpack(gzip: string): Promise<string> {
  const packed = decodeBase64(gzip);
  if (packed === undefined) throw unusable('is not valid base64');
  const unpacked = new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip')));
  try {
    return new TextDecoder().decode(await readBody(unpacked, SPEC_BYTES));
  } catch (error) {
    throw unusable(error instanceof EgressError ? tooLarge : 'does not unpack as gzip');
  }
}

async function fetchSpec(
  upstream: OpenApiUpstream,
  address: string,
  network: UpstreamNetwork,
  { etag, signal }: { readonly etag?: string | undefined; readonly signal: AbortSignal },
): Promise<SpecText | undefined> {
  const { url, fetch: send } = network.endpoint(asSpecHost(upstream, address));
  const headers = {
    accept: 'application/json, application/yaml, text/yaml;q=0.9, */*;q=0.5',
    'user-agent': `${PRODUCT.name}/${PRODUCT.version}`,
    ...(etag !== undefined && { 'if-none-match': etag }),
  };
  const response = await send(url, { headers, signal });
  if (response.status === 304 && etag !== undefined) {
    await response.body?.cancel();
    return undefined;
  }
  if (!response.ok) {
    await response.body?.cancel();
    throw new EgressError('upstream_error', 'may_have_run', `answered HTTP ${response.status}`);
  }
  const text = new TextDecoder().decode(await readBody(response, SPEC_BYTES));
  const newEtag = response.headers.get('etag');
  return { text, ...(newEtag !== null && { etag: newEtag }) };
}

/** The credentials are the API's: another host that only serves its description does not get them. */
function asSpecHost(upstream: OpenApiUpstream, address: string): OpenApiUpstream {
  const { headers, base_url: baseUrl, ...rest } = upstream;
  const isOwnHost = baseUrl === undefined || new URL(baseUrl).origin === new URL(address).origin;
  return { ...rest, base_url: address, ...(isOwnHost && headers !== undefined && { headers }) };
}
