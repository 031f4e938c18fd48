// Ids of client sessions. Each carries its own proof, so that one that is forged, or of another key or endpoint, is told
// without a look at anything stored.
import { decodeBase64, encodeBase64Url } from '../lib/base64url.ts';

/** Where a session is kept: the objects of a key are numbered and used again by later sessions. */
export interface SessionPlace {
  readonly slot: number;
  /** Tells a session from those that had the slot before. */
  readonly nonce: string;
}

/** Whom a session belongs to. */
export interface SessionHolder {
  readonly keyId: string;
  /** A server or tool group; absent for all that the key may see. */
  readonly endpoint?: string | undefined;
}

const NONCE_BYTES = 16;
const FORMAT = /^(0|[1-9]\d{0,8})\.([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})$/;
const encoder = new TextEncoder();

export function newSessionNonce(): string {
  return encodeBase64Url(crypto.getRandomValues(new Uint8Array(NONCE_BYTES)));
}

export interface SessionIds {
  /** `<slot>.<nonce>.<mac>`: visible ASCII, as MCP wants it, and safe in a URL. */
  seal(place: SessionPlace, holder: SessionHolder): Promise<string>;
  /** @returns undefined for what was not sealed here for this holder */
  open(id: string, holder: SessionHolder): Promise<SessionPlace | undefined>;
}

// Spares the proof to an id that was found genuine before: a session sends its own with every request.
const genuine = new WeakMap<CryptoKey, Map<string, SessionPlace>>();
const MOST_GENUINE = 10_000;

/** @param key the HMAC key for session ids, of the keyring */
export function createSessionIds(key: () => Promise<CryptoKey>): SessionIds {
  return {
    async seal(place, holder) {
      const mac = new Uint8Array(await crypto.subtle.sign('HMAC', await key(), boundText(place, holder)));
      return `${place.slot}.${place.nonce}.${encodeBase64Url(mac)}`;
    },
    async open(id, holder) {
      const sealingKey = await key();
      const seen = genuine.get(sealingKey);
      const claim = JSON.stringify([id, holder.keyId, holder.endpoint ?? null]);
      const known = seen?.get(claim);
      if (known !== undefined) return known;
      const [, slot, nonce, macText = ''] = FORMAT.exec(id) ?? [];
      const mac = decodeBase64(macText);
      if (slot === undefined || nonce === undefined || mac === undefined) return undefined;
      const place = { slot: Number(slot), nonce };
      if (!(await crypto.subtle.verify('HMAC', sealingKey, mac, boundText(place, holder)))) return undefined;
      const kept = seen === undefined || seen.size >= MOST_GENUINE ? new Map<string, SessionPlace>() : seen;
      genuine.set(sealingKey, kept.set(claim, place));
      return place;
    },
  };
}

function boundText({ slot, nonce }: SessionPlace, { keyId, endpoint }: SessionHolder): Uint8Array {
  return encoder.encode(JSON.stringify([slot, nonce, keyId, endpoint ?? null]));
}
