// Where an API is: what the configuration says, else what its description says, as far as that can be trusted. Pure.
import { err, ok, type Result } from '../../lib/result.ts';

export interface ApiAddress {
  /** Of the configuration. */
  readonly baseUrl?: string | undefined;
  /** Where the description was fetched from; absent when the operator gave it. */
  readonly specUrl?: string | undefined;
}

/**
 * @param server the description's first server
 * @returns an absolute URL, or what is wrong as a predicate of the description
 */
export function baseOf({ baseUrl, specUrl }: ApiAddress, server: string | undefined): Result<string, string> {
  if (baseUrl !== undefined) return ok(baseUrl);
  const url = URL.parse(server ?? '/', specUrl);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    return err('does not say where the API is (servers[0].url is not absolute): set base_url');
  }
  if (url.username !== '' || url.password !== '') return err("puts a password into the API's address: set base_url");
  // What comes over the wire must not decide to which address, perhaps a private one, calls and credentials go.
  if (specUrl !== undefined && url.origin !== new URL(specUrl).origin) {
    return err(`names an API on another host than its own, ${url.origin}: set base_url if that is right`);
  }
  url.hash = '';
  return ok(url.href);
}
