import { describe, expect, it } from 'vitest';
import { costOf } from '../../../src/budget/price.ts';
import { providerDocument } from '../../../src/config/document.ts';
import { modelPricing, type ModelPricing } from '../../../src/llm/model-price.ts';
import { providerTypeOf } from '../../../src/llm/provider-types.ts';

const NOW = Date.UTC(2026, 10, 22, 12);

function pricing(document: object, model: string, responseModel?: string): ModelPricing | 'free' | undefined {
  const parsed = providerDocument.parse(document);
  const provider = { ...parsed, type: parsed.type ?? parsed.name };
  const type = providerTypeOf(provider);
  if (!type.ok) throw new Error(type.error.message);
  return modelPricing({ provider, type: type.value, model }, NOW, responseModel);
}

describe('the list', () => {
  it('has price, window and what a model can say', () => {
    expect(pricing({ name: 'openai' }, 'gpt-5')).toMatchObject({
      price: { input_mtok: 1.25, output_mtok: 10, web_searches_kcount: 10 },
      contextWindow: 400_000,
      maxOutputTokens: 128_000,
    });
    expect(pricing({ name: 'anthropic' }, 'claude-opus-5-5')).toMatchObject({ maxOutputTokens: 128_000 });
    expect(pricing({ name: 'gemini' }, 'gemini-2.5-flash')).toMatchObject({
      // Sound in has a rate of its own there, and sound out has none.
      price: { input_mtok: 0.3, input_audio_mtok: 1, output_audio_mtok: 2.5 },
      maxOutputTokens: 65_536,
    });
  });

  it('knows a model by the name asked for, else by the one that answered', () => {
    expect(pricing({ name: 'openai' }, 'my-deployment')).toBeUndefined();
    expect(pricing({ name: 'openai' }, 'my-deployment', 'gpt-4o-2024-08-06')).toMatchObject({
      price: { input_mtok: 2.5 },
    });
    expect(pricing({ name: 'openai' }, 'gpt-5', 'gpt-4o-2024-08-06')).toMatchObject({ price: { input_mtok: 1.25 } });
  });

  it('is not asked where a vendor has none', () => {
    expect(pricing({ name: 'mine', base_url: 'http://127.0.0.1:1/v1' }, 'gpt-5')).toBeUndefined();
    expect(pricing({ name: 'echo' }, 'echo')).toBe('free');
  });
});

describe('configured prices', () => {
  const prices = {
    'gpt-5': { input_mtok: 1, output_mtok: 2 },
    'gpt-5*': { input_mtok: 3, output_mtok: 4 },
    'gpt-*': { input_mtok: 5, output_mtok: 6 },
    '*': { input_mtok: 7, output_mtok: 8 },
  };

  it.each([
    ['gpt-5', 1],
    ['gpt-5-mini', 3],
    ['gpt-4o', 5],
    ['llama', 7],
  ])('of %s are those of the name that says most', (model, input) => {
    expect(pricing({ name: 'openai', prices }, model)).toMatchObject({ price: { input_mtok: input } });
    expect(pricing({ name: 'mine', base_url: 'http://127.0.0.1:1/v1', prices }, model)).toMatchObject({
      price: { input_mtok: input },
    });
  });

  it('stand for the whole entry of the list, and its limits stay', () => {
    const found = pricing({ name: 'openai', prices }, 'gpt-5');
    expect(found).toMatchObject({ contextWindow: 400_000, maxOutputTokens: 128_000 });
    expect(found).not.toHaveProperty('price.cache_read_mtok');
  });

  it('keep the terms of the vendor', () => {
    const found = pricing({ name: 'openai', prices }, 'gpt-5');
    if (found === undefined || found === 'free') throw new Error('no price');
    const usage = { inputTokens: 10, outputTokens: 10, terms: ['tier:flex'], certainty: 'exact' } as const;
    // (10 × 1,000 + 10 × 2,000) ÷ 2
    expect(costOf(usage, found.price, found.rates)).toBe(15_000);
  });

  it('of a cache that are not given are what the vendor documents', () => {
    expect(pricing({ name: 'anthropic', prices: { '*': { input_mtok: 4, output_mtok: 20 } } }, 'x')).toMatchObject({
      price: { cache_write_mtok: 5, cache_write_1h_mtok: 8 },
    });
  });

  it('may be limits alone, and leave the list its prices', () => {
    const limits = { '*': { max_output_tokens: 1000, context_window: 9000 } };
    expect(pricing({ name: 'openai', prices: limits }, 'gpt-5')).toMatchObject({
      price: { input_mtok: 1.25 },
      maxOutputTokens: 1000,
      contextWindow: 9000,
    });
    expect(pricing({ name: 'mine', base_url: 'http://127.0.0.1:1/v1', prices: limits }, 'x')).toBeUndefined();
  });

  it('of nothing are a price, and what is free may be given one', () => {
    const free = { '*': { input_mtok: 0, output_mtok: 0 } };
    const found = pricing({ name: 'ollama', prices: free }, 'llama3');
    if (found === undefined || found === 'free') throw new Error('no price');
    expect(costOf({ inputTokens: 10, outputTokens: 10, certainty: 'exact' }, found.price)).toBe(0);
    expect(pricing({ name: 'echo', prices }, 'echo')).toMatchObject({ price: { input_mtok: 7 } });
  });
});
