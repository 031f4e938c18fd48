// What a call is charged, by how far it got and what was seen of it.
import { describe, expect, it } from 'vitest';
import { toNanoUsd } from '../../../../src/budget/money.ts';
import { costOf } from '../../../../src/budget/price.ts';
import type { Usage } from '../../../../src/budget/usage.ts';
import { chargeOf, progressOf, type EndedCall } from '../../../../src/llm/estimate/charge.ts';
import type { Estimate } from '../../../../src/llm/estimate/need.ts';
import { CHAT, estimated, GEMINI, MESSAGES, PRICE, RESPONSES } from './call.ts';

/** 1,000 and 10,000 nano-dollars a token; 5,000 of output at most. */
const ESTIMATE = estimated(CHAT, { max_tokens: 5000, messages: [{ role: 'user', content: 'x'.repeat(1000) }] });
const INPUT = ESTIMATE.inputTokens;
const WHOLE = ESTIMATE.need;

const lower = (counts: Omit<Usage, 'certainty'>): Usage => ({ ...counts, certainty: 'lower_bound' });
const exact = (counts: Omit<Usage, 'certainty'>): Usage => ({ ...counts, certainty: 'exact' });

function charge(call: Partial<EndedCall>, estimate: Estimate = ESTIMATE): ReturnType<typeof chargeOf> {
  const { usage } = call.facts ?? {};
  const cost = usage && costOf(usage, PRICE);
  return chargeOf({ estimate, progress: 'answered', ...(cost !== undefined && { cost }), ...call });
}

const of = (input: number, output: number) => ({
  cost: input * 1000 + output * 10_000,
  tokens: input + output,
  requests: 1,
});

describe('a call that was', () => {
  it('never sent is nothing at all', () => {
    expect(charge({ progress: 'not_sent' })).toEqual({ cost: 0, tokens: 0, requests: 0 });
  });

  it('refused by the provider is a request', () => {
    expect(charge({ progress: 'refused' })).toEqual({ cost: 0, tokens: 0, requests: 1 });
  });

  it('lost is all that was expected', () => {
    expect(charge({ progress: 'lost' })).toEqual(WHOLE);
    expect(charge({ progress: 'lost', facts: { usage: lower({ outputTokens: 1 }), outputBytes: 1 } })).toEqual(WHOLE);
  });

  it('answered with its usage is what it used', () => {
    expect(charge({ facts: { usage: exact({ inputTokens: 30, outputTokens: 7 }) } })).toEqual(of(30, 7));
  });

  it('answered with more than was expected is what it used', () => {
    const usage = exact({ inputTokens: INPUT + 1, outputTokens: 9000 });
    expect(charge({ facts: { usage } })).toEqual(of(INPUT + 1, 9000));
  });

  it('answered with a usage that has no price is all that was expected, in money', () => {
    const usage = exact({ inputTokens: 30, outputTokens: 7, outputAudioTokens: 7 });
    expect(charge({ facts: { usage } })).toEqual({ cost: WHOLE.cost, tokens: 37, requests: 1 });
  });

  it('answered without a word of its usage is all that was expected', () => {
    expect(charge({ facts: {} })).toEqual(WHOLE);
    expect(charge({})).toEqual(WHOLE);
    expect(charge({ facts: { usage: lower({}), outputBytes: 0 } })).toEqual(WHOLE);
  });
});

describe('a stream that was cut short', () => {
  it('is its input, what was seen, and 256 tokens more', () => {
    const usage = lower({ inputTokens: 300, outputTokens: 10 });
    expect(charge({ facts: { usage, outputBytes: 40 } })).toEqual(of(300, 40 + 256));
  });

  it('is a quarter more where much was seen', () => {
    const usage = lower({ inputTokens: 300, outputTokens: 500 });
    expect(charge({ facts: { usage, outputBytes: 2000 } })).toEqual(of(300, 2500));
  });

  it('is no less than the provider had counted', () => {
    const usage = lower({ inputTokens: 300, outputTokens: 900 });
    expect(charge({ facts: { usage, outputBytes: 100 } })).toEqual(of(300, 1156));
  });

  it('is its input at most, where that was not told', () => {
    expect(charge({ facts: { usage: lower({ outputTokens: 3 }), outputBytes: 12 } })).toEqual(of(INPUT, 268));
  });

  it('keeps the lower price of cached input', () => {
    const price = { ...PRICE, cache_read_mtok: 0.1 };
    const usage = lower({ inputTokens: 1000, cacheReadTokens: 900, outputTokens: 1 });
    const cost = costOf(usage, price);
    if (cost === undefined) throw new Error('it has a price');
    const charged = charge({ facts: { usage, outputBytes: 4 }, cost });
    // 100 new and 900 cached; 260 of output.
    expect(charged.cost).toBe(100 * 1000 + 900 * 100 + 260 * 10_000);
  });

  it('is never more than was expected', () => {
    expect(charge({ facts: { usage: lower({ outputTokens: 4900 }), outputBytes: 19_000 } })).toEqual(WHOLE);
  });

  it('is more than was expected where the provider says so', () => {
    const usage = lower({ inputTokens: INPUT * 9, outputTokens: 4 });
    expect(charge({ facts: { usage, outputBytes: 4 } })).toEqual(of(INPUT * 9, 4 + 256));
  });

  it('is all that was expected where its length in bytes is not known', () => {
    expect(charge({ facts: { usage: lower({ outputTokens: 3 }) } })).toEqual(WHOLE);
  });

  it('counts for each of several answers', () => {
    const three = estimated(CHAT, { max_tokens: 5000, n: 3, messages: [] });
    const { tokens } = charge({ facts: { usage: lower({ inputTokens: 5 }), outputBytes: 30 } }, three);
    expect(tokens).toBe(5 + 30 + 3 * 256);
  });
});

