import { sse, type UsageFixture } from './fixture.ts';

const chat = { operation: 'chatCompletions', provider: 'openai' } as const;
const gpt4o = {
  ...chat,
  model: 'gpt-4o',
  prices: { input_mtok: 2.5, cache_read_mtok: 1.25, output_mtok: 10 },
} as const;
const gpt5 = {
  ...chat,
  model: 'gpt-5',
  prices: { input_mtok: 1.25, cache_read_mtok: 0.125, output_mtok: 10 },
} as const;

const body = (model: string, usage: unknown, more: object = {}): unknown => ({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1741569952,
  model,
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hello!', refusal: null }, finish_reason: 'stop' }],
  usage,
  ...more,
});
const chunk = (delta: object, more: object = {}): unknown => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  model: 'gpt-5-2025-08-07',
  choices: [{ index: 0, delta, finish_reason: null }],
  ...more,
});
const thousand = { prompt_tokens: 1000, completion_tokens: 1000, total_tokens: 2000 };
const thousandRead = { inputTokens: 1000, outputTokens: 1000 };

const atListPrice = (tier: string): UsageFixture => ({
  ...gpt5,
  name: `service tier ${tier}, at the list price`,
  body: body('gpt-5-2025-08-07', thousand, { service_tier: tier }),
  usage: { ...thousandRead, terms: [`tier:${tier}`] },
  // 1000 × 1,250 + 1000 × 10,000
  cost: 1_250_000 + 10_000_000,
});

