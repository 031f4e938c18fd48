import { sse, type UsageFixture } from './fixture.ts';

const messages = { operation: 'messages', provider: 'anthropic' } as const;
const opus55 = {
  ...messages,
  model: 'claude-opus-5-5',
  prices: {
    input_mtok: 4,
    cache_read_mtok: 0.2,
    cache_write_mtok: 5,
    cache_write_1h_mtok: 8,
    output_mtok: 20,
    web_searches_kcount: 10,
    code_sessions_kcount: 50,
  },
} as const;
const sonnet45: Pick<UsageFixture, 'operation' | 'provider' | 'model' | 'prices'> = {
  ...messages,
  model: 'claude-sonnet-4-5-20250929',
  prices: {
    input_mtok: { base: 3, tiers: [{ start: 200_000, price: 6 }] },
    cache_read_mtok: { base: 0.3, tiers: [{ start: 200_000, price: 0.6 }] },
    output_mtok: { base: 15, tiers: [{ start: 200_000, price: 22.5 }] },
  },
};

const message = (usage: unknown, more: object = {}): object => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-opus-5-5',
  content: [{ type: 'text', text: 'Hello!' }],
  stop_reason: 'end_turn',
  usage,
  ...more,
});
const both = {
  input_tokens: 2048,
  cache_read_input_tokens: 1800,
  cache_creation_input_tokens: 248,
  cache_creation: { ephemeral_5m_input_tokens: 148, ephemeral_1h_input_tokens: 100 },
};
const bothRead = { inputTokens: 4096, cacheReadTokens: 1800, cacheWriteTokens: 248, cacheWrite1hTokens: 100 };
/** 2048 × 4,000 + 1800 × 200 + 148 × 5,000 + 100 × 8,000 */
const bothCost = 8_192_000 + 360_000 + 740_000 + 800_000;

const start = (usage: object): unknown => [
  'message_start',
  { type: 'message_start', message: message(usage, { content: [] }) },
];
const delta = (text: string): unknown => [
  'content_block_delta',
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } },
];
const end = (usage: object): unknown[] => [
  ['message_delta', { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage }],
  ['message_stop', { type: 'message_stop' }],
];
/** 1000 × 4,000 + 100 × 20,000 */
const plainCost = 4_000_000 + 2_000_000;
const plain = { input_tokens: 1000, output_tokens: 100 };
const plainRead = { inputTokens: 1000, outputTokens: 100 };

const termed = (name: string, member: object, term: string, cost: number | undefined): UsageFixture => ({
  ...opus55,
  name,
  body: message({ ...plain, ...member }),
  usage: { ...plainRead, terms: [term] },
  cost,
});

