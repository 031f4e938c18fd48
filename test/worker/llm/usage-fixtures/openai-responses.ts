import { sse, type UsageFixture } from './fixture.ts';

const gpt5 = {
  operation: 'responses',
  provider: 'openai',
  model: 'gpt-5',
  prices: {
    input_mtok: 1.25,
    cache_read_mtok: 0.125,
    output_mtok: 10,
    web_searches_kcount: 10,
    storage_searches_kcount: 2.5,
    code_sessions_kcount: 30,
  },
} as const;

const message = { type: 'message', id: 'msg_1', role: 'assistant', content: [{ type: 'output_text', text: 'Hello!' }] };
const usageOf = (input: number, output: number, cached = 0, reasoning = 0): object => ({
  input_tokens: input,
  input_tokens_details: { cached_tokens: cached },
  output_tokens: output,
  output_tokens_details: { reasoning_tokens: reasoning },
  total_tokens: input + output,
});
const readOf = (input: number, output: number, cached = 0, reasoning = 0) => ({
  inputTokens: input,
  cacheReadTokens: cached,
  outputTokens: output,
  reasoningTokens: reasoning,
});
const response = (usage: unknown, more: object = {}): object => ({
  id: 'resp_1',
  object: 'response',
  status: 'completed',
  model: 'gpt-5-2025-08-07',
  output: [message],
  usage,
  ...more,
});
const streamed = (final: string, last: object): string =>
  sse([
    ['response.created', { type: 'response.created', response: response(null, { output: [], status: 'in_progress' }) }],
    ['response.output_text.delta', { type: 'response.output_text.delta', delta: 'Hel', obfuscation: 'aXbYcZ' }],
    ['response.output_text.delta', { type: 'response.output_text.delta', delta: 'lo!' }],
    ['response.output_item.done', { type: 'response.output_item.done', item: message }],
    [final, { type: final, response: last }],
  ]);

export const OPENAI_RESPONSES: readonly UsageFixture[] = [
  {
    ...gpt5,
    name: 'input and output',
    body: response(usageOf(36, 87), { service_tier: 'default' }),
    usage: { ...readOf(36, 87), terms: ['tier:default'] },
    // 36 × 1,250 + 87 × 10,000
    cost: 45_000 + 870_000,
  },
  {
    ...gpt5,
    name: 'a stream in priority, with a cache hit and reasoning',
    events: streamed('response.completed', response(usageOf(328, 52, 128, 40), { service_tier: 'priority' })),
    usage: { ...readOf(328, 52, 128, 40), terms: ['tier:priority'] },
    // (200 × 1,250 + 128 × 125 + 52 × 10,000) × 2
    cost: 2 * (250_000 + 16_000 + 520_000),
  },
  {
    ...gpt5,
    name: 'a stream that ended at its limit',
    events: streamed('response.incomplete', response(usageOf(10, 16), { status: 'incomplete' })),
    usage: readOf(10, 16),
    // 10 × 1,250 + 16 × 10,000
    cost: 12_500 + 160_000,
  },
  {
    ...gpt5,
    name: 'a stream that failed tells its usage all the same',
    events: streamed('response.failed', response(usageOf(10, 2), { status: 'failed' })),
    usage: readOf(10, 2),
    cost: 12_500 + 20_000,
  },
  {
    ...gpt5,
    name: 'a stream that broke off',
    events: streamed('response.in_progress', {}),
    usage: { outputTokens: 2 },
    certainty: 'lower_bound',
    // 2 × 10,000
    cost: 20_000,
  },
  {
    ...gpt5,
    name: 'tools that the provider ran: a search, a page opened for free, a search of files, two calls in one container',
    body: response(usageOf(1000, 100), {
      output: [
        { type: 'web_search_call', id: 'ws_1', status: 'completed', action: { type: 'search', query: 'q' } },
        { type: 'web_search_call', id: 'ws_2', status: 'completed', action: { type: 'open_page', url: 'https://a' } },
        { type: 'file_search_call', id: 'fs_1', status: 'completed', queries: ['q'] },
        { type: 'code_interpreter_call', id: 'ci_1', status: 'completed', container_id: 'cntr_1', code: '1' },
        { type: 'code_interpreter_call', id: 'ci_2', status: 'completed', container_id: 'cntr_1', code: '2' },
        message,
      ],
    }),
    usage: { ...readOf(1000, 100), webSearches: 1, fileSearches: 1, codeSessions: 1 },
    // 1000 × 1,250 + 100 × 10,000 + $10 ÷ 1000 + $2.50 ÷ 1000 + $0.03
    cost: 1_250_000 + 1_000_000 + 10_000_000 + 2_500_000 + 30_000_000,
  },
  {
    ...gpt5,
    name: 'fees are not multiplied with the tier',
    body: response(usageOf(1000, 100), {
      service_tier: 'flex',
      output: [{ type: 'web_search_call', id: 'ws_1', action: { type: 'search' } }, message],
    }),
    usage: { ...readOf(1000, 100), webSearches: 1, terms: ['tier:flex'] },
    // (1000 × 1,250 + 100 × 10,000) ÷ 2 + $10 ÷ 1000
    cost: 1_125_000 + 10_000_000,
  },
  {
    ...gpt5,
    name: 'searches as the provider bills them, where it tells',
    body: response(usageOf(1000, 100), {
      output: [{ type: 'web_search_call', id: 'ws_1', action: { type: 'search' } }, message],
      tool_usage: {
        web_search: { num_requests: 3 },
        image_gen: { input_tokens: 0, output_tokens: 0, total_tokens: 0 },
      },
    }),
    usage: { ...readOf(1000, 100), webSearches: 3 },
    // 1000 × 1,250 + 100 × 10,000 + 3 × $10 ÷ 1000
    cost: 1_250_000 + 1_000_000 + 30_000_000,
  },
  {
    ...gpt5,
    name: 'an image, which another model made at another price: unknown',
    body: response(usageOf(1000, 100), {
      output: [{ type: 'image_generation_call', id: 'ig_1', status: 'completed', result: 'iVBORw0KGgo=' }, message],
    }),
    usage: { ...readOf(1000, 100), hasOtherCharges: true },
    cost: undefined,
  },
  {
    ...gpt5,
    name: 'written to the cache for thirty minutes and for twelve hours',
    model: 'gpt-6-sol',
    prices: {
      input_mtok: { base: 2, tiers: [{ start: 272_000, price: 4 }] },
      cache_write_mtok: { base: 2.5, tiers: [{ start: 272_000, price: 5 }] },
      cache_write_1h_mtok: { base: 5, tiers: [{ start: 272_000, price: 10 }] },
      output_mtok: { base: 10, tiers: [{ start: 272_000, price: 15 }] },
    },
    body: response({
      input_tokens: 4000,
      input_tokens_details: {
        cached_tokens: 0,
        cache_write_tokens: 3000,
        cache_write_tokens_details: { ttl_30m_tokens: 1000, ttl_12h_tokens: 2000 },
      },
      output_tokens: 10,
      output_tokens_details: { reasoning_tokens: 0 },
    }),
    usage: { ...readOf(4000, 10), cacheWriteTokens: 3000, cacheWrite1hTokens: 2000 },
    // 1000 × 2,000 + 1000 × 2,500 + 2000 × 5,000 + 10 × 10,000
    cost: 2_000_000 + 2_500_000 + 10_000_000 + 100_000,
  },
];
