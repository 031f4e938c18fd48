// Whatever is asked, a call never costs more than was estimated: by a real tokenizer, and by the prices themselves.
import * as fc from 'fast-check';
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base';
import { countTokens as countOlder } from 'gpt-tokenizer/encoding/cl100k_base';
import { describe, expect, it } from 'vitest';
import { costOf } from '../../../../src/budget/price.ts';
import { completedPrice, termRatesOf } from '../../../../src/budget/vendor-terms.ts';
import type { Usage } from '../../../../src/budget/usage.ts';
import { chargeOf } from '../../../../src/llm/estimate/charge.ts';
import { estimateNeed } from '../../../../src/llm/estimate/need.ts';
import { bytesOf, call, CHAT, EMBEDDINGS, estimated, GEMINI, MESSAGES, PRICING, RESPONSES } from './call.ts';

const WORDS = [
  'The quick brown fox jumps over the lazy dog. ',
  'Größenwahn, façade, naïve — “quoted” … ',
  '世界您好，这是一个测试。',
  'こんにちは世界、お元気ですか',
  'مرحبا بالعالم ﷺ',
  'Привет, мир! ',
  'สวัสดีชาวโลก',
  '👩‍👩‍👧‍👦🏳️‍🌈🇪🇺🤦🏽‍♂️',
  'const f = (x) => x?.y ?? "\\n\\t";\n    return f;\n',
  '{"a":[1,2,{"b":null}],"c":"\\u00e9"}',
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ',
  '                                        ',
  '\u0000\u0001\u{10FFFF}𝕳𝖊𝖑𝖑𝖔 ',
  '1234567890 3.14159265 0xDEADBEEF ',
  'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
] as const;

const text = fc.oneof(
  fc.array(fc.constantFrom(...WORDS), { maxLength: 30 }).map((words) => words.join('')),
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.string({ unit: 'grapheme', maxLength: 300 }),
  fc.base64String({ maxLength: 400 }),
  fc.json({ maxDepth: 4 }),
);
const role = fc.constantFrom('system', 'user', 'assistant', 'developer');
const messages = fc.array(fc.record({ role, content: text }), { minLength: 1, maxLength: 8 });
const tool = fc.record({
  type: fc.constant('function'),
  function: fc.record({
    name: fc.stringMatching(/^[a-z_]{1,20}$/),
    description: text,
    parameters: fc.record({
      type: fc.constant('object'),
      properties: fc.dictionary(
        fc.stringMatching(/^[a-z]{1,8}$/),
        fc.record({ type: fc.constantFrom('string', 'integer'), description: text }),
        { maxKeys: 5 },
      ),
    }),
  }),
});

/** As the vendor documents it for Chat Completions: three tokens a message and its role, and three to begin the answer. */
function promptTokens(asked: readonly { role: string; content: string }[], count: typeof countTokens): number {
  return asked.reduce((sum, message) => sum + 3 + count(message.role, PLAIN) + count(message.content, PLAIN), 3);
}

/** Names of special tokens within a text are text. */
const PLAIN = { disallowedSpecial: new Set<string>() };

describe('the bound of the input', () => {
  it.each([
    ['o200k', countTokens],
    ['cl100k', countOlder],
  ])('is above what a real tokenizer counts: %s', (_name, count) => {
    fc.assert(
      fc.property(messages, fc.array(tool, { maxLength: 3 }), (asked, tools) => {
        const { inputTokens } = estimated(CHAT, { messages: asked, tools, max_tokens: 1 }, { pricing: 'free' });
        // Definitions as they are sent, which is longer than how models are shown them.
        const shown = tools.length === 0 ? 0 : count(JSON.stringify(tools), PLAIN);
        expect(inputTokens).toBeGreaterThanOrEqual(promptTokens(asked, count as typeof countTokens) + shown);
      }),
      { numRuns: 300 },
    );
  });

  it('is about four times what plain English is', () => {
    const content = 'It was the best of times, it was the worst of times, it was the age of wisdom. '.repeat(200);
    const asked = [{ role: 'user', content }];
    const { inputTokens } = estimated(CHAT, { messages: asked, max_tokens: 1 }, { pricing: 'free' });
    const ratio = inputTokens / promptTokens(asked, countTokens);
    expect(ratio).toBeGreaterThan(3);
    expect(ratio).toBeLessThan(5);
  });
});

