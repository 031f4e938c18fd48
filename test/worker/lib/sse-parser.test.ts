import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { SseParser, type SseEvent } from '../../../src/lib/sse-parser.ts';

function parse(text: string, sizes: readonly number[] = []): SseEvent[] {
  const events: SseEvent[] = [];
  const parser = new SseParser((event) => events.push(event));
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  for (const size of sizes) {
    parser.feed(bytes.slice(at, at + size));
    at += size;
  }
  parser.feed(bytes.slice(at));
  return events;
}

it.each<[string, SseEvent[]]>([
  ['data: a\n\n', [{ type: '', data: 'a' }]],
  ['data:a\r\n\r\n', [{ type: '', data: 'a' }]],
  ['event: x\ndata: a\ndata:  b\n\n', [{ type: 'x', data: 'a\n b' }]],
  [': comment\n\nid: 1\nretry: 5\n\n', []],
  ['event: only\n\ndata: next\n\n', [{ type: '', data: 'next' }]],
  ['data: unfinished', []],
  [
    'data: é🙂\n\ndata: [DONE]\n\n',
    [
      { type: '', data: 'é🙂' },
      { type: '', data: '[DONE]' },
    ],
  ],
])('%j', (text, events) => {
  expect(parse(text)).toEqual(events);
});

it('does not care where chunks end', () => {
  const text = 'event: a\r\ndata: {"x":"é🙂"}\r\n\r\n: ping\n\nevent: b\ndata: 1\ndata: 2\n\ndata: [DONE]\n\n';
  const whole = parse(text);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 9 })), (sizes) => {
      expect(parse(text, sizes)).toEqual(whole);
    }),
  );
});

it('passes over an event too long to hold and reads on after it', () => {
  const events: SseEvent[] = [];
  const parser = new SseParser((event) => events.push(event));
  const filler = new Uint8Array(1024 * 1024).fill(0x78);
  parser.feed(new TextEncoder().encode('data: '));
  for (let megabyte = 0; megabyte < 18; megabyte++) parser.feed(filler);
  parser.feed(new TextEncoder().encode('\n\ndata: after\n\n'));
  expect(events).toEqual([{ type: '', data: 'after' }]);
});

it('knows where the stream may be taken up again', () => {
  const parser = new SseParser(() => {});
  const feed = (text: string): void => parser.feed(new TextEncoder().encode(text));
  feed('data: a\n\n');
  expect([parser.lastEventId, parser.retryMs]).toEqual([undefined, undefined]);
  feed('id: e-1\nretry: 250\ndata:\n\nretry: soon\ndata: b\n\n');
  expect([parser.lastEventId, parser.retryMs]).toEqual(['e-1', 250]);
});
