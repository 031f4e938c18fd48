// Usage that cannot be true. It never throws, it is never taken for little or nothing, and the record says so.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { costOf } from '../../../../src/budget/price.ts';
import type { Usage } from '../../../../src/budget/usage.ts';
import { OPERATIONS, type Operation } from '../../../../src/llm/operation.ts';

const PRICE = {
  input_mtok: 1,
  cache_read_mtok: 0.1,
  cache_write_mtok: 1.25,
  cache_write_1h_mtok: 2,
  input_audio_mtok: 10,
  output_mtok: 5,
  output_audio_mtok: 20,
};

function usageOf(operation: Operation, body: unknown): Usage | undefined {
  const reader = operation.createReader();
  reader.readBody(body);
  return reader.facts().usage;
}

const text = { choices: [{ message: { role: 'assistant', content: 'Hello!' } }] };
const output = [{ type: 'message', content: [{ type: 'output_text', text: 'Hello!' }] }];
const content = [{ type: 'text', text: 'Hello!' }];
const candidates = [{ content: { parts: [{ text: 'Hello!' }] }, finishReason: 'STOP' }];

/** One answer for each dialect with the same counts, by what they mean. */
const DIALECTS: readonly [
  name: string,
  operation: Operation,
  body: (input: unknown, read: unknown, out: unknown, reasoning: unknown) => unknown,
][] = [
  [
    'Chat Completions',
    OPERATIONS.chatCompletions,
    (input, read, out, reasoning) => ({
      ...text,
      usage: {
        prompt_tokens: input,
        prompt_tokens_details: { cached_tokens: read },
        completion_tokens: out,
        completion_tokens_details: { reasoning_tokens: reasoning },
      },
    }),
  ],
  [
    'Responses',
    OPERATIONS.responses,
    (input, read, out, reasoning) => ({
      output,
      usage: {
        input_tokens: input,
        input_tokens_details: { cached_tokens: read },
        output_tokens: out,
        output_tokens_details: { reasoning_tokens: reasoning },
      },
    }),
  ],
  [
    'Gemini',
    OPERATIONS.generateContent,
    (input, read, out, reasoning) => ({
      candidates,
      usageMetadata: {
        promptTokenCount: input,
        cachedContentTokenCount: read,
        candidatesTokenCount: typeof out === 'number' && typeof reasoning === 'number' ? out - reasoning : out,
        thoughtsTokenCount: reasoning,
      },
    }),
  ],
];

describe.each(DIALECTS)('%s', (_name, operation, body) => {
  it('takes what can be true', () => {
    expect(usageOf(operation, body(100, 40, 30, 20))).toMatchObject({
      inputTokens: 100,
      cacheReadTokens: 40,
      outputTokens: 30,
      reasoningTokens: 20,
      certainty: 'exact',
    });
  });

  it.each([
    ['a negative count', -1],
    ['a fraction', 1.5],
    ['a text', '100'],
    ['NaN, as a list', [Number.NaN]],
    ['an object', {}],
    ['more than there ever was', 1e13],
    ['more than a double can count', 1e300],
    ['nothing for a request that was not empty', 0],
  ])('%s as input is unknown', (_what, input) => {
    const usage = usageOf(operation, body(input, undefined, 30, undefined));
    expect(usage).toMatchObject({ outputTokens: 30, certainty: 'lower_bound' });
    expect(usage).not.toHaveProperty('inputTokens');
  });

  it.each([
    ['a negative count', -5],
    ['a text', 'many'],
    ['nothing at all for an answer that says something', 0],
  ])('%s as output is one token at least', (_what, out) => {
    const usage = usageOf(operation, body(100, undefined, out, undefined));
    expect(usage).toEqual({ inputTokens: 100, outputTokens: 1, certainty: 'lower_bound' });
  });

  it('more read from the cache than there was: which of the two is wrong is not known', () => {
    const usage = usageOf(operation, body(10, 1000, 30, undefined));
    expect(usage).toEqual({ outputTokens: 30, certainty: 'lower_bound' });
  });

  it('a part that cannot be counted leaves the whole', () => {
    const usage = usageOf(operation, body(100, -3, 30, undefined));
    expect(usage).toEqual({ inputTokens: 100, outputTokens: 30, certainty: 'lower_bound' });
  });
});

