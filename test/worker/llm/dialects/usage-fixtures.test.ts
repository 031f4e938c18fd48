import { describe, expect, it } from 'vitest';
import { costOf } from '../../../../src/budget/price.ts';
import { eventStreamMeter, jsonTailMeter } from '../../../../src/llm/meter.ts';
import { modelPricing } from '../../../../src/llm/model-price.ts';
import { OPERATIONS } from '../../../../src/llm/operation.ts';
import { providerTypeOf } from '../../../../src/llm/provider-types.ts';
import type { ResponseFacts, ResponseReader } from '../../../../src/llm/response-reader.ts';
import { ANTHROPIC } from '../usage-fixtures/anthropic.ts';
import { FIXTURE_TIME, type UsageFixture } from '../usage-fixtures/fixture.ts';
import { GEMINI } from '../usage-fixtures/gemini.ts';
import { OPENAI_CHAT } from '../usage-fixtures/openai-chat.ts';
import { OPENAI_COMPATIBLE } from '../usage-fixtures/openai-compatible.ts';
import { OPENAI_RESPONSES } from '../usage-fixtures/openai-responses.ts';

function read({ operation, body, events }: UsageFixture, pieceBytes: number): ResponseFacts {
  const reader: ResponseReader = OPERATIONS[operation].createReader();
  if (events === undefined) reader.readBody(body);
  else {
    const meter = eventStreamMeter(reader);
    const bytes = new TextEncoder().encode(events);
    for (let at = 0; at < bytes.length; at += pieceBytes) meter.see(bytes.subarray(at, at + pieceBytes));
    meter.end();
  }
  return reader.facts();
}

function pricingOf({ provider, model }: UsageFixture) {
  const configured = { name: provider, type: provider, keys: [] };
  const type = providerTypeOf(configured);
  if (!type.ok) throw new Error(type.error.message);
  const pricing = modelPricing({ provider: configured, type: type.value, model }, FIXTURE_TIME);
  if (pricing === undefined || pricing === 'free') throw new Error(`no price for ${model}`);
  return pricing;
}

describe.each([
  ['OpenAI Chat Completions and Embeddings', OPENAI_CHAT],
  ['OpenAI Responses', OPENAI_RESPONSES],
  ['providers that speak like OpenAI', OPENAI_COMPATIBLE],
  ['Anthropic Messages', ANTHROPIC],
  ['Gemini', GEMINI],
])('%s', (_vendor, fixtures) => {
  it.each(fixtures)('$name', (fixture) => {
    const pricing = pricingOf(fixture);
    expect(pricing.price).toMatchObject(fixture.prices);
    const usage = { ...fixture.usage, certainty: fixture.certainty ?? 'exact' };
    for (const pieceBytes of [1, 7, 1_000_000]) expect(read(fixture, pieceBytes).usage).toEqual(usage);
    expect(costOf(usage, pricing.price, pricing.rates)).toBe(fixture.cost);
  });
});

describe('an answer too large to be read whole', () => {
  it.each([...OPENAI_CHAT, ...ANTHROPIC.slice(0, 2), ...GEMINI.slice(0, 1)].filter(({ body }) => body !== undefined))(
    'has its usage in its tail: $name',
    (fixture) => {
      const { model, usage, usageMetadata, service_tier: tier, ...rest } = fixture.body as Record<string, unknown>;
      const filler = Array.from({ length: 3000 }, () => 'not the "usage": {"prompt_tokens": 1} of this answer');
      const text = JSON.stringify({ ...rest, model, filler, usageMetadata, usage, service_tier: tier });
      const reader = OPERATIONS[fixture.operation].createReader();
      const meter = jsonTailMeter(reader);
      const bytes = new TextEncoder().encode(text);
      for (let at = 0; at < bytes.length; at += 4096) meter.see(bytes.subarray(at, at + 4096));
      expect(reader.facts()).not.toHaveProperty('outputBytes');
      meter.end();
      expect(reader.facts().usage).toEqual({ ...fixture.usage, certainty: 'exact' });
      expect(reader.facts()).not.toHaveProperty('outputBytes');
    },
  );

  it('of Responses is a lower bound: which tools were run stands before the tail', () => {
    const reader = OPERATIONS.responses.createReader();
    reader.readBody({ usage: { input_tokens: 10, output_tokens: 5 } });
    expect(reader.facts().usage).toEqual({ inputTokens: 10, outputTokens: 5, certainty: 'lower_bound' });
  });
});
