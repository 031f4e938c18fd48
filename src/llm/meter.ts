// Watches an answer go by and hands what it learns to the operation's reader. It sees bytes, it never changes them.
import { isObject, parseJson } from '../lib/json-value.ts';
import { SseParser } from '../lib/sse-parser.ts';
import { ANSWER_TAIL_BYTES } from './limits.ts';
import type { ResponseReader } from './response-reader.ts';

export interface Meter {
  see(chunk: Uint8Array): void;
  /** The answer ended as its sender meant it to. */
  end(): void;
}

export function eventStreamMeter(reader: ResponseReader): Meter {
  const parser = new SseParser((event) => reader.readEvent(event));
  return { see: (chunk) => parser.feed(chunk), end: () => {} };
}

/** For a JSON answer too large to be read whole: finds the usage in its tail. */
export function jsonTailMeter(reader: ResponseReader): Meter {
  let tail: Uint8Array[] = [];
  let length = 0;
  return {
    see(chunk) {
      tail.push(chunk.slice());
      length += chunk.byteLength;
      while (tail[0] !== undefined && length - tail[0].byteLength >= ANSWER_TAIL_BYTES) {
        length -= tail[0].byteLength;
        tail.shift();
      }
    },
    end() {
      const decoder = new TextDecoder();
      const text = tail.map((chunk) => decoder.decode(chunk, { stream: true })).join('');
      tail = [];
      reader.readBody({ usage: lastObjectNamed(text, 'usage') });
    },
  };
}

function lastObjectNamed(text: string, name: string): unknown {
  const key = text.lastIndexOf(`"${name}"`);
  const open = text.indexOf('{', key);
  if (key === -1 || open === -1) return undefined;
  for (let close = text.indexOf('}', open); close !== -1; close = text.indexOf('}', close + 1)) {
    const value = parseJson(text.slice(open, close + 1));
    if (isObject(value)) return value;
  }
  return undefined;
}

/** For answers that nothing is to be learnt from. */
export const NO_METER: Meter = { see: () => {}, end: () => {} };
