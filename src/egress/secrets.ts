import type { Upstream } from '../policy/snapshot.ts';

/** Shorter values are words such as "1" or "dev": masking them would only garble a message. */
const SHORTEST_SECRET = 4;

/** Every value of the definition that may be a credential: headers (with and without their scheme), environment, query. */
function secretsOf(upstream: Upstream): string[] {
  const values =
    upstream.type === 'stdio'
      ? Object.values(upstream.env ?? {})
      : [...Object.values(upstream.headers ?? {}), ...queryValues(addressesOf(upstream))];
  const all = [...values, ...values.flatMap((value) => value.split(/\s+/))];
  return all.filter((value) => value.length >= SHORTEST_SECRET).toSorted((a, b) => b.length - a.length);
}

function addressesOf(upstream: Exclude<Upstream, { type: 'stdio' }>): string[] {
  if (upstream.type !== 'openapi') return [upstream.url];
  const { spec, base_url: baseUrl } = upstream;
  return ['url' in spec ? spec.url : undefined, baseUrl].filter((address) => address !== undefined);
}

function queryValues(addresses: readonly string[]): string[] {
  return addresses.flatMap((address) => Array.from(new URL(address).searchParams.values()));
}

/** The text with every configured credential of the upstream replaced: upstreams quote what they were sent. */
export function maskSecrets(text: string, upstream: Upstream): string {
  return secretsOf(upstream).reduce((masked, secret) => masked.replaceAll(secret, '***'), text);
}
