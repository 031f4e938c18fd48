import { sse, type UsageFixture } from './fixture.ts';

const flash = {
  operation: 'generateContent',
  provider: 'gemini',
  model: 'gemini-2.5-flash',
  prices: {
    input_mtok: 0.3,
    cache_read_mtok: 0.03,
    output_mtok: 2.5,
    input_audio_mtok: 1,
    cache_audio_read_mtok: 0.1,
    grounding_kcount: 35,
  },
} as const;

const answer = (usageMetadata: unknown, more: object = {}, text = 'Hello!'): object => ({
  candidates: [{ content: { role: 'model', parts: [{ text }] }, finishReason: 'STOP', index: 0, ...more }],
  usageMetadata,
  modelVersion: 'gemini-2.5-flash',
  responseId: 'r1',
});
const piece = (usageMetadata: unknown, text: string): object => ({
  candidates: [{ content: { role: 'model', parts: [{ text }] }, index: 0 }],
  usageMetadata,
  modelVersion: 'gemini-2.5-flash',
});
const thinking = { promptTokenCount: 12, candidatesTokenCount: 31, thoughtsTokenCount: 948, totalTokenCount: 991 };
const thinkingRead = { inputTokens: 12, outputTokens: 979, reasoningTokens: 948 };
/** 12 × 300 + (31 + 948) × 2,500 */
const thinkingCost = 3600 + 2_447_500;
const plain = { promptTokenCount: 1000, candidatesTokenCount: 100, totalTokenCount: 1100 };
const plainRead = { inputTokens: 1000, outputTokens: 100 };
/** 1000 × 300 + 100 × 2,500 */
const plainCost = 300_000 + 250_000;

const termed = (name: string, member: object, term: string, cost: number): UsageFixture => ({
  ...flash,
  name,
  body: answer({ ...plain, ...member }),
  usage: { ...plainRead, terms: [term] },
  cost,
});

