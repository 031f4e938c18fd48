// What a request may cost at most, worked out by hand.
import { describe, expect, it } from 'vitest';
import {
  ask,
  BOTH,
  bytesOf,
  call,
  CHAT,
  EMBEDDINGS,
  estimated,
  GEMINI,
  MESSAGES,
  PRICE,
  PRICING,
  refused,
  RESPONSES,
  say,
  TEMPLATE,
  TEXT,
  WINDOW,
  type Operation,
} from './call.ts';
import { OPERATIONS } from '../../../../src/llm/operation.ts';
import { estimateNeed } from '../../../../src/llm/estimate/need.ts';

describe('text', () => {
  it('is as many tokens as bytes at most, in any script', () => {
    const body = say('Grüße, 世界 🌍');
    const input = bytesOf(body) + TEMPLATE;
    expect(bytesOf(body)).toBe(JSON.stringify(body).length + 2 + 4 + 2);
    expect(estimated(CHAT, body).need).toEqual({
      tokens: input + 100,
      cost: input * 1000 + 100 * 10_000,
      requests: 1,
    });
  });

  it('is no more than the context window', () => {
    expect(estimated(CHAT, say('x'.repeat(200_000))).inputTokens).toBe(WINDOW);
    const { contextWindow: _unknown, ...pricing } = PRICING;
    const body = say('x'.repeat(200_000));
    expect(estimated(CHAT, body, { pricing }).inputTokens).toBe(bytesOf(body) + TEMPLATE);
  });

  it('is priced by the tier that the bound reaches, and by the dearest on the way', () => {
    const tiered = {
      base: 1,
      tiers: [
        { start: 10_000, price: 3 },
        { start: 20_000, price: 2 },
      ],
    };
    const pricing = { ...PRICING, price: { ...PRICE, input_mtok: tiered } };
    const rate = (length: number): number => {
      const { inputCost, inputTokens } = estimated(CHAT, say('x'.repeat(length)), { pricing });
      return inputCost / inputTokens;
    };
    expect([rate(1000), rate(15_000), rate(50_000)]).toEqual([1000, 3000, 3000]);
  });

  it('fills a longer window than is published, where a tier begins behind it', () => {
    const tiered = { base: 1, tiers: [{ start: 100_000, price: 2 }] };
    const pricing = { ...PRICING, price: { ...PRICE, input_mtok: tiered } };
    const body = say('x'.repeat(300_000));
    expect(estimated(CHAT, body, { pricing }).inputTokens).toBe(bytesOf(body) + TEMPLATE);
  });
});

describe('output', () => {
  it.each<[string, Operation, object, number]>([
    ['as asked', CHAT, { max_tokens: 50 }, 50],
    ['under its newer name', CHAT, { max_completion_tokens: 60 }, 60],
    ['under both, which is to be the larger', CHAT, { max_completion_tokens: 60, max_tokens: 70 }, 70],
    ['null is not said', CHAT, { max_tokens: null }, 8000],
    ['not said: the most the model can', CHAT, {}, 8000],
    ['more than the model can', CHAT, { max_tokens: 1e15 }, 8000],
    ['several at once', CHAT, { max_tokens: 50, n: 3 }, 150],
    ['ten thousand', CHAT, { n: 10_000 }, 80_000_000],
    ['a prediction that may be wrong', CHAT, { max_tokens: 50, prediction: { type: 'content', content: 'abcd' } }, 62],
    ['thinking apart', CHAT, { max_tokens: 50, reasoning: { max_tokens: 1000 } }, 1050],
    ['of Responses', RESPONSES, { max_output_tokens: 50 }, 50],
    ['of Messages', MESSAGES, { max_tokens: 50 }, 50],
    ['nothing but a full cache', MESSAGES, { max_tokens: 0 }, 0],
    ['thinking within', MESSAGES, { max_tokens: 5000, thinking: { type: 'enabled', budget_tokens: 2000 } }, 5000],
    [
      'thinking between tools',
      MESSAGES,
      { max_tokens: 5000, thinking: { type: 'enabled', budget_tokens: 9000 } },
      14_000,
    ],
    ['thinking as long as it fits', MESSAGES, { max_tokens: 5000, thinking: { budget_tokens: 900_000 } }, WINDOW],
    ['of Gemini', GEMINI, { generationConfig: { maxOutputTokens: 50, candidateCount: 2 } }, 100],
    ['of Gemini, the other spelling', GEMINI, { generation_config: { max_output_tokens: 50 } }, 50],
    ['of Gemini, thinking as it likes', GEMINI, { generationConfig: { thinkingConfig: { thinkingBudget: -1 } } }, 8000],
    ['none of Gemini, embedding', OPERATIONS.embedContent, { content: { parts: [{ text: 'a' }] } }, 0],
    ['none of Gemini, embedding much', OPERATIONS.batchEmbedContents, { requests: [{ content: { parts: [] } }] }, 0],
    ['none of embeddings', EMBEDDINGS, { input: ['a', 'b'] }, 0],
  ])('is %s', (_name, operation, body, tokens) => {
    const { outputTokens, need, inputTokens } = estimated(operation, body);
    expect([outputTokens, need.tokens - inputTokens]).toEqual([tokens, tokens]);
    expect(need.cost).toBe(inputTokens * 1000 + tokens * 10_000);
  });

  it('of a model of which nothing is known has to be bounded by the request', () => {
    const pricing = { price: PRICE };
    expect(estimated(CHAT, { max_tokens: 7 }, { pricing }).outputTokens).toBe(7);
    expect(refused(CHAT, {}, { pricing })).toMatchObject({ code: 'invalid_request', param: 'max_completion_tokens' });
    expect(refused(RESPONSES, {}, { pricing })).toMatchObject({ param: 'max_output_tokens' });
    expect(refused(MESSAGES, {}, { pricing })).toMatchObject({ param: 'max_tokens' });
    expect(refused(GEMINI, {}, { pricing })).toMatchObject({ param: 'generationConfig.maxOutputTokens' });
    expect(estimated(CHAT, {}, { pricing: { price: PRICE, contextWindow: 1000 } }).outputTokens).toBe(1050);
  });

  it('is priced as the dearest of what is asked for', () => {
    const price = { ...PRICE, output_audio_mtok: 80, output_image_mtok: 30, output_reasoning_mtok: 12 };
    const rate = (body: object, operation: Operation = CHAT, model = 'gpt-4.1'): number =>
      estimated(operation, body, { model, pricing: { ...PRICING, price } }).outputRate / 1e6;
    expect(rate({})).toBe(12);
    expect(rate({ modalities: ['text', 'audio'] })).toBe(80);
    expect(rate({ modalities: ['text', 'image'] })).toBe(30);
    expect(rate({}, GEMINI, 'gemini-2.5-flash-image')).toBe(30);
    expect(rate({ generationConfig: { responseModalities: ['TEXT'] } }, GEMINI, 'gemini-2.5-flash-image')).toBe(12);
    expect(rate({ generationConfig: { responseModalities: ['AUDIO'] } }, GEMINI)).toBe(80);
  });
});

