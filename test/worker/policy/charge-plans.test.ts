import { describe, expect, it } from 'vitest';
import type { ChargePlan } from '../../../src/budget/limits.ts';
import { modelPlans, toolPlans } from '../../../src/policy/charge-plans.ts';
import { toolCost } from '../../../src/policy/tool-cost.ts';
import { keyOf, snapshotOf, upstreamOf } from '../config/compiled.ts';

const MONEY = [{ limit_usd: 1, period: '1d' }];

const shown = (plans: readonly ChargePlan[]) =>
  plans.map(({ ledger, limits }) => [
    ledger,
    ...limits.map(({ tier, tool, metric }) => `${tier}${tool === undefined ? '' : ` ${tool}`} ${metric}`),
  ]);

/** Of a key of the customer `c`, or of its double. */
function planId(customer: object, key_name: 'k' | 'l' = 'k'): string | undefined {
  const snapshot = snapshotOf({
    customers: [
      { name: 'c', ...customer },
      { name: 'd', ...customer },
    ],
    virtual_keys: [
      { key_name: 'k', customer: 'c' },
      { key_name: 'l', customer: 'd' },
    ],
  });
  return modelPlans(keyOf(snapshot, key_name), 'echo')[0]?.id;
}

const BOUND = snapshotOf({
  mcp: {
    servers: [
      {
        name: 's',
        type: 'http',
        url: 'http://h/',
        rate_limit: { concurrent: 9 },
        tool_cost_usd: { buy: 0.5, 'buy_*': 0.25, 'buy_no*': 0, '*': 0 },
        tool_rate_limits: { 'get_*': { requests: 4 }, get_all: { requests: 1 }, '*': { concurrent: 3 } },
      },
      { name: 'bare', type: 'http', url: 'http://h/' },
    ],
  },
  providers: [{ name: 'echo' }, { name: 'openai' }],
  customers: [{ name: 'acme', budgets: MONEY }],
  teams: [{ name: 'eng', customer: 'acme', rate_limit: { requests: 9, tokens: 9 } }],
  virtual_keys: [
    {
      key_name: 'k',
      team: 'eng',
      providers: [{ name: 'echo', budgets: MONEY }, { name: 'openai' }],
      mcp_clients: [
        { name: 's', allowed_tools: ['*'], budgets: MONEY, tool_rate_limits: { 'get_a*': { requests: 2 } } },
      ],
    },
    { key_name: 'twin', team: 'eng', providers: [{ name: 'openai' }] },
    { key_name: 'loner', rate_limit: { tokens: 5 } },
    { key_name: 'free' },
  ],
});
const key = keyOf(BOUND, 'k');
const server = upstreamOf(BOUND, 's');
const bare = upstreamOf(BOUND, 'bare');

describe('a call of a model', () => {
  it('is charged to customer, team, key and provider, and to no server', () => {
    expect(shown(modelPlans(key, 'echo'))).toEqual([
      ['customer:acme', 'customer cost', 'team requests', 'team tokens', 'provider_config cost'],
    ]);
    expect(shown(modelPlans(key, 'openai'))).toEqual([
      ['customer:acme', 'customer cost', 'team requests', 'team tokens'],
    ]);
    expect(shown(modelPlans(keyOf(BOUND, 'loner'), 'echo'))).toEqual([['key:id_loner', 'virtual_key tokens']]);
  });

  it('is charged to nothing where nothing bounds it', () => {
    expect(modelPlans(keyOf(BOUND, 'free'), 'echo')).toEqual([]);
    const elsewhere = snapshotOf({
      providers: [{ name: 'echo' }],
      virtual_keys: [{ key_name: 'k', providers: [{ name: 'echo', budgets: MONEY }] }],
    });
    expect(modelPlans(keyOf(elsewhere, 'k'), 'openai')).toEqual([]);
  });
});

describe('a call of a tool', () => {
  it('that costs something is charged to server and payer, tokens left out', () => {
    expect(shown(toolPlans(key, server, 'buy'))).toEqual([
      ['server:s', 'server concurrent', 'server * concurrent'],
      ['customer:acme', 'customer cost', 'team requests', 'mcp_client cost'],
    ]);
  });

  it('that is free is bounded by no budget', () => {
    expect(shown(toolPlans(key, server, 'sell'))[1]).toEqual(['customer:acme', 'team requests']);
    expect(shown(toolPlans(key, bare, 'anything'))).toEqual([['customer:acme', 'team requests']]);
  });

  it('is charged to the most specific pattern of the key, and of the server, alone', () => {
    expect(shown(toolPlans(key, server, 'get_all'))).toEqual([
      ['server:s', 'server concurrent', 'server get_all requests'],
      ['customer:acme', 'team requests', 'mcp_client get_a* requests'],
    ]);
    expect(shown(toolPlans(key, server, 'get_one'))).toEqual([
      ['server:s', 'server concurrent', 'server get_* requests'],
      ['customer:acme', 'team requests'],
    ]);
  });

  it('is not what a request without a tool is', () => {
    expect(shown(toolPlans(key, server))).toEqual([
      ['server:s', 'server concurrent'],
      ['customer:acme', 'team requests'],
    ]);
  });

  it('is charged to nothing where nothing bounds it', () => {
    expect(toolPlans(keyOf(BOUND, 'free'), bare, 'x')).toEqual([]);
    expect(toolPlans(keyOf(BOUND, 'loner'), bare, 'x')).toEqual([]);
  });
});

describe('plans', () => {
  it('are made once', () => {
    expect(modelPlans(key, 'echo')).toBe(modelPlans(key, 'echo'));
    expect(toolPlans(key, server, 'get_one')).toBe(toolPlans(key, server, 'get_two'));
    expect(toolPlans(key, server, 'buy')).not.toBe(toolPlans(key, server, 'get_one'));
  });

  it('have one id where they are equal, and another where an amount, a limit or the ledger is', () => {
    const [twin] = modelPlans(keyOf(BOUND, 'twin'), 'openai');
    expect(modelPlans(key, 'openai')[0]?.id).toBe(twin?.id);
    expect(modelPlans(key, 'echo')[0]?.id).not.toBe(twin?.id);
    const budget = { limit_usd: 1, period: '1d' };
    const ids = [
      planId({ budgets: [budget] }),
      planId({ budgets: [budget] }, 'l'),
      planId({ budgets: [{ ...budget, limit_usd: 2 }] }),
      planId({ budgets: [{ ...budget, calendar: true }] }),
      planId({ budgets: [{ ...budget, alert_at: [0.5] }] }),
      planId({ budgets: [budget, { ...budget, period: '1M' }] }),
      planId({ rate_limit: { requests: 1_000_000_000 } }),
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('have each counter once, ordered from the widest tier', () => {
    for (const { limits } of [...modelPlans(key, 'echo'), ...toolPlans(key, server, 'buy')])
      expect(new Set(limits.map(({ id }) => id)).size).toBe(limits.length);
  });
});

describe('the cost of a tool', () => {
  it.each([
    ['its own entry', 'buy', 500_000_000],
    ['the longest pattern', 'buy_nothing', 0],
    ['a pattern', 'buy_more', 250_000_000],
    ['"*"', 'toString', 0],
  ])('is that of %s', (_case, tool, cost) => {
    expect(toolCost(server, tool)).toBe(cost);
  });

  it('is unknown where nothing is said', () => {
    expect(toolCost(bare, 'buy')).toBeUndefined();
    expect(toolCost({ tool_cost_usd: { a: 1 } }, 'constructor')).toBeUndefined();
  });
});