describe('what the bytes of an answer do not tell', () => {
  const facts = { usage: lower({ inputTokens: 10, outputTokens: 5 }), outputBytes: 20 };
  it.each<[string, Estimate]>([
    ['sound', estimated(CHAT, { max_tokens: 5000, modalities: ['audio'] }, { pricing: 'free' })],
    ['predictions', estimated(CHAT, { max_tokens: 5000, prediction: { content: 'abc' } }, { pricing: 'free' })],
    [
      'thoughts that are not shown',
      estimated(RESPONSES, { max_output_tokens: 5000 }, { model: 'gpt-5.5', pricing: 'free' }),
    ],
    ['pictures', estimated(GEMINI, {}, { model: 'gemini-3-pro-image-preview', pricing: 'free' })],
  ])('is bounded by what was expected: %s', (_name, estimate) => {
    expect(charge({ facts }, estimate).tokens).toBe(10 + estimate.outputTokens);
  });

  it('is input that a tool of the provider brought', () => {
    const tools = [{ type: 'code_execution_20250825' }];
    const estimate = estimated(MESSAGES, { max_tokens: 500, tools }, { model: 'claude-sonnet-4-5' });
    expect(charge({ facts }, estimate).tokens).toBe(105_000 + 20 + 256);
  });

  it('is bounded by time, where thoughts are not shown', () => {
    const estimate = estimated(RESPONSES, { max_output_tokens: 8000 }, { model: 'gpt-5.5' });
    const after = (elapsedMs: number) => charge({ facts, elapsedMs }, estimate).tokens;
    expect([after(500), after(1500), after(60_000)]).toEqual([10 + 1276, 10 + 3276, 10 + 8000]);
  });

  it.each<[boolean, ...Parameters<typeof estimated>]>([
    [true, RESPONSES, {}, { model: 'gpt-5-mini' }],
    [true, CHAT, {}, { model: 'openai/o3' }],
    [true, CHAT, {}, { model: 'a-model-nobody-knows' }],
    [false, CHAT, { reasoning_effort: 'none' }, { model: 'gpt-5.5' }],
    [false, RESPONSES, { reasoning: { effort: 'none' } }, { model: 'gpt-5.5' }],
    [false, CHAT, {}, { model: 'gpt-4o-2024-08-06' }],
    [false, CHAT, {}, { model: 'deepseek-reasoner' }],
    [true, CHAT, { reasoning_format: 'hidden' }, { model: 'qwen3-32b' }],
    [false, MESSAGES, {}, { model: 'claude-opus-4-7' }],
    [true, MESSAGES, { thinking: { type: 'adaptive' } }, { model: 'claude-opus-4-7' }],
    [true, MESSAGES, {}, { model: 'claude-opus-5' }],
    [false, MESSAGES, { thinking: { type: 'disabled' } }, { model: 'claude-opus-5' }],
    [true, GEMINI, {}, { model: 'gemini-2.5-pro' }],
    [false, GEMINI, { generationConfig: { thinkingConfig: { thinkingBudget: 0 } } }, { model: 'gemini-2.5-flash' }],
    [false, GEMINI, {}, { model: 'gemini-2.0-flash' }],
  ])('thoughts may not be shown: %s for %o %j %o', (hides, operation, body, more) => {
    expect(estimated(operation, body, more).hidesThinking).toBe(hides);
  });
});

describe('what no limit bounds', () => {
  it('is not charged', () => {
    const estimate = estimated(CHAT, { max_tokens: 10 }, { bounded: { cost: false, tokens: true } });
    const usage = exact({ inputTokens: 30, outputTokens: 7 });
    expect(charge({ facts: { usage } }, estimate)).toEqual({ cost: 0, tokens: 37, requests: 1 });
    const costly = estimated(CHAT, { max_tokens: 10 }, { bounded: { cost: true, tokens: false } });
    expect(charge({ facts: { usage } }, costly)).toEqual({ ...of(30, 7), tokens: 0 });
    expect(charge({ progress: 'lost' }, costly)).toEqual({ cost: costly.need.cost, tokens: 0, requests: 1 });
  });
});

it('the status of an answer tells how far a call got', () => {
  const fates = [200, 201, 304, 400, 401, 429, 500, 502, 503, 529, 504, 524].map(progressOf);
  const refused = Array.from({ length: 8 }, () => 'refused');
  expect(fates).toEqual(['answered', 'answered', ...refused, 'lost', 'lost']);
});

it('what is free costs nothing, however it ends', () => {
  const free = estimated(CHAT, { max_tokens: 10 }, { pricing: 'free' });
  const usage = exact({ inputTokens: 30, outputTokens: 7 });
  expect(chargeOf({ estimate: free, progress: 'answered', facts: { usage }, cost: toNanoUsd(0) }).cost).toBe(0);
  expect(chargeOf({ estimate: free, progress: 'lost' }).cost).toBe(0);
});