describe('the bound of the cost', () => {
  const rate = fc.integer({ min: 0, max: 200_000_000 }).map((micro) => micro / 1e6);
  const entry = fc.oneof(
    rate,
    fc
      .record({
        base: rate,
        tiers: fc.array(fc.record({ start: fc.integer({ min: 1, max: 3000 }), price: rate }), {
          minLength: 1,
          maxLength: 3,
        }),
      })
      .map(({ base, tiers }) => ({ base, tiers: tiers.toSorted((a, b) => a.start - b.start) })),
  );
  const price = fc.record(
    {
      input_mtok: entry,
      output_mtok: entry,
      output_reasoning_mtok: entry,
      cache_write_mtok: entry,
      cache_write_1h_mtok: entry,
      input_audio_mtok: rate,
      output_audio_mtok: rate,
      requests_kcount: rate,
    },
    { requiredKeys: ['input_mtok', 'output_mtok', 'input_audio_mtok', 'output_audio_mtok'] },
  );
  /** How a call really went, as shares of what was expected. */
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  const truth = fc.record({ input: share, output: share, written: share, hour: share, thought: share, spoken: share });

  it.each([
    ['chat', CHAT, {}, ['cacheWriteTokens']],
    ['spoken chat', CHAT, { modalities: ['text', 'audio'] }, ['outputAudioTokens']],
    [
      'a cache',
      MESSAGES,
      { cache_control: { type: 'ephemeral', ttl: '1h' } },
      ['cacheWriteTokens', 'cacheWrite1hTokens'],
    ],
    ['faster', MESSAGES, { speed: 'fast', inference_geo: 'us' }, []],
    ['fewer', RESPONSES, { service_tier: 'priority' }, ['cacheWriteTokens']],
    ['Gemini', GEMINI, { generationConfig: { responseModalities: ['AUDIO'] } }, ['outputAudioTokens']],
  ] as const)('is above what any usage within it costs: %s', (_name, operation, extra, kinds) => {
    const terms = [
      ...('speed' in extra ? ['speed:fast', 'geo:us'] : []),
      ...('service_tier' in extra ? ['tier:priority'] : []),
    ];
    const rates = new Map([
      ['speed:fast', [6, 1]],
      ['geo:us', [11, 10]],
      ['tier:priority', [5, 3]],
    ] as const);
    fc.assert(
      fc.property(price, truth, fc.integer({ min: 1, max: 5000 }), fc.nat(4000), (listed, went, most, length) => {
        const body = {
          messages: [{ role: 'user', content: 'x'.repeat(length) }],
          max_tokens: most,
          max_output_tokens: most,
          ...extra,
        };
        const prices = { ...listed } as Record<string, (typeof listed)['input_mtok']>;
        const pricing = { ...PRICING, price: prices, rates };
        const { need, inputTokens, outputTokens } = estimated(operation, body, { pricing });
        const inputUsed = Math.floor(went.input * inputTokens);
        const outputUsed = Math.floor(went.output * outputTokens);
        const written = kinds.some((kind) => kind === 'cacheWriteTokens') ? Math.floor(went.written * inputUsed) : 0;
        const spoken = kinds.some((kind) => kind === 'outputAudioTokens') ? Math.floor(went.spoken * outputUsed) : 0;
        const usage: Usage = {
          inputTokens: inputUsed,
          outputTokens: outputUsed,
          cacheWriteTokens: written,
          cacheWrite1hTokens: kinds.some((kind) => kind === 'cacheWrite1hTokens') ? Math.floor(went.hour * written) : 0,
          outputAudioTokens: spoken,
          reasoningTokens: Math.floor(went.thought * (outputUsed - spoken)),
          terms,
          certainty: 'exact',
        };
        const cost = costOf(usage, prices, rates);
        expect(cost).toBeDefined();
        expect(need.cost).toBeGreaterThanOrEqual(cost ?? Infinity);
        expect(need.tokens).toBeGreaterThanOrEqual(inputUsed + outputUsed);
      }),
      { numRuns: 500 },
    );
  });

  it('is the cost itself, where a call uses all of it', () => {
    fc.assert(
      fc.property(rate, rate, fc.integer({ min: 1, max: 8000 }), (input, output, most) => {
        const pricing = { ...PRICING, price: { input_mtok: input, output_mtok: output } };
        const { need, inputTokens, outputTokens } = estimated(CHAT, { max_tokens: most }, { pricing });
        const cost = costOf({ inputTokens, outputTokens, certainty: 'exact' }, pricing.price);
        expect(need.cost).toBe(cost);
      }),
    );
  });

  it('holds for terms and prices as vendors have them', () => {
    const listed = completedPrice('anthropic', 'claude-opus-4-7', { input_mtok: 5, output_mtok: 25 });
    const pricing = { ...PRICING, price: listed, rates: termRatesOf('anthropic', 'claude-opus-4-7') };
    const body = { max_tokens: 100, speed: 'fast', messages: [], cache_control: { type: 'ephemeral', ttl: '1h' } };
    const { need, inputTokens, outputTokens } = estimated(MESSAGES, body, { pricing });
    const usage: Usage = {
      inputTokens,
      outputTokens,
      cacheWriteTokens: inputTokens,
      cacheWrite1hTokens: inputTokens,
      terms: ['speed:fast'],
      certainty: 'exact',
    };
    expect(need.cost).toBe(costOf(usage, pricing.price, pricing.rates));
  });
});

