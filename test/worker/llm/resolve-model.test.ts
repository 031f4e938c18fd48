import { describe, expect, it } from 'vitest';
import { pickProviderKey, resolveModel } from '../../../src/llm/resolve-model.ts';
import type { LlmDialect } from '../../../src/llm/operation.ts';
import type { Provider, ProviderGrant } from '../../../src/policy/snapshot.ts';

function provider(name: string, more: Partial<Provider> = {}): Provider {
  return { name, type: name, keys: [{ value: `sk-${name}`, weight: 1, models: ['*'] }], ...more };
}

const PROVIDERS = new Map(
  [
    provider('openai'),
    provider('groq'),
    provider('anthropic'),
    provider('echo', { keys: [] }),
    provider('together'),
    provider('picky', { type: 'openai', keys: [{ value: 'k', weight: 1, models: ['gpt-4o-mini'] }] }),
  ].map((one) => [one.name, one]),
);

function resolved(
  model: string,
  grants: Record<string, Partial<ProviderGrant>>,
  dialect: LlmDialect = 'openai',
): string {
  const providers = new Map(
    Object.entries(grants).map(([name, grant]) => [name, { models: ['*'], weight: 1, ...grant }]),
  );
  const target = resolveModel(model, dialect, { providers }, PROVIDERS);
  return target.ok ? `${target.value.provider.name} ${target.value.model}` : target.error.code;
}

describe('provider/model', () => {
  it.each([
    ['openai/gpt-4o', { openai: {} }, 'openai gpt-4o'],
    ['openai/gpt-4o', { openai: { models: ['gpt-4o*'] } }, 'openai gpt-4o'],
    ['openai/gpt-5', { openai: { models: ['gpt-4o*'] } }, 'model_not_allowed'],
    ['openai/gpt-4o', { groq: {} }, 'model_not_allowed'],
    ['openai/gpt-4o', {}, 'model_not_allowed'],
    ['gone/x', { gone: {} }, 'model_not_allowed'],
    ['picky/gpt-4o', { picky: {} }, 'model_not_allowed'],
    ['picky/gpt-4o-mini', { picky: {} }, 'picky gpt-4o-mini'],
    ['together/meta-llama/Llama-3', { together: {} }, 'together meta-llama/Llama-3'],
    ['anthropic/claude', { anthropic: {} }, 'invalid_request'],
    ['/gpt-4o', { openai: {} }, 'model_not_allowed'],
    ['openai/', { openai: {} }, 'model_not_allowed'],
  ])('%s under %j: %s', (model, grants, expected) => {
    expect(resolved(model, grants)).toBe(expected);
  });
});

describe('a bare model', () => {
  it.each<[string, Record<string, Partial<ProviderGrant>>, LlmDialect, string]>([
    ['gpt-4o', { groq: { models: ['llama*'] }, openai: { models: ['gpt*'] } }, 'openai', 'openai gpt-4o'],
    ['gpt-4o', { groq: {}, openai: {} }, 'openai', 'groq gpt-4o'],
    ['gpt-4o', { groq: {}, openai: { weight: 2 } }, 'openai', 'openai gpt-4o'],
    ['claude', { anthropic: {}, openai: { weight: 5 } }, 'anthropic', 'anthropic claude'],
    ['claude', { anthropic: { weight: 5 }, openai: { models: ['gpt*'] } }, 'openai', 'invalid_request'],
    ['gpt-4o', { picky: { weight: 9 }, openai: {} }, 'openai', 'openai gpt-4o'],
    ['gpt-4o', {}, 'openai', 'model_not_allowed'],
    // A name with a slash counts as bare only where a grant spells it out.
    ['meta-llama/Llama-3', { together: { models: ['meta-llama/*'] } }, 'openai', 'together meta-llama/Llama-3'],
    ['meta-llama/Llama-3', { together: {} }, 'openai', 'model_not_allowed'],
  ])('%s under %j in %s: %s', (model, grants, dialect, expected) => {
    expect(resolved(model, grants, dialect)).toBe(expected);
  });
});

describe('the provider key', () => {
  const weighted = provider('openai', {
    keys: [
      { value: 'a', weight: 1, models: ['*'] },
      { value: 'b', weight: 3, models: ['*'] },
      { value: 'c', weight: 100, models: ['o1*'] },
    ],
  });

  it('is drawn by weight among those for the model', () => {
    expect([0, 0.24, 0.26, 0.999].map((random) => pickProviderKey(weighted, 'gpt-4o', random))).toEqual([
      'a',
      'a',
      'b',
      'b',
    ]);
    expect(pickProviderKey(weighted, 'o1-mini', 0.5)).toBe('c');
    expect(pickProviderKey(provider('echo', { keys: [] }), 'x', 0.5)).toBeUndefined();
  });
});
