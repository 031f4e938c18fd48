import { describe, expect, it } from 'vitest';
import { toNanoUsd, toUsdText } from '../../../src/budget/money.ts';
import { costOf, listEntryOf } from '../../../src/budget/price.ts';
import type { Usage } from '../../../src/budget/usage.ts';

const NOW = Date.UTC(2026, 5, 1, 12);
const exact = (usage: Omit<Usage, 'certainty'>): Usage => ({ ...usage, certainty: 'exact' });

describe('cost, worked by hand in dollars per million tokens', () => {
  const sonnet = {
    input_mtok: 3,
    cache_read_mtok: 0.3,
    cache_write_mtok: 3.75,
    cache_write_1h_mtok: 6,
    output_mtok: 15,
    web_searches_kcount: 10,
  };

  it.each<[string, Omit<Usage, 'certainty'>, number | undefined]>([
    ['input and output', { inputTokens: 1000, outputTokens: 500 }, 3_000_000 + 7_500_000],
    // 100 plain, 700 read, 200 written for five minutes, 100 for an hour
    [
      'caches apart',
      { inputTokens: 1100, cacheReadTokens: 700, cacheWriteTokens: 300, cacheWrite1hTokens: 100, outputTokens: 10 },
      300_000 + 210_000 + 750_000 + 600_000 + 150_000,
    ],
    ['reasoning, which is output', { inputTokens: 0, outputTokens: 100, reasoningTokens: 90 }, 1_500_000],
    ['searches by the piece', { inputTokens: 0, outputTokens: 0, webSearches: 3 }, 30_000_000],
    ['one token', { inputTokens: 1, cacheReadTokens: 1 }, 300],
    ['nothing', { inputTokens: 0, outputTokens: 0 }, 0],
    ['half known', { outputTokens: 2 }, 30_000],
    ['unknown', {}, undefined],
  ])('%s', (_what, usage, nano) => {
    expect(costOf(exact(usage), sonnet)).toBe(nano);
  });

  it('of a part without a price is unknown, never zero', () => {
    expect(costOf(exact({ inputTokens: 8, outputTokens: 1 }), { input_mtok: 0.02 })).toBeUndefined();
    expect(costOf(exact({ inputTokens: 8, outputTokens: 0 }), { input_mtok: 0.02 })).toBe(160);
  });

  it('falls back to the plain rate where a cache has none of its own, and for audio never', () => {
    expect(costOf(exact({ inputTokens: 10, cacheReadTokens: 4 }), { input_mtok: 1 })).toBe(10_000);
    expect(costOf(exact({ inputTokens: 10, inputAudioTokens: 2 }), { input_mtok: 1 })).toBeUndefined();
  });

  it('takes the tier that the whole input reaches', () => {
    const tiered = { input_mtok: { base: 3, tiers: [{ start: 200_000, price: 6 }] }, output_mtok: 15 };
    expect(costOf(exact({ inputTokens: 200_000, outputTokens: 0 }), tiered)).toBe(600_000_000);
    expect(costOf(exact({ inputTokens: 200_001, outputTokens: 0 }), tiered)).toBe(1_200_006_000);
  });

  it('stays exact where floating point does not, and rounds half a nano-dollar up', () => {
    // 0.1 + 0.2 dollars a million tokens: 300 nano-dollars for a thousand of each, not 300.00000000000004.
    expect(costOf(exact({ inputTokens: 3, outputTokens: 0 }), { input_mtok: 0.1 })).toBe(300);
    expect(costOf(exact({ inputTokens: 9_007_199, outputTokens: 0 }), { input_mtok: 0.3 })).toBe(2_702_159_700);
    expect(costOf(exact({ inputTokens: 1, outputTokens: 0 }), { input_mtok: 0.0125 })).toBe(13);
    expect(costOf(exact({ inputTokens: 1, outputTokens: 0 }), { input_mtok: 0.0124 })).toBe(12);
  });
});

describe('the price list', () => {
  it('knows models by name, and says so when it does not', () => {
    expect(listEntryOf('openai', 'gpt-4o', NOW)).toMatchObject({
      price: { input_mtok: 2.5, cache_read_mtok: 1.25, output_mtok: 10 },
      contextWindow: 128_000,
    });
    expect(listEntryOf('anthropic', 'claude-sonnet-4-5-20250929', NOW)).toMatchObject({
      price: { output_mtok: { base: 15 } },
    });
    expect(listEntryOf('openai', 'no-such-model', NOW)).toBeUndefined();
    expect(listEntryOf('no-such-list', 'gpt-4o', NOW)).toBeUndefined();
  });

  it('follows prices that depend on the hour', () => {
    const night = Date.UTC(2025, 5, 1, 20);
    const day = Date.UTC(2025, 5, 1, 12);
    expect(listEntryOf('deepseek', 'deepseek-chat', night)).not.toEqual(listEntryOf('deepseek', 'deepseek-chat', day));
  });
});

it.each([
  [0, '0'],
  [1, '0.000000001'],
  [10_500_000, '0.0105'],
  [1_000_000_000, '1'],
  [12_345_678_900, '12.3456789'],
])('%i nano-dollars are %s dollars', (nano, text) => {
  expect(toUsdText(toNanoUsd(nano))).toBe(text);
});
