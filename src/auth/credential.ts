// Where a caller's key may stand: in one of four headers, never in the URL, which logs and proxies keep.
import { err, ok, type Result } from '../lib/result.ts';

export const CREDENTIAL_HEADERS = ['authorization', 'x-api-key', 'api-key', 'x-goog-api-key'] as const;
const CREDENTIAL_PARAMETERS: ReadonlySet<string> = new Set([
  'key',
  'api_key',
  'api-key',
  'apikey',
  'access_token',
  'x-api-key',
  'x-goog-api-key',
]);

/**
 * The key presented in the headers. The same key in several headers is one key; different ones are refused, for which
 * of them counts would be a guess.
 */
export function presentedKey(headers: Headers): Result<string, 'missing_key' | 'several_keys'> {
  const presented = new Set<string>();
  for (const name of CREDENTIAL_HEADERS) {
    const value = headers.get(name);
    if (value === null) continue;
    const key = name === 'authorization' ? bearerOf(value) : value.trim();
    if (key !== undefined && key !== '') presented.add(key);
  }
  const [key, ...others] = presented;
  if (key === undefined) return err('missing_key');
  return others.length === 0 ? ok(key) : err('several_keys');
}

/** RFC 6750 §2.1; the scheme's case does not count (RFC 9110 §11.1). */
export function bearerOf(authorization: string): string | undefined {
  return /^bearer +(\S+) *$/i.exec(authorization)?.[1];
}

/** Whether a query parameter is one that is meant to carry a key, whatever its value. */
export function isCredentialParameter(name: string): boolean {
  return CREDENTIAL_PARAMETERS.has(name.toLowerCase());
}