export const OPENAI_CHAT: readonly UsageFixture[] = [
  {
    ...gpt4o,
    name: 'input and output',
    body: body('gpt-4o-2024-08-06', {
      prompt_tokens: 19,
      completion_tokens: 10,
      total_tokens: 29,
      prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
      completion_tokens_details: {
        reasoning_tokens: 0,
        audio_tokens: 0,
        accepted_prediction_tokens: 0,
        rejected_prediction_tokens: 0,
      },
    }),
    usage: {
      inputTokens: 19,
      cacheReadTokens: 0,
      inputAudioTokens: 0,
      outputTokens: 10,
      reasoningTokens: 0,
      outputAudioTokens: 0,
    },
    // 19 × 2,500 + 10 × 10,000
    cost: 47_500 + 100_000,
  },
  {
    ...gpt5,
    name: 'a cache hit and reasoning, which is output',
    body: body('gpt-5-2025-08-07', {
      prompt_tokens: 2006,
      completion_tokens: 300,
      total_tokens: 2306,
      prompt_tokens_details: { cached_tokens: 1920 },
      completion_tokens_details: { reasoning_tokens: 256 },
    }),
    usage: { inputTokens: 2006, cacheReadTokens: 1920, outputTokens: 300, reasoningTokens: 256 },
    // (2006 − 1920) × 1,250 + 1920 × 125 + 300 × 10,000
    cost: 107_500 + 240_000 + 3_000_000,
  },
  {
    ...chat,
    name: 'written to the cache',
    model: 'gpt-6-sol',
    prices: {
      input_mtok: { base: 2, tiers: [{ start: 272_000, price: 4 }] },
      cache_read_mtok: { base: 0.2, tiers: [{ start: 272_000, price: 0.4 }] },
      cache_write_mtok: { base: 2.5, tiers: [{ start: 272_000, price: 5 }] },
      output_mtok: { base: 10, tiers: [{ start: 272_000, price: 15 }] },
    },
    body: body('gpt-6-sol', {
      prompt_tokens: 5000,
      completion_tokens: 100,
      total_tokens: 5100,
      prompt_tokens_details: { cached_tokens: 1024, cache_write_tokens: 3000 },
    }),
    usage: { inputTokens: 5000, cacheReadTokens: 1024, cacheWriteTokens: 3000, outputTokens: 100 },
    // (5000 − 1024 − 3000) × 2,000 + 1024 × 200 + 3000 × 2,500 + 100 × 10,000
    cost: 1_952_000 + 204_800 + 7_500_000 + 1_000_000,
  },
  {
    ...chat,
    name: 'a prompt of 272,000 tokens, where the longer context begins',
    model: 'gpt-5.4',
    prices: {
      input_mtok: { base: 2.5, tiers: [{ start: 271_999, price: 5 }] },
      output_mtok: { base: 15, tiers: [{ start: 271_999, price: 22.5 }] },
    },
    body: body('gpt-5.4', { prompt_tokens: 272_000, completion_tokens: 1000, total_tokens: 273_000 }),
    usage: { inputTokens: 272_000, outputTokens: 1000 },
    // 272,000 × 5,000 + 1,000 × 22,500
    cost: 1_360_000_000 + 22_500_000,
  },
  {
    ...chat,
    name: 'a token less, at the shorter',
    model: 'gpt-5.4',
    prices: { input_mtok: { base: 2.5, tiers: [{ start: 271_999, price: 5 }] } },
    body: body('gpt-5.4', { prompt_tokens: 271_999, completion_tokens: 1000, total_tokens: 272_999 }),
    usage: { inputTokens: 271_999, outputTokens: 1000 },
    // 271,999 × 2,500 + 1,000 × 15,000
    cost: 679_997_500 + 15_000_000,
  },
  atListPrice('default'),
  atListPrice('scale'),
  atListPrice('auto'),
  {
    ...gpt5,
    name: 'flex, at half the price',
    body: body('gpt-5-2025-08-07', thousand, { service_tier: 'flex' }),
    usage: { ...thousandRead, terms: ['tier:flex'] },
    // (1000 × 1,250 + 1000 × 10,000) ÷ 2
    cost: 5_625_000,
  },
  {
    ...gpt5,
    name: 'priority, at double the price',
    body: body('gpt-5-2025-08-07', thousand, { service_tier: 'priority' }),
    usage: { ...thousandRead, terms: ['tier:priority'] },
    // (1000 × 1,250 + 1000 × 10,000) × 2: documented at $2.50 and $20.00
    cost: 22_500_000,
  },
  {
    ...chat,
    name: 'priority of a small model',
    model: 'gpt-5-mini',
    prices: { input_mtok: 0.25, output_mtok: 2 },
    body: body('gpt-5-mini-2025-08-07', thousand, { service_tier: 'priority' }),
    usage: { ...thousandRead, terms: ['tier:priority'] },
    // 1000 × 450 + 1000 × 3,600: documented at $0.45 and $3.60
    cost: 450_000 + 3_600_000,
  },
  {
    ...chat,
    name: 'priority at a price that no percentage gives',
    model: 'gpt-4o-mini',
    prices: { input_mtok: 0.15, cache_read_mtok: 0.075, output_mtok: 0.6 },
    body: body(
      'gpt-4o-mini-2024-07-18',
      { prompt_tokens: 7, completion_tokens: 1, total_tokens: 8 },
      { service_tier: 'priority' },
    ),
    usage: { inputTokens: 7, outputTokens: 1, terms: ['tier:priority'] },
    // 7 × 250 + 1 × 1,000: documented at $0.25 and $1.00
    cost: 1750 + 1000,
  },
  {
    ...gpt5,
    name: 'a tier that nobody has documented: unknown, not the list price',
    body: body('gpt-5-2025-08-07', thousand, { service_tier: 'ultrafast' }),
    usage: { ...thousandRead, terms: ['tier:ultrafast'] },
    cost: undefined,
  },
  {
    ...chat,
    name: 'sound in and out',
    model: 'gpt-audio',
    prices: { input_mtok: 2.5, output_mtok: 10, input_audio_mtok: 32, output_audio_mtok: 64 },
    body: body('gpt-audio-2025-08-28', {
      prompt_tokens: 150,
      completion_tokens: 300,
      total_tokens: 450,
      prompt_tokens_details: { cached_tokens: 0, text_tokens: 50, audio_tokens: 100 },
      completion_tokens_details: { reasoning_tokens: 0, text_tokens: 100, audio_tokens: 200 },
    }),
    usage: {
      inputTokens: 150,
      cacheReadTokens: 0,
      inputAudioTokens: 100,
      outputTokens: 300,
      reasoningTokens: 0,
      outputAudioTokens: 200,
    },
    // 50 × 2,500 + 100 × 32,000 + 100 × 10,000 + 200 × 64,000
    cost: 125_000 + 3_200_000 + 1_000_000 + 12_800_000,
  },
  {
    ...chat,
    name: 'sound of a model that the list has without it',
    model: 'gpt-4o-audio-preview',
    prices: { input_mtok: 2.5, output_mtok: 10, input_audio_mtok: 40, output_audio_mtok: 80 },
    body: body('gpt-4o-audio-preview-2024-12-17', {
      prompt_tokens: 10,
      completion_tokens: 20,
      total_tokens: 30,
      prompt_tokens_details: { audio_tokens: 10 },
      completion_tokens_details: { audio_tokens: 15 },
    }),
    usage: { inputTokens: 10, inputAudioTokens: 10, outputTokens: 20, outputAudioTokens: 15 },
    // 10 × 40,000 + 5 × 10,000 + 15 × 80,000
    cost: 400_000 + 50_000 + 1_200_000,
  },
  {
    ...gpt4o,
    name: 'an image, at the price of text',
    body: body('gpt-4o-2024-08-06', {
      prompt_tokens: 800,
      completion_tokens: 10,
      total_tokens: 810,
      prompt_tokens_details: { text_tokens: 35, image_tokens: 765 },
    }),
    usage: { inputTokens: 800, inputImageTokens: 765, outputTokens: 10 },
    // 800 × 2,500 + 10 × 10,000
    cost: 2_000_000 + 100_000,
  },
  {
    ...gpt4o,
    name: 'an image of which a part was cached, as text is',
    body: body('gpt-4o-2024-08-06', {
      prompt_tokens: 800,
      completion_tokens: 10,
      total_tokens: 810,
      prompt_tokens_details: { cached_tokens: 700, text_tokens: 35, image_tokens: 765 },
    }),
    usage: { inputTokens: 800, cacheReadTokens: 700, inputImageTokens: 765, outputTokens: 10 },
    // 100 × 2,500 + 700 × 1,250 + 10 × 10,000
    cost: 250_000 + 875_000 + 100_000,
  },
  {
    ...chat,
    name: 'a model that searches with every answer',
    model: 'gpt-4o-search-preview',
    prices: { input_mtok: 2.5, output_mtok: 10, requests_kcount: 25 },
    body: body('gpt-4o-search-preview-2025-03-11', { prompt_tokens: 20, completion_tokens: 100, total_tokens: 120 }),
    usage: { inputTokens: 20, outputTokens: 100 },
    // 20 × 2,500 + 100 × 10,000 + $25 ÷ 1000
    cost: 50_000 + 1_000_000 + 25_000_000,
  },
  {
    ...gpt5,
    name: 'a stream with its usage, in flex',
    events: sse([
      chunk({ role: 'assistant', content: '' }, { service_tier: 'flex', usage: null }),
      chunk({ content: 'Hel' }, { service_tier: 'flex', usage: null }),
      chunk({ content: 'lo' }, { service_tier: 'flex', usage: null }),
      { ...(chunk({}) as object), choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], usage: null },
      { ...(chunk({}) as object), choices: [], usage: thousand, service_tier: 'flex' },
      '[DONE]',
    ]),
    usage: { ...thousandRead, terms: ['tier:flex'] },
    // (1000 × 1,250 + 1000 × 10,000) ÷ 2
    cost: 5_625_000,
  },
  {
    ...gpt5,
    name: 'a stream that nobody asked for its usage: a token for each delta',
    events: sse([
      chunk({ role: 'assistant', content: '' }),
      chunk({ content: 'Hel' }),
      chunk({ content: 'lo' }),
      { ...(chunk({}) as object), choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
      '[DONE]',
    ]),
    usage: { outputTokens: 2 },
    certainty: 'lower_bound',
    // 2 × 10,000
    cost: 20_000,
  },
  {
    ...gpt5,
    name: 'a stream that broke off',
    events: sse([chunk({ role: 'assistant', content: '' }), chunk({ content: 'Hel' })]),
    usage: { outputTokens: 1 },
    certainty: 'lower_bound',
    cost: 10_000,
  },
  {
    ...chat,
    name: 'embeddings',
    operation: 'embeddings',
    model: 'text-embedding-3-small',
    prices: { input_mtok: 0.02 },
    body: { object: 'list', model: 'text-embedding-3-small', data: [], usage: { prompt_tokens: 8, total_tokens: 8 } },
    usage: { inputTokens: 8 },
    // 8 × 20
    cost: 160,
  },
];