const cached = (ttl?: string) => [{ ...TEXT, cache_control: { type: 'ephemeral', ...(ttl && { ttl }) } }];

describe('price', () => {
  const price = { ...PRICE, cache_write_mtok: 1.25, cache_write_1h_mtok: 2 };
  const rates = new Map([
    ['tier:priority', [5, 2]],
    ['speed:fast', [6, 1]],
    ['geo:us', [11, 10]],
    ['tier:flex', [1, 2]],
  ] as const);
  const pricing = { ...PRICING, price, rates };

  it.each<[string, Operation, object, number]>([
    ['no cache', MESSAGES, say([TEXT]), 1],
    ['a cache for minutes', MESSAGES, say(cached()), 1.25],
    ['a cache for an hour', MESSAGES, say(cached('1h')), 2],
    ['both', MESSAGES, say([...cached('1h'), ...cached('5m')]), 2],
    [
      'a cache of tools',
      MESSAGES,
      say('x', { tools: [{ name: 'a', cache_control: { type: 'ephemeral', ttl: '1h' } }] }),
      2,
    ],
    ['a cache of the system prompt', MESSAGES, say('x', { system: cached() }), 1.25],
    ['a cache of the whole', MESSAGES, say('x', { cache_control: { type: 'ephemeral' } }), 1.25],
    ['a cache of what a tool found', MESSAGES, say([{ type: 'tool_result', content: cached('1h') }]), 2],
    ['a cache unasked', CHAT, say('x'), 1.25],
    ['a cache kept for a day', RESPONSES, ask('x', { prompt_cache_retention: '24h' }), 2],
  ])('of input with %s', (_name, operation, body, perMillion) => {
    const { inputCost, inputTokens } = estimated(operation, body, { pricing });
    expect(inputCost).toBe(Math.round(inputTokens * perMillion * 1000));
  });

  it.each<[string, Operation, object, number]>([
    ['priority', CHAT, { service_tier: 'priority' }, 2.5],
    ['perhaps priority', CHAT, { service_tier: 'auto' }, 2.5],
    ['cheaper, if it is', CHAT, { service_tier: 'flex' }, 1],
    ['the default', RESPONSES, { service_tier: 'default' }, 1],
    ['fast', MESSAGES, { speed: 'fast' }, 6],
    ['fast and at home', MESSAGES, { speed: 'fast', inference_geo: 'us' }, 6.6],
    ['standard', MESSAGES, { speed: 'standard', service_tier: 'standard_only' }, 1],
    ['priority of Gemini', GEMINI, { serviceTier: 'PRIORITY' }, 2.5],
  ])('under the terms asked for: %s', (_name, operation, body, factor) => {
    expect(estimated(operation, body, { pricing }).outputRate).toBeCloseTo(10e6 * factor);
  });

  it('under terms that nobody knows is not known', () => {
    const failure = refused(CHAT, { service_tier: 'ultrafast' }, { pricing });
    expect(failure).toMatchObject({ code: 'model_not_priced', message: expect.stringContaining('tier:ultrafast') });
  });

  it('is needed where a budget applies, and only there', () => {
    const failure = refused(CHAT, say('x'), { pricing: undefined });
    expect(failure).toMatchObject({ code: 'model_not_priced', param: 'model' });
    expect(failure.message).toContain('providers[].prices of "main"');
    const tokens = { cost: false, tokens: true };
    expect(estimated(CHAT, say('x'), { pricing: undefined, bounded: tokens }).need).toMatchObject({
      cost: 0,
      requests: 1,
    });
    expect(refused(EMBEDDINGS, { input: 'x' }, { pricing: { price: { output_mtok: 1 } } }).code).toBe(
      'model_not_priced',
    );
  });

  it('of what is free is nothing, and its tokens count', () => {
    const body = say('x'.repeat(1000), { max_tokens: undefined });
    expect(estimated(CHAT, body, { pricing: 'free' }).need).toEqual({
      cost: 0,
      tokens: 2 * (bytesOf(body) + TEMPLATE),
      requests: 1,
    });
  });

  it('has a fee for each request, where the model has one', () => {
    const perRequest = { ...PRICING, price: { ...PRICE, requests_kcount: 5 } };
    const plain = estimated(CHAT, say('x')).need.cost;
    expect(estimated(CHAT, say('x'), { pricing: perRequest }).need.cost).toBe(plain + 5_000_000);
    // Its searches are part of it.
    const included = estimated(CHAT, say('x', { web_search_options: {} }), { pricing: perRequest });
    expect(included.need.cost).toBe(WINDOW * 1000 + 100 * 10_000 + 5_000_000);
  });
});

