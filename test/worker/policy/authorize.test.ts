import { describe, expect, it } from 'vitest';
import { authorize } from '../../../src/policy/authorize.ts';
import { providersInScope } from '../../../src/policy/model-scope.ts';
import type { NamePatterns, VirtualKey } from '../../../src/policy/snapshot.ts';
import { upstreamsInScope } from '../../../src/policy/mcp-scope.ts';

const NOW = 1_800_000_000_000;

interface Grants {
  readonly tools?: Record<string, NamePatterns>;
  readonly resources?: Record<string, NamePatterns>;
  readonly prompts?: Record<string, NamePatterns>;
  readonly models?: Record<string, NamePatterns>;
  readonly disabled?: boolean;
  readonly expiresAt?: number;
}

function keyWith({
  tools = {},
  resources = {},
  prompts = {},
  models = {},
  disabled = false,
  expiresAt,
}: Grants): VirtualKey {
  return {
    principal: { kind: 'virtual_key', keyId: 'vk_1', keyName: 'one', payer: 'key:vk_1' },
    disabled,
    mode: 'direct',
    tools: new Map(Object.entries(tools)),
    resources: new Map(Object.entries(resources)),
    prompts: new Map(Object.entries(prompts)),
    toolGroups: [],
    providers: new Map(Object.entries(models).map(([name, patterns]) => [name, { models: patterns, weight: 1 }])),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  };
}

const outcome = (decision: ReturnType<typeof authorize>) => (decision.allow ? 'allow' : decision.reason);

describe('a tool call', () => {
  it.each<[string, Grants, string, string, string]>([
    ['a key without grants', {}, 'github', 'search', 'upstream_not_granted'],
    ['an empty list', { tools: { github: [] } }, 'github', 'search', 'tool_not_granted'],
    ['another upstream', { tools: { github: ['*'] } }, 'files', 'search', 'upstream_not_granted'],
    ['an exact name', { tools: { github: ['search'] } }, 'github', 'search', 'allow'],
    ['a longer name', { tools: { github: ['search'] } }, 'github', 'search_code', 'tool_not_granted'],
    ['other case', { tools: { github: ['search'] } }, 'github', 'Search', 'tool_not_granted'],
    ['everything', { tools: { github: ['*'] } }, 'github', 'anything at all', 'allow'],
    ['a prefix', { tools: { github: ['get_*'] } }, 'github', 'get_issue', 'allow'],
    ['the bare prefix', { tools: { github: ['get_*'] } }, 'github', 'get_', 'allow'],
    ['outside the prefix', { tools: { github: ['get_*'] } }, 'github', 'forget_issue', 'tool_not_granted'],
    ['a dot that is no wildcard', { tools: { github: ['a.c'] } }, 'github', 'abc', 'tool_not_granted'],
    ['the pattern itself as name', { tools: { github: ['get_issue'] } }, 'github', 'get_*', 'tool_not_granted'],
    ['a model grant only', { models: { github: ['*'] } }, 'github', 'search', 'upstream_not_granted'],
    ['a name of the prototype', { tools: {} }, 'constructor', 'toString', 'upstream_not_granted'],
    ['a disabled key', { tools: { github: ['*'] }, disabled: true }, 'github', 'search', 'key_disabled'],
    ['an expired key', { tools: { github: ['*'] }, expiresAt: NOW }, 'github', 'search', 'key_expired'],
    ['a key in its last moment', { tools: { github: ['*'] }, expiresAt: NOW + 1 }, 'github', 'search', 'allow'],
  ])('%s', (_case, grants, upstream, tool, expected) => {
    expect(outcome(authorize(keyWith(grants), { kind: 'tool.call', upstream, tool }, NOW))).toBe(expected);
  });
});

