// Watches an answer go by and hands what it learns to the operation's reader. It sees bytes, it never changes them.
import { parseJson } from '../lib/json-value.ts';
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
      const members = TAIL_MEMBERS.map((name) => [name, lastValueNamed(text, name)] as const);
      reader.readBody(Object.fromEntries(members.filter(([, value]) => value !== undefined)));
    },
  };
}

/** What readers look for in an answer and that may stand at its end. */
const TAIL_MEMBERS = ['usage', 'usageMetadata', 'service_tier', 'tool_usage', 'model', 'modelVersion'] as const;

/** Of the last member of that name: an object or a text. In a text that the model wrote its quotes have backslashes. */
function lastValueNamed(text: string, name: string): unknown {
  const key = text.lastIndexOf(`"${name}"`);
  if (key === -1) return undefined;
  const value = text.slice(key + name.length + 2).replace(/^\s*:\s*/, '');
  const close = value.startsWith('{') ? '}' : value.startsWith('"') ? '"' : undefined;
  if (close === undefined) return undefined;
  for (let end = value.indexOf(close, 1); end !== -1; end = value.indexOf(close, end + 1)) {
    const parsed = parseJson(value.slice(0, end + 1));
    if (parsed !== undefined) return parsed;
  }
  return undefined;
}

/** For answers that nothing is to be learnt from. */
export const NO_METER: Meter = { see: () => {}, end: () => {} };
