// What is derived from the master key: one key per use, so that no use can stand in for another (RFC 5869 §3.2).
import { decodeBase64 } from '../lib/base64url.ts';
import { err, ok, type Result } from '../lib/result.ts';

export interface Keyring {
  /** AES-256-GCM, for secrets at rest. */
  readonly sealing: CryptoKey;
  /** HMAC-SHA-256, for virtual keys at rest. */
  readonly virtualKeys: CryptoKey;
  /** HMAC-SHA-256, for telling whether a definition changed without revealing it. */
  readonly fingerprints: CryptoKey;
  /** AES-256-GCM, for what servers give clients to carry until they come back (`requestState`). */
  readonly requestStates: CryptoKey;
  /** HMAC-SHA-256, for the ids of client sessions. */
  readonly sessionIds: CryptoKey;
}

const MASTER_KEY_BYTES = 32;
const AES = { name: 'AES-GCM', length: 256 };
const HMAC = { name: 'HMAC', hash: 'SHA-256', length: 256 };

let opened: { readonly masterKey: string; readonly keyring: Keyring } | undefined;

/**
 * Derives the keys; remembered for the isolate's life.
 * @param masterKey 32 bytes in base64
 * @returns as error what the operator must do
 */
export async function openKeyring(masterKey: string | undefined): Promise<Result<Keyring, string>> {
  if (masterKey === undefined || masterKey === '')
    return err('SALLYPORT_MASTER_KEY is not set. Set it to 32 random bytes in base64 (`openssl rand -base64 32`).');
  if (opened?.masterKey === masterKey) return ok(opened.keyring);
  const bytes = decodeBase64(masterKey.trim());
  if (bytes?.byteLength !== MASTER_KEY_BYTES)
    return err('SALLYPORT_MASTER_KEY must be 32 bytes in base64 (`openssl rand -base64 32` makes one).');

  const root = await crypto.subtle.importKey('raw', bytes, 'HKDF', false, ['deriveKey']);
  const derive = (use: string, algorithm: SubtleCryptoImportKeyAlgorithm, usages: string[]): Promise<CryptoKey> =>
    crypto.subtle.deriveKey(
      { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: new TextEncoder().encode(`sallyport/v1/${use}`) },
      root,
      algorithm,
      false,
      usages,
    );
  const keyring = {
    sealing: await derive('sealing', AES, ['encrypt', 'decrypt']),
    virtualKeys: await derive('virtual-keys', HMAC, ['sign']),
    fingerprints: await derive('fingerprints', HMAC, ['sign']),
    requestStates: await derive('request-states', AES, ['encrypt', 'decrypt']),
    sessionIds: await derive('session-ids', HMAC, ['sign', 'verify']),
  };
  opened = { masterKey, keyring };
  return ok(keyring);
}