describe('a resource', () => {
  it.each<[string, Grants, string, string]>([
    ['of a server whose tools alone are granted', { tools: { files: ['*'] } }, 'file:///a', 'upstream_not_granted'],
    ['that no pattern allows', { resources: { files: ['file:///b*'] } }, 'file:///a', 'resource_not_granted'],
    ['by its URI', { resources: { files: ['file:///a'] } }, 'file:///a', 'allow'],
    ['by the beginning of its URI', { resources: { files: ['file:///*'] } }, 'file:///a', 'allow'],
    ['of an expired key', { resources: { files: ['*'] }, expiresAt: NOW }, 'file:///a', 'key_expired'],
  ])('%s', (_case, grants, uri, expected) => {
    const action = { kind: 'resource.read', upstream: 'files', uri } as const;
    expect(outcome(authorize(keyWith(grants), action, NOW))).toBe(expected);
  });
});

describe('a prompt', () => {
  it.each<[string, Grants, string]>([
    ['of a key without grants', {}, 'upstream_not_granted'],
    ['that is not granted', { prompts: { files: ['other'] } }, 'prompt_not_granted'],
    ['that is', { prompts: { files: ['greet'] } }, 'allow'],
  ])('%s', (_case, grants, expected) => {
    const action = { kind: 'prompt.get', upstream: 'files', prompt: 'greet' } as const;
    expect(outcome(authorize(keyWith(grants), action, NOW))).toBe(expected);
  });
});

describe('a method of an extension', () => {
  const all = { files: ['*'] };
  it.each<[string, Grants, string, string]>([
    ['of a key without grants', {}, 'x/y', 'upstream_not_granted'],
    ['for a key that may use tools only', { tools: all }, 'x/y', 'upstream_not_granted'],
    [
      'for a key that may use some',
      { tools: { files: ['a*'] }, resources: all, prompts: all },
      'x/y',
      'tool_not_granted',
    ],
    ['for a key that may use all', { tools: all, resources: all, prompts: all }, 'x/y', 'allow'],
    ['of tasks, for a key without tools', { tools: { files: [] } }, 'tasks/get', 'tool_not_granted'],
    ['of tasks, for a key with some', { tools: { files: ['a*'] } }, 'tasks/get', 'allow'],
  ])('%s', (_case, grants, method, expected) => {
    const action = { kind: 'extension.call', upstream: 'files', method } as const;
    expect(outcome(authorize(keyWith(grants), action, NOW))).toBe(expected);
  });
});

describe('a model call', () => {
  it.each<[string, Grants, string, string, string]>([
    ['a key without grants', {}, 'openai', 'gpt-4o', 'provider_not_granted'],
    ['an empty list', { models: { openai: [] } }, 'openai', 'gpt-4o', 'model_not_granted'],
    ['an exact name', { models: { openai: ['gpt-4o'] } }, 'openai', 'gpt-4o', 'allow'],
    ['a longer name', { models: { openai: ['gpt-4o'] } }, 'openai', 'gpt-4o-mini', 'model_not_granted'],
    ['a prefix', { models: { openai: ['gpt-4o*'] } }, 'openai', 'gpt-4o-mini', 'allow'],
    ['another provider', { models: { openai: ['*'] } }, 'anthropic', 'claude', 'provider_not_granted'],
    ['a tool grant only', { tools: { openai: ['*'] } }, 'openai', 'gpt-4o', 'provider_not_granted'],
    ['a disabled key', { models: { openai: ['*'] }, disabled: true }, 'openai', 'gpt-4o', 'key_disabled'],
  ])('%s', (_case, grants, provider, model, expected) => {
    expect(outcome(authorize(keyWith(grants), { kind: 'model.call', provider, model }, NOW))).toBe(expected);
  });
});

describe('scope', () => {
  it('leaves out upstreams from which nothing may be called', () => {
    expect(upstreamsInScope(keyWith({ tools: { b: ['x'], a: ['*'], empty: [] } }))).toEqual(['b', 'a']);
  });

  it('orders the providers of a model by weight', () => {
    const grants = { models: ['gpt*'], weight: 1 };
    const providers = new Map([
      ['light', grants],
      ['heavy', { ...grants, weight: 3 }],
      ['other', { models: ['claude*'], weight: 9 }],
    ]);
    expect(providersInScope({ providers }, 'gpt-4o')).toEqual(['heavy', 'light']);
  });
});
