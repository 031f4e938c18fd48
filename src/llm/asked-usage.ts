// Usage for the gateway's own accounts out of a stream whose caller did not ask for it: the request is made to ask, and
// what the provider says more than the caller wanted is taken out again. Only for Chat Completions; every other stream tells.
import { joinedBytes } from '../lib/bytes.ts';
import { isObject, parseJson, at, listAt } from '../lib/json-value.ts';
import { withMember } from './agent/request-edit.ts';
import type { LlmRequestBody } from './model-name.ts';

/** The request asking for usage; undefined where it does not stream or asks already. */
export function askingForUsage(body: LlmRequestBody): LlmRequestBody | undefined {
  if (at(body.value, 'stream') !== true || at(body.value, 'stream_options', 'include_usage') === true) return undefined;
  const options = at(body.value, 'stream_options');
  return withMember(body, 'stream_options', { ...(isObject(options) ? options : {}), include_usage: true });
}

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const NOTHING = new Uint8Array(0);
/** An event beyond this is passed on as it comes: it is not the one that is looked for. */
const MAX_HELD_BYTES = 64 * 1024;
const encoder = new TextEncoder();

/** Takes out of a stream what `askingForUsage` added. Pieces go in as they come, and whole events come out. */
export class UsageChunkFilter {
  readonly #decoder = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true });
  /** Of an event that is not complete. */
  #held: Uint8Array = NOTHING;
  #lineIsEmpty = true;
  #isOverlong = false;

  /** @returns what may go out now; often empty, where the piece ends within an event */
  pass(piece: Uint8Array): Uint8Array {
    const out: Uint8Array[] = [];
    let start = 0;
    for (let index = 0; index < piece.length; index++) {
      const byte = piece[index];
      if (byte === LINE_FEED) {
        if (this.#lineIsEmpty) {
          out.push(this.#event(piece.subarray(start, index + 1)));
          start = index + 1;
        }
        this.#lineIsEmpty = true;
      } else if (byte !== CARRIAGE_RETURN) this.#lineIsEmpty = false;
    }
    out.push(this.#hold(piece.subarray(start)));
    return joinedBytes(out);
  }

  /** What is held of an event that never ended. */
  end(): Uint8Array {
    const held = this.#held;
    this.#held = NOTHING;
    return held;
  }

  #hold(rest: Uint8Array): Uint8Array {
    if (this.#isOverlong) return rest;
    this.#held = joinedBytes([this.#held, rest]);
    if (this.#held.length <= MAX_HELD_BYTES) return NOTHING;
    this.#isOverlong = true;
    return this.end();
  }

  #event(end: Uint8Array): Uint8Array {
    const bytes = joinedBytes([this.end(), end]);
    if (this.#isOverlong) {
      this.#isOverlong = false;
      return bytes;
    }
    const text = this.#decoder.decode(bytes);
    if (!text.includes('"usage"')) return bytes;
    if (isUsageChunk(text)) return NOTHING;
    // Every other chunk says that it has none. Within a text the quotes would have backslashes.
    const shortened = text.replace(/,\s*"usage"\s*:\s*null(?=\s*[,}])/, '');
    return shortened === text ? bytes : encoder.encode(shortened);
  }
}

/** The one chunk more that a provider sends when it is asked: usage, and no choices. */
function isUsageChunk(event: string): boolean {
  const data = event
    .split(/\r?\n/)
    .flatMap((line) => (line.startsWith('data:') ? [line.slice(5)] : []))
    .join('\n');
  const chunk = parseJson(data);
  return isObject(at(chunk, 'usage')) && listAt(chunk, 'choices').length === 0;
}