describe('the charge of a stream that was cut short', () => {
  it('is above what its provider had generated', () => {
    const unseen = fc.integer({ min: 0, max: 256 });
    const answers = fc.integer({ min: 1, max: 4 });
    fc.assert(
      fc.property(text, unseen, answers, fc.boolean(), (said, more, n, isInputTold) => {
        const asked = [{ role: 'user', content: 'Tell me.' }];
        const estimate = estimated(CHAT, { messages: asked, n, max_tokens: 4000 });
        const inputTokens = promptTokens(asked, countTokens);
        const generated = Math.min(estimate.outputTokens, countTokens(said, PLAIN) + more);
        // Of what was generated, the gateway has seen the text and not the tokens.
        const usage: Usage = { ...(isInputTold && { inputTokens }), outputTokens: 1, certainty: 'lower_bound' };
        const known = costOf(usage, PRICING.price);
        const outputBytes = new TextEncoder().encode(said).byteLength + 1;
        const charged = chargeOf({
          estimate,
          progress: 'answered',
          facts: { usage, outputBytes },
          ...(known !== undefined && { cost: known }),
        });
        const truth = costOf({ inputTokens, outputTokens: generated, certainty: 'exact' }, PRICING.price);
        expect(charged.cost).toBeGreaterThanOrEqual(truth ?? Infinity);
        expect(charged.tokens).toBeGreaterThanOrEqual(inputTokens + generated);
      }),
      { numRuns: 500 },
    );
  });
});

describe('any body at all', () => {
  const MEMBERS = [
    'messages',
    'input',
    'contents',
    'parts',
    'content',
    'tools',
    'type',
    'source',
    'data',
    'image_url',
    'url',
    'output',
    'role',
    'text',
    'inlineData',
    'mimeType',
    'max_tokens',
    'n',
    'thinking',
    'budget_tokens',
    'generationConfig',
    'maxOutputTokens',
    'cache_control',
    'ttl',
    'service_tier',
    'prediction',
    'modalities',
    'max_uses',
    'system',
    'audio',
    'input_audio',
    'context_management',
    'edits',
    '__proto__',
    'toString',
    'valueOf',
  ];
  const KINDS = [
    'text',
    'image',
    'image_url',
    'input_image',
    'document',
    'tool_result',
    'function',
    'web_search_20250305',
    'base64',
    'priority',
  ];
  const { json } = fc.letrec((tie) => ({
    json: fc.oneof(
      { maxDepth: 6, depthSize: 'medium' },
      fc.constantFrom<unknown>(null, true, -1, 0, 1, 1.5, 1e15, 1e308, -1e308, '', 'x', ...KINDS),
      fc.string(),
      fc.array(tie('json'), { maxLength: 4 }),
      fc.dictionary(fc.constantFrom(...MEMBERS), tie('json'), { maxKeys: 6 }),
    ),
  }));
  const pricing = fc.constantFrom('free' as const, undefined, PRICING, {
    price: { input_mtok: 1e6, output_mtok: 1e6 },
  });

  it.each([CHAT, RESPONSES, EMBEDDINGS, MESSAGES, GEMINI])(
    'is bounded or refused, and never a fault: %o',
    (operation) => {
      fc.assert(
        fc.property(json, pricing, (body, priced) => {
          const estimate = estimateNeed(call(operation, body, { pricing: priced, byteLength: bytesOf(body) }));
          if (!estimate.ok) {
            expect(['invalid_request', 'model_not_priced']).toContain(estimate.error.code);
            return;
          }
          const { need, inputTokens, outputTokens, inputCost, outputRate } = estimate.value;
          for (const amount of [need.cost, need.tokens, inputTokens, outputTokens, inputCost]) {
            expect(Number.isSafeInteger(amount)).toBe(true);
            expect(amount).toBeGreaterThanOrEqual(0);
          }
          expect(Number.isFinite(outputRate)).toBe(true);
        }),
        { numRuns: 2000 },
      );
    },
  );

  it('deeply nested is no fault either', () => {
    let nested: unknown = [];
    for (let depth = 0; depth < 5000; depth++) nested = [{ type: 'tool_result', content: nested }];
    const body = { max_tokens: 1, messages: [{ role: 'user', content: nested }] };
    expect(estimateNeed(call(MESSAGES, body, { byteLength: 1000 }))).toMatchObject({ ok: true });
  });
});