it('more reasoning than output is no output that is known', () => {
  const usage = { prompt_tokens: 10, completion_tokens: 5, completion_tokens_details: { reasoning_tokens: 50 } };
  expect(usageOf(OPERATIONS.chatCompletions, { ...text, usage })).toEqual({
    inputTokens: 10,
    outputTokens: 1,
    certainty: 'lower_bound',
  });
});

describe('Messages', () => {
  const plain = { input_tokens: 100, output_tokens: 30 };

  it.each([
    ['input', { input_tokens: -100 }, { outputTokens: 30 }],
    ['what was read', { cache_read_input_tokens: 'x' }, { outputTokens: 30 }],
    ['what was written', { cache_creation_input_tokens: 1e20 }, { outputTokens: 30 }],
    [
      'more for an hour than at all',
      {
        cache_creation_input_tokens: 5,
        cache_creation: { ephemeral_1h_input_tokens: 50 },
      },
      { outputTokens: 30 },
    ],
    ['output', { output_tokens: null }, { inputTokens: 100, outputTokens: 1 }],
    ['reasoning', { output_tokens_details: { thinking_tokens: 31 } }, { inputTokens: 100, outputTokens: 1 }],
    [
      'a compaction',
      { iterations: [{ type: 'compaction', input_tokens: -1, output_tokens: 1 }] },
      { outputTokens: 31 },
    ],
  ])('%s that cannot be true', (_what, more, known) => {
    expect(usageOf(OPERATIONS.messages, { content, usage: { ...plain, ...more } })).toEqual({
      ...known,
      certainty: 'lower_bound',
    });
  });
});

describe('an answer without usage', () => {
  it.each([
    ['Chat Completions', OPERATIONS.chatCompletions, text],
    ['Responses', OPERATIONS.responses, { output }],
    ['Messages', OPERATIONS.messages, { content }],
    ['Gemini', OPERATIONS.generateContent, { candidates }],
  ])('of %s is one token at least, and its bytes are counted', (_name, operation, body) => {
    const reader = operation.createReader();
    reader.readBody(body);
    expect(reader.facts()).toMatchObject({ usage: { outputTokens: 1, certainty: 'lower_bound' }, outputBytes: 6 });
  });

  it('embeddings are a lower bound of nothing', () => {
    expect(usageOf(OPERATIONS.embeddings, { data: [] })).toEqual({ certainty: 'lower_bound' });
  });
});

it('whatever a provider reports, nothing throws and no cost is negative or zero', () => {
  const odd = fc.oneof(fc.integer(), fc.double(), fc.string(), fc.constant(null), fc.constant(undefined), fc.object());
  const names = [
    'prompt_tokens',
    'completion_tokens',
    'total_tokens',
    'input_tokens',
    'output_tokens',
    'cache_read_input_tokens',
    'cache_creation_input_tokens',
    'promptTokenCount',
    'candidatesTokenCount',
    'thoughtsTokenCount',
    'cachedContentTokenCount',
  ];
  const details = fc.record({ cached_tokens: odd, cache_write_tokens: odd, audio_tokens: odd, reasoning_tokens: odd });
  const usages = fc.record({
    ...Object.fromEntries(names.map((name) => [name, fc.oneof(odd, fc.nat(5000))])),
    prompt_tokens_details: details,
    completion_tokens_details: details,
    input_tokens_details: details,
    output_tokens_details: details,
    iterations: fc.oneof(odd, fc.array(fc.record({ type: fc.constant('compaction'), input_tokens: odd }))),
    cache_creation: fc.record({ ephemeral_1h_input_tokens: odd, ephemeral_5m_input_tokens: odd }),
    server_tool_use: fc.record({ web_search_requests: odd }),
    promptTokensDetails: fc.oneof(odd, fc.array(fc.record({ modality: fc.constant('AUDIO'), tokenCount: odd }))),
    serviceTier: odd,
  });
  fc.assert(
    fc.property(usages, (usage) => {
      for (const operation of Object.values<Operation>(OPERATIONS)) {
        if (operation.path.endsWith('ount_tokens') || operation.path.endsWith('countTokens')) continue;
        const reader = operation.createReader();
        reader.readBody({ ...text, output, content, candidates, usage, usageMetadata: usage });
        const read = reader.facts().usage;
        expect(read).toBeDefined();
        if (read === undefined) continue;
        for (const value of Object.values(read)) if (typeof value === 'number') expect(value).toBeGreaterThanOrEqual(0);
        const cost = costOf(read, PRICE);
        if (cost !== undefined) expect(cost).toBeGreaterThan(0);
      }
    }),
    { numRuns: 500 },
  );
});
