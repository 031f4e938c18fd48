// Upstreams' `requestState` on its way through the hands of clients (2026-07-28, MRTR). Sealed with AES-256-GCM, it tells
// them nothing, and opens only for the principal and the request it was given for, and for some minutes only. A state may
// come back more than once: a client may repeat a request that went astray.
import { decodeBase64, encodeBase64Url } from '../../lib/base64url.ts';
import { parseJson, textAt, countAt } from '../../lib/json-value.ts';
import type { RequestStateBinding, RequestStates } from '../client-request.ts';

/** NIST SP 800-38D §5.2.1.1: 96 bits; random, for fewer than 2^32 sealings under one key. */
const NONCE_BYTES = 12;
const VERSION = 1;
const LIFETIME_MS = 10 * 60_000;
/** Of an upstream's state, as JSON: the client sends it with every round. */
const MAX_STATE_BYTES = 256 * 1024;
/** In base64, with what is added to it. */
const MAX_SEALED_CHARACTERS = Math.ceil((MAX_STATE_BYTES * 4) / 3) + 200;

interface RequestStateOptions {
  readonly key: () => Promise<CryptoKey>;
  readonly now: () => number;
}

/** A sealed state is `version ∥ nonce ∥ AES-GCM({"until", "state"})` in base64url. */
export function createRequestStates({ key, now }: RequestStateOptions): RequestStates {
  return {
    /** @throws RangeError when the state is larger than any client should carry */
    async seal(state, binding) {
      const plain = new TextEncoder().encode(JSON.stringify({ until: now() + LIFETIME_MS, state }));
      if (plain.byteLength > MAX_STATE_BYTES) {
        throw new RangeError(`The upstream's requestState is larger than ${MAX_STATE_BYTES} bytes.`);
      }
      const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
      const sealed = new Uint8Array(await crypto.subtle.encrypt(boundTo(nonce, binding), await key(), plain));
      const whole = new Uint8Array(1 + NONCE_BYTES + sealed.byteLength);
      whole[0] = VERSION;
      whole.set(nonce, 1);
      whole.set(sealed, 1 + NONCE_BYTES);
      return encodeBase64Url(whole);
    },

    async open(sealed, binding) {
      const whole = sealed.length > MAX_SEALED_CHARACTERS ? undefined : decodeBase64(sealed);
      if (whole === undefined || whole[0] !== VERSION) return undefined;
      const parameters = boundTo(whole.subarray(1, 1 + NONCE_BYTES), binding);
      let plain: ArrayBuffer;
      try {
        plain = await crypto.subtle.decrypt(parameters, await key(), whole.subarray(1 + NONCE_BYTES));
      } catch {
        return undefined;
      }
      const opened = parseJson(new TextDecoder().decode(plain));
      if ((countAt(opened, 'until') ?? 0) <= now()) return undefined;
      const state = textAt(opened, 'state');
      return state === undefined ? {} : { state };
    },
  };
}

/** JSON, so that no two bindings make the same text. */
function boundTo(nonce: Uint8Array, { principal, method, upstream, digest }: RequestStateBinding) {
  const additionalData = new TextEncoder().encode(JSON.stringify([VERSION, principal, method, upstream, digest]));
  return { name: 'AES-GCM', iv: nonce, additionalData };
}