export const ANTHROPIC: readonly UsageFixture[] = [
  {
    ...opus55,
    name: 'input and output',
    body: message({ ...plain, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, service_tier: 'standard' }),
    usage: { ...plainRead, cacheReadTokens: 0, cacheWriteTokens: 0, terms: ['tier:standard'] },
    cost: plainCost,
  },
  {
    ...opus55,
    name: 'both durations of the cache',
    body: message({ ...both, output_tokens: 503 }),
    usage: { ...bothRead, outputTokens: 503 },
    // and 503 × 20,000
    cost: bothCost + 10_060_000,
  },
  {
    ...opus55,
    name: 'a stream with both durations, whose last word counts',
    events: sse([
      start({ ...both, output_tokens: 1 }),
      ['content_block_start', { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }],
      ['ping', { type: 'ping' }],
      delta('Hel'),
      delta('lo!'),
      ...end({ output_tokens: 503, output_tokens_details: { thinking_tokens: 400 } }),
    ]),
    usage: { ...bothRead, outputTokens: 503, reasoningTokens: 400 },
    cost: bothCost + 10_060_000,
  },
  {
    ...opus55,
    name: 'a stream that broke off: its input, and a token for each delta',
    events: sse([start({ ...both, output_tokens: 1 }), delta('Hel'), delta('lo!')]),
    usage: { ...bothRead, outputTokens: 2 },
    certainty: 'lower_bound',
    // and 2 × 20,000
    cost: bothCost + 40_000,
  },
  {
    ...opus55,
    name: 'a stream that broke off before its first word',
    events: sse([start({ ...both, output_tokens: 1 })]),
    usage: { ...bothRead, outputTokens: 1 },
    certainty: 'lower_bound',
    cost: bothCost + 20_000,
  },
  {
    ...opus55,
    name: 'a stream that wrote more to its cache on the way, taken to be for the longer time',
    events: sse([
      start({ ...both, output_tokens: 1 }),
      delta('Hello!'),
      ...end({
        input_tokens: 2048,
        cache_read_input_tokens: 1800,
        cache_creation_input_tokens: 348,
        output_tokens: 10,
      }),
    ]),
    usage: { ...bothRead, inputTokens: 4196, cacheWriteTokens: 348, cacheWrite1hTokens: 200, outputTokens: 10 },
    // and 100 × 8,000 + 10 × 20,000
    cost: bothCost + 800_000 + 200_000,
  },
  {
    ...sonnet45,
    name: 'the longer context, reached by what was read from the cache',
    body: message({ input_tokens: 1, cache_read_input_tokens: 200_000, output_tokens: 10 }),
    usage: { inputTokens: 200_001, cacheReadTokens: 200_000, outputTokens: 10 },
    // 1 × 6,000 + 200,000 × 600 + 10 × 22,500
    cost: 6000 + 120_000_000 + 225_000,
  },
  {
    ...sonnet45,
    name: 'a search of the web',
    body: message({
      input_tokens: 105,
      output_tokens: 6039,
      cache_read_input_tokens: 7123,
      cache_creation_input_tokens: 7345,
      server_tool_use: { web_search_requests: 1, web_fetch_requests: 0 },
    }),
    usage: {
      inputTokens: 14_573,
      cacheReadTokens: 7123,
      cacheWriteTokens: 7345,
      outputTokens: 6039,
      webSearches: 1,
    },
    // 105 × 3,000 + 7123 × 300 + 7345 × 3,750 + 6039 × 15,000 + $10 ÷ 1000
    cost: 315_000 + 2_136_900 + 27_543_750 + 90_585_000 + 10_000_000,
  },
  termed('a batch, at half the price', { service_tier: 'batch' }, 'tier:batch', plainCost / 2),
  termed('the priority tier, at the list price', { service_tier: 'priority' }, 'tier:priority', plainCost),
  termed('fast mode, at double the price', { speed: 'fast' }, 'speed:fast', plainCost * 2),
  // × 11 ÷ 10
  termed('inference in the US', { inference_geo: 'us' }, 'geo:us', 6_600_000),
  termed('inference anywhere', { inference_geo: 'global' }, 'geo:global', plainCost),
  termed('inference where nobody has documented a price: unknown', { inference_geo: 'mars' }, 'geo:mars', undefined),
  {
    ...messages,
    name: 'fast mode of an older model, in the US, six times and a tenth',
    model: 'claude-opus-4-6',
    prices: { input_mtok: 5, output_mtok: 25 },
    body: message({ ...plain, service_tier: 'standard', speed: 'fast', inference_geo: 'us' }),
    usage: { ...plainRead, terms: ['tier:standard', 'speed:fast', 'geo:us'] },
    // (1000 × 5,000 + 100 × 25,000) × 6 × 1.1
    cost: 49_500_000,
  },
  {
    ...messages,
    name: 'fast mode of a model that has none: unknown',
    model: 'claude-haiku-4-5',
    prices: { input_mtok: 1, output_mtok: 5 },
    body: message({ ...plain, speed: 'fast' }),
    usage: { ...plainRead, terms: ['speed:fast'] },
    cost: undefined,
  },
  {
    ...opus55,
    name: 'a compaction, which the totals leave out',
    body: message({
      input_tokens: 23_000,
      output_tokens: 1000,
      iterations: [
        { type: 'compaction', input_tokens: 180_000, output_tokens: 3500 },
        { type: 'message', input_tokens: 23_000, output_tokens: 1000 },
      ],
    }),
    usage: { inputTokens: 203_000, outputTokens: 4500 },
    // 203,000 × 4,000 + 4,500 × 20,000
    cost: 812_000_000 + 90_000_000,
  },
  {
    ...opus55,
    name: 'the advice of another model, at another price: unknown',
    body: message({
      ...plain,
      iterations: [{ type: 'advisor_message', model: 'claude-fable-5', input_tokens: 5000, output_tokens: 400 }],
    }),
    usage: { ...plainRead, hasOtherCharges: true },
    cost: undefined,
  },
  {
    ...opus55,
    name: 'code run at the provider, for an hour at most',
    body: message(plain, {
      content: [
        { type: 'server_tool_use', id: 'srvtoolu_1', name: 'bash_code_execution', input: { command: 'ls' } },
        { type: 'bash_code_execution_tool_result', tool_use_id: 'srvtoolu_1', content: {} },
        { type: 'text', text: 'Done.' },
      ],
    }),
    usage: { ...plainRead, codeSessions: 1 },
    // and $0.05
    cost: plainCost + 50_000_000,
  },
  {
    ...opus55,
    name: 'counting tokens, which is free',
    operation: 'countTokens',
    body: { input_tokens: 2095 },
    usage: { inputTokens: 0, outputTokens: 0 },
    cost: 0,
  },
];
