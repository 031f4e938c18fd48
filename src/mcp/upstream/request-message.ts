// What every request to an upstream has of its own hop.
import { isObject, type JsonObject } from '../../lib/json-value.ts';

let last: number | undefined;

/**
 * An id that no other request of this isolate has, nor, but for rare chance, one before a restart in a session that
 * goes on. It is the request's progress token too.
 */
export function ownId(): number {
  // Chance is to be had within a request only, hence not at the top. Within 31 bits, for servers with small integers.
  last ??= (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) >>> 2;
  last = last >= 0x7fff_fffe ? 1 : last + 1;
  return last;
}

/** The parameters with these members of `_meta` set; absent stays absent where there are none. */
export function withMeta(params: JsonObject | undefined, own: JsonObject): JsonObject {
  const meta = params?.['_meta'];
  if (Object.keys(own).length === 0) return params ?? {};
  return { ...params, _meta: { ...(isObject(meta) && meta), ...own } };
}