export const GEMINI: readonly UsageFixture[] = [
  { ...flash, name: 'thoughts, which are output', body: answer(thinking), usage: thinkingRead, cost: thinkingCost },
  {
    ...flash,
    name: 'a stream of events',
    operation: 'streamGenerateContent',
    events: sse([piece({ promptTokenCount: 12, totalTokenCount: 12 }, 'Hel'), answer(thinking, {}, 'lo!')]),
    usage: thinkingRead,
    cost: thinkingCost,
  },
  {
    ...flash,
    name: 'a stream as one list',
    operation: 'streamGenerateContent',
    body: [piece({ promptTokenCount: 12, totalTokenCount: 12 }, 'Hel'), answer(thinking, {}, 'lo!')],
    usage: thinkingRead,
    cost: thinkingCost,
  },
  {
    ...flash,
    name: 'a stream that broke off: what was told last, and a token for each piece',
    operation: 'streamGenerateContent',
    events: sse([piece({ promptTokenCount: 12, totalTokenCount: 12 }, 'Hel'), piece({ promptTokenCount: 12 }, 'lo')]),
    usage: { inputTokens: 12, outputTokens: 2 },
    certainty: 'lower_bound',
    // 12 × 300 + 2 × 2,500
    cost: 3600 + 5000,
  },
  {
    ...flash,
    name: 'sound and its part in the cache',
    body: answer({
      promptTokenCount: 1000,
      cachedContentTokenCount: 600,
      candidatesTokenCount: 100,
      totalTokenCount: 1100,
      promptTokensDetails: [
        { modality: 'TEXT', tokenCount: 500 },
        { modality: 'AUDIO', tokenCount: 500 },
      ],
      cacheTokensDetails: [
        { modality: 'TEXT', tokenCount: 400 },
        { modality: 'AUDIO', tokenCount: 200 },
      ],
      candidatesTokensDetails: [{ modality: 'TEXT', tokenCount: 100 }],
    }),
    usage: {
      inputTokens: 1000,
      cacheReadTokens: 600,
      inputAudioTokens: 500,
      cacheReadAudioTokens: 200,
      outputTokens: 100,
    },
    // 100 × 300 text + 400 × 30 cached + 300 × 1,000 sound + 200 × 100 cached sound + 100 × 2,500
    cost: 30_000 + 12_000 + 300_000 + 20_000 + 250_000,
  },
  {
    ...flash,
    name: 'pictures and films, at the one price of input',
    body: answer({
      ...plain,
      promptTokensDetails: [
        { modality: 'TEXT', tokenCount: 10 },
        { modality: 'IMAGE', tokenCount: 258 },
        { modality: 'VIDEO', tokenCount: 700 },
        { modality: 'DOCUMENT', tokenCount: 32 },
      ],
    }),
    usage: { ...plainRead, inputImageTokens: 258, inputVideoTokens: 700 },
    cost: plainCost,
  },
  {
    ...flash,
    name: 'what tools at the provider found is input',
    body: answer({ ...plain, toolUsePromptTokenCount: 200, totalTokenCount: 1300 }),
    usage: { inputTokens: 1200, outputTokens: 100 },
    // 1200 × 300 + 100 × 2,500
    cost: 360_000 + 250_000,
  },
  {
    ...flash,
    name: 'an answer that rests on searches, however many',
    body: answer(plain, {
      groundingMetadata: { webSearchQueries: ['a', 'b'], groundingChunks: [{ web: { uri: 'u' } }] },
    }),
    usage: { ...plainRead, webSearches: 2 },
    // and $35 ÷ 1000
    cost: plainCost + 35_000_000,
  },
  {
    ...flash,
    name: 'searches, each charged for',
    model: 'gemini-3-flash-preview',
    prices: { input_mtok: 0.5, output_mtok: 3, web_searches_kcount: 14 },
    body: answer(plain, { groundingMetadata: { webSearchQueries: ['a', 'b'] } }),
    usage: { ...plainRead, webSearches: 2 },
    // 1000 × 500 + 100 × 3,000 + 2 × $14 ÷ 1000
    cost: 500_000 + 300_000 + 28_000_000,
  },
  {
    ...flash,
    name: 'the longer context',
    model: 'gemini-2.5-pro',
    prices: {
      input_mtok: { base: 1.25, tiers: [{ start: 200_000, price: 2.5 }] },
      output_mtok: { base: 10, tiers: [{ start: 200_000, price: 15 }] },
    },
    body: answer({ promptTokenCount: 200_001, candidatesTokenCount: 10, totalTokenCount: 200_011 }),
    usage: { inputTokens: 200_001, outputTokens: 10 },
    // 200,001 × 2,500 + 10 × 15,000
    cost: 500_002_500 + 150_000,
  },
  {
    ...flash,
    name: 'a picture that the model made',
    model: 'gemini-3-pro-image-preview',
    prices: { input_mtok: 2, output_mtok: 12, output_image_mtok: 120 },
    body: answer({
      promptTokenCount: 20,
      candidatesTokenCount: 1180,
      thoughtsTokenCount: 300,
      totalTokenCount: 1500,
      candidatesTokensDetails: [
        { modality: 'IMAGE', tokenCount: 1120 },
        { modality: 'TEXT', tokenCount: 60 },
      ],
    }),
    usage: { inputTokens: 20, outputTokens: 1480, reasoningTokens: 300, outputImageTokens: 1120 },
    // 20 × 2,000 + (60 + 300) × 12,000 + 1120 × 120,000
    cost: 40_000 + 4_320_000 + 134_400_000,
  },
  termed('flex, at half the price', { serviceTier: 'flex' }, 'tier:flex', plainCost / 2),
  termed('priority, at most double the price', { serviceTier: 'priority' }, 'tier:priority', plainCost * 2),
  termed('the tier as Vertex AI tells it', { trafficType: 'ON_DEMAND_FLEX' }, 'tier:flex', plainCost / 2),
  termed('on demand', { trafficType: 'ON_DEMAND' }, 'tier:on_demand', plainCost),
  termed('bought in advance', { trafficType: 'PROVISIONED_THROUGHPUT' }, 'tier:provisioned_throughput', plainCost),
  {
    ...flash,
    name: 'a prompt that was blocked: its input alone',
    body: { promptFeedback: { blockReason: 'SAFETY' }, usageMetadata: { promptTokenCount: 4, totalTokenCount: 4 } },
    usage: { inputTokens: 4, outputTokens: 0 },
    // 4 × 300
    cost: 1200,
  },
  {
    ...flash,
    name: 'an embedding with its usage',
    operation: 'embedContent',
    model: 'gemini-embedding-001',
    prices: { input_mtok: 0.15 },
    body: { embedding: { values: [0.1] }, usageMetadata: { promptTokenCount: 9 } },
    usage: { inputTokens: 9 },
    // 9 × 150
    cost: 1350,
  },
  {
    ...flash,
    name: 'embeddings without: unknown',
    operation: 'batchEmbedContents',
    model: 'gemini-embedding-001',
    prices: { input_mtok: 0.15 },
    body: { embeddings: [{ values: [0.1] }] },
    usage: {},
    certainty: 'lower_bound',
    cost: undefined,
  },
  {
    ...flash,
    name: 'counting tokens, which is free',
    operation: 'geminiCountTokens',
    body: { totalTokens: 31 },
    usage: { inputTokens: 0, outputTokens: 0 },
    cost: 0,
  },
];
