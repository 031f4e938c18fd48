import { describe, expect, it } from 'vitest';
import { scanJson } from '../../../src/lib/json-scan.ts';
import { askingForUsage, UsageChunkFilter } from '../../../src/llm/asked-usage.ts';
import type { LlmRequestBody } from '../../../src/llm/model-name.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function bodyOf(text: string): LlmRequestBody {
  const { members } = scanJson(text, 1);
  return { text, value: JSON.parse(text), members, byteLength: encoder.encode(text).byteLength };
}

/** What comes out of a stream that comes in pieces of these sizes. */
function filtered(input: string, sizes: readonly number[]): string {
  const filter = new UsageChunkFilter();
  const bytes = encoder.encode(input);
  let out = '';
  let at = 0;
  for (const size of sizes) {
    out += decoder.decode(filter.pass(bytes.subarray(at, at + size)), { stream: true });
    at += size;
  }
  out += decoder.decode(filter.pass(bytes.subarray(at)), { stream: true });
  return out + decoder.decode(filter.end());
}

describe('the request', () => {
  it.each([
    ['{"stream":true,"seed":1e400}', '{"stream":true,"seed":1e400,"stream_options":{"include_usage":true}}'],
    [
      '{ "stream_options": {"include_obfuscation": false}, "stream": true }',
      '{ "stream_options": {"include_obfuscation":false,"include_usage":true}, "stream": true }',
    ],
    [
      '{"stream":true,"stream_options":{"include_usage":false}}',
      '{"stream":true,"stream_options":{"include_usage":true}}',
    ],
    ['{"stream":true,"stream_options":null}', '{"stream":true,"stream_options":{"include_usage":true}}'],
  ])('%s is made to ask', (text, asking) => {
    const changed = askingForUsage(bodyOf(text));
    expect(changed?.text).toBe(asking);
    expect(changed?.byteLength).toBe(asking.length);
  });

  it.each([
    '{"stream":true,"stream_options":{"include_usage":true}}',
    '{"stream":false}',
    '{"model":"m"}',
    '[]',
    '{"stream":"true"}',
  ])('%s stays as it is', (text) => {
    expect(askingForUsage(bodyOf(text))).toBeUndefined();
  });
});

describe('the stream', () => {
  const usage = '{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11}';
  const tricky = String.raw`{"choices":[{"delta":{"content":"a,\"usage\":null} ü😀"}}]`;
  const asked = [
    `data: ${tricky},"usage":null}\n\n`,
    ': a comment\n\n',
    'data: {"choices":[],"prompt_filter_results":[],"usage":null}\r\n\r\n',
    `data: {"id":"x","choices":[],"usage":${usage}}\n\n`,
    'data: [DONE]\n\n',
  ].join('');
  const wanted = [
    `data: ${tricky}}\n\n`,
    ': a comment\n\n',
    'data: {"choices":[],"prompt_filter_results":[]}\r\n\r\n',
    'data: [DONE]\n\n',
  ].join('');

  it('comes out as it would be had nobody asked, wherever its pieces end', () => {
    const { length } = encoder.encode(asked);
    expect(filtered(asked, [])).toBe(wanted);
    for (let cut = 0; cut <= length; cut++) expect(filtered(asked, [cut])).toBe(wanted);
    expect(
      filtered(
        asked,
        Array.from({ length }, () => 1),
      ),
    ).toBe(wanted);
  });

  it.each([
    ['usage beside choices, which the provider always tells', `data: {"choices":[{"index":0}],"usage":${usage}}\n\n`],
    ['an event that never ends', 'data: {"choices":[{"delta":{"content":"half'],
    ['what is no JSON', 'data: "usage" {\n\n'],
    ['an error', 'data: {"error":{"message":"no \\"usage\\""}}\n\n'],
  ])('%s passes', (_what, text) => {
    expect(filtered(text, [7])).toBe(text);
  });

  it('an event of megabytes passes without being held', () => {
    const filter = new UsageChunkFilter();
    const begun = filter.pass(encoder.encode(`data: {"choices":[{"delta":{"content":"${'x'.repeat(70_000)}`));
    expect(begun.length).toBeGreaterThan(70_000);
    expect(decoder.decode(filter.pass(encoder.encode(`y"}}],"usage":null}\n\ndata: [DONE]\n\n`)))).toBe(
      `y"}}],"usage":null}\n\ndata: [DONE]\n\n`,
    );
  });

  it('whole events go out at once', () => {
    const filter = new UsageChunkFilter();
    const event = 'data: {"choices":[{"delta":{"content":"a"}}]}\n\n';
    expect(decoder.decode(filter.pass(encoder.encode(event)))).toBe(event);
    expect(filter.end()).toHaveLength(0);
  });
});