describe('what no limit bounds', () => {
  it('is not looked at', () => {
    const body = {
      max_tokens: 'nonsense',
      get messages(): never[] {
        throw new Error('it was looked at');
      },
    };
    const of = call(CHAT, {}, { body, bounded: { cost: false, tokens: false }, pricing: undefined });
    expect(estimateNeed(of)).toMatchObject({ ok: true, value: { need: { cost: 0, tokens: 0, requests: 1 } } });
  });

  it('counts for nothing beside what a limit does bound', () => {
    expect(estimated(CHAT, say('x'), { bounded: { cost: true, tokens: false } }).need.tokens).toBe(0);
    expect(estimated(CHAT, say('x'), { bounded: { cost: false, tokens: true } }).need.cost).toBe(0);
  });

  it('counting tokens is one request', () => {
    for (const operation of [OPERATIONS.countTokens, OPERATIONS.geminiCountTokens])
      expect(estimated(operation, say('x'), { bounded: BOTH, pricing: undefined }).need).toEqual({
        cost: 0,
        tokens: 0,
        requests: 1,
      });
  });
});

describe('bad input', () => {
  it.each<[Operation, string, readonly unknown[]]>([
    [CHAT, 'max_tokens', [-1, 0, 1.5, '100', 'NaN', true, [], {}]],
    [CHAT, 'max_completion_tokens', [-1e308, 0]],
    [CHAT, 'n', [-1, 0, 0.5, '2']],
    [CHAT, 'best_of', [0]],
    [RESPONSES, 'max_output_tokens', [-1, 0]],
    [RESPONSES, 'max_tool_calls', [-1, '3']],
    [MESSAGES, 'max_tokens', [-1, 0.1, '1']],
    [MESSAGES, 'thinking.budget_tokens', [-5, 'much']],
    [GEMINI, 'generationConfig.maxOutputTokens', [-1, 0, '7']],
    [GEMINI, 'generation_config.candidate_count', [-1, 0]],
    [GEMINI, 'generationConfig.thinkingConfig.thinkingBudget', [-2, 1.5]],
  ])('%o %s', (operation, param, values) => {
    for (const value of values) {
      const body = param.split('.').reduceRight<unknown>((inner, name) => ({ [name]: inner }), value);
      expect(refused(operation, body), String(value)).toMatchObject({ code: 'invalid_request', param });
    }
  });

  it('a bad bound on the uses of a tool', () => {
    const tools = [{ name: 'a' }, { type: 'web_search_20250305', max_uses: -3 }];
    expect(refused(MESSAGES, say('x', { tools }))).toMatchObject({
      code: 'invalid_request',
      param: 'tools[1].max_uses',
    });
  });

  it.each([1e15, 1e300, 1.7e308, Number.MAX_SAFE_INTEGER])('%d is more than any budget, and nothing worse', (huge) => {
    const pricing = { price: { input_mtok: 1e6, output_mtok: 1e6 } };
    const { need } = estimated(CHAT, { max_tokens: huge, n: huge }, { pricing });
    expect(need).toEqual({ cost: Number.MAX_SAFE_INTEGER, tokens: Number.MAX_SAFE_INTEGER, requests: 1 });
  });

  it('uses without end are more than any budget', () => {
    const pricing = { ...PRICING, price: { ...PRICE, web_searches_kcount: 10 } };
    const { need } = estimated(MESSAGES, say('x', { tools: [{ type: 'web_search_20250305', max_uses: 1e300 }] }), {
      pricing,
    });
    expect(need.cost).toBeGreaterThan(1e14);
    expect(Number.isSafeInteger(need.cost)).toBe(true);
  });
});
