// Secrets at rest: AES-256-GCM under a key derived from the master key. A sealed value is bound to its place, so that
// nobody who can write the database can move one to where it would be sent to another host.
import { decodeBase64, encodeBase64Url } from '../lib/base64url.ts';
import type { Keyring } from './keyring.ts';
import type { ObjectKind } from './objects.ts';
import { replaceSecrets } from './secret-places.ts';

/** NIST SP 800-38D §5.2.1.1: 96 bits; random, for fewer than 2^32 sealings under one key. */
const NONCE_BYTES = 12;
const VERSION = 'v1';

export class SealError extends Error {
  override readonly name = 'SealError';
}

/** A copy of the document with each secret as `{ "$sealed": "v1.…" }`. */
export function sealSecrets(keyring: Keyring, kind: ObjectKind, name: string, document: unknown): Promise<unknown> {
  return replaceSecrets(kind, document, async (value, { path }) => {
    const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
    const parameters = { name: 'AES-GCM', iv: nonce, additionalData: boundTo(kind, name, path) };
    const plain = new TextEncoder().encode(JSON.stringify(value));
    const sealed = new Uint8Array(await crypto.subtle.encrypt(parameters, keyring.sealing, plain));
    const whole = new Uint8Array(NONCE_BYTES + sealed.byteLength);
    whole.set(nonce);
    whole.set(sealed, NONCE_BYTES);
    return { $sealed: `${VERSION}.${encodeBase64Url(whole)}` };
  });
}

/** The reverse. @throws SealError when a value was sealed under another key, for another place, or was altered */
export function unsealSecrets(keyring: Keyring, kind: ObjectKind, name: string, document: unknown): Promise<unknown> {
  return replaceSecrets(kind, document, async (value, { path }) => {
    const bytes = sealedBytes(value);
    if (bytes === undefined)
      throw new SealError(`The stored secret ${kind}/${name}/${path} is not sealed. Set it anew.`);
    const parameters = {
      name: 'AES-GCM',
      iv: bytes.slice(0, NONCE_BYTES),
      additionalData: boundTo(kind, name, path),
    };
    try {
      const plain = await crypto.subtle.decrypt(parameters, keyring.sealing, bytes.slice(NONCE_BYTES));
      return JSON.parse(new TextDecoder().decode(plain)) as unknown;
    } catch (cause) {
      throw new SealError(
        `The stored secret ${kind}/${name}/${path} does not open with this SALLYPORT_MASTER_KEY. Start with the key it was sealed with, or set the secret anew.`,
        { cause },
      );
    }
  });
}

function sealedBytes(value: unknown): Uint8Array | undefined {
  if (typeof value !== 'object' || value === null || !('$sealed' in value) || typeof value.$sealed !== 'string')
    return undefined;
  const [version, text] = value.$sealed.split('.');
  return version === VERSION && text !== undefined ? decodeBase64(text) : undefined;
}

function boundTo(kind: string, name: string, path: string): Uint8Array {
  return new TextEncoder().encode(JSON.stringify([VERSION, kind, name, path]));
}
