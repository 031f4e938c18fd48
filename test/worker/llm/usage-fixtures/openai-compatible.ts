import { sse, type UsageFixture } from './fixture.ts';

const said = { choices: [{ index: 0, message: { role: 'assistant', content: 'Hello!' }, finish_reason: 'stop' }] };

export const OPENAI_COMPATIBLE: readonly UsageFixture[] = [
  {
    name: 'Groq, with its usage in a place of its own',
    operation: 'chatCompletions',
    provider: 'groq',
    model: 'llama-3.3-70b-versatile',
    prices: { input_mtok: 0.59, output_mtok: 0.79 },
    events: sse([
      { model: 'llama-3.3-70b-versatile', choices: [{ index: 0, delta: { content: 'Hello' }, finish_reason: null }] },
      {
        model: 'llama-3.3-70b-versatile',
        service_tier: 'on_demand',
        choices: [{ index: 0, delta: {}, finish_reason: 'stop' }],
        x_groq: {
          id: 'req_1',
          usage: { prompt_tokens: 18, completion_tokens: 556, total_tokens: 574, total_time: 0.4 },
        },
      },
      '[DONE]',
    ]),
    usage: { inputTokens: 18, outputTokens: 556, terms: ['tier:on_demand'] },
    // 18 × 590 + 556 × 790
    cost: 10_620 + 439_240,
  },
  {
    name: 'DeepSeek, with its cache hits on the top level',
    operation: 'chatCompletions',
    provider: 'deepseek',
    model: 'deepseek-chat',
    prices: { input_mtok: 0.27, cache_read_mtok: 0.07, output_mtok: 1.1 },
    body: {
      model: 'deepseek-chat',
      ...said,
      usage: {
        prompt_tokens: 100,
        completion_tokens: 50,
        total_tokens: 150,
        prompt_cache_hit_tokens: 64,
        prompt_cache_miss_tokens: 36,
      },
    },
    usage: { inputTokens: 100, cacheReadTokens: 64, outputTokens: 50 },
    // 36 × 270 + 64 × 70 + 50 × 1,100
    cost: 9720 + 4480 + 55_000,
  },
  {
    name: 'xAI, whose completion tokens leave out the reasoning',
    operation: 'chatCompletions',
    provider: 'xai',
    model: 'grok-4',
    prices: { input_mtok: 3, cache_read_mtok: 0.75, output_mtok: 15 },
    body: {
      model: 'grok-4-0709',
      ...said,
      usage: {
        prompt_tokens: 37,
        completion_tokens: 9,
        total_tokens: 234,
        prompt_tokens_details: { text_tokens: 37, audio_tokens: 0, image_tokens: 0, cached_tokens: 8 },
        completion_tokens_details: { reasoning_tokens: 188, audio_tokens: 0 },
      },
    },
    usage: {
      inputTokens: 37,
      cacheReadTokens: 8,
      inputAudioTokens: 0,
      inputImageTokens: 0,
      outputTokens: 197,
      reasoningTokens: 188,
      outputAudioTokens: 0,
    },
    // 29 × 3,000 + 8 × 750 + (9 + 188) × 15,000
    cost: 87_000 + 6000 + 2_955_000,
  },
  {
    name: 'Perplexity, with a fee for every request',
    operation: 'chatCompletions',
    provider: 'perplexity',
    model: 'sonar',
    prices: { input_mtok: 1, output_mtok: 1, requests_kcount: 12 },
    body: { model: 'sonar', ...said, usage: { prompt_tokens: 14, completion_tokens: 70, total_tokens: 84 } },
    usage: { inputTokens: 14, outputTokens: 70 },
    // 14 × 1,000 + 70 × 1,000 + $12 ÷ 1000
    cost: 14_000 + 70_000 + 12_000_000,
  },
];
