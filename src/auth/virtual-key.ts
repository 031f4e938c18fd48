// The credential that agents hold. It is kept as a keyed hash: a copy of the database does not help to guess even a
// short key without the master key.
import { hmacHex } from '../lib/hmac.ts';

export const VIRTUAL_KEY_PREFIX = 'vk-';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const RANDOM_CHARACTERS = 32;
/** Bytes from here on would make the first letters of the alphabet likelier than the others. */
const FAIR_BELOW = 256 - (256 % ALPHABET.length);
const MAX_DISPLAYED = 6;

/** `vk-` and 190 random bits. */
export function mintVirtualKey(): string {
  let random = '';
  while (random.length < RANDOM_CHARACTERS) {
    for (const byte of crypto.getRandomValues(new Uint8Array(RANDOM_CHARACTERS)))
      if (byte < FAIR_BELOW && random.length < RANDOM_CHARACTERS) random += ALPHABET.charAt(byte % ALPHABET.length);
  }
  return VIRTUAL_KEY_PREFIX + random;
}

/** @param hashKey the HMAC key for virtual keys, of the keyring */
export function hashVirtualKey(hashKey: CryptoKey, key: string): Promise<string> {
  return hmacHex(hashKey, key);
}

/** As much of a key as may be shown to recognise it by: never more than a third of it. */
export function displayPrefix(key: string): string {
  return key.slice(0, Math.min(MAX_DISPLAYED, Math.floor(key.length / 3)));
}
