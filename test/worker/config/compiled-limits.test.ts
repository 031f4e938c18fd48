import { expect, it } from 'vitest';
import { keyOf, snapshotOf, upstreamOf } from './compiled.ts';

const DAY = { limit_usd: 1, period: '1d' };

it('says nothing of limits where there are none', () => {
  const snapshot = snapshotOf({
    mcp: { servers: [{ name: 's', type: 'http', url: 'http://h/' }] },
    providers: [{ name: 'echo' }],
    customers: [{ name: 'c' }],
    virtual_keys: [
      {
        key_name: 'k',
        customer: 'c',
        budgets: [],
        providers: [{ name: 'echo' }],
        mcp_clients: [{ name: 's', allowed_tools: ['*'] }],
      },
    ],
  });
  expect(keyOf(snapshot, 'k')).not.toHaveProperty('limits');
  expect(upstreamOf(snapshot, 's')).not.toHaveProperty('limits');
});

it('compiles budgets and rates of every tier, the widest first', () => {
  const snapshot = snapshotOf({
    customers: [{ name: 'acme', budgets: [{ ...DAY, calendar: true, alert_at: [0.95, 0.8, 0.8] }] }],
    teams: [{ name: 'eng', customer: 'acme', rate_limit: { requests: 10, concurrent: 2 } }],
    virtual_keys: [
      {
        key_name: 'k',
        team: 'eng',
        budgets: [{ limit_usd: 0.000000001, period: '2w' }],
        providers: [
          {
            name: 'echo',
            rate_limit: [
              { tokens: 5, period: '1h' },
              { tokens: 1, calendar: true },
            ],
          },
        ],
        mcp_clients: [
          { name: 's', allowed_tools: ['*'], budgets: [DAY], tool_rate_limits: { 'get_*': { requests: 3 } } },
        ],
      },
    ],
  });
  expect(keyOf(snapshot, 'k').limits).toEqual({
    own: [
      {
        id: '["customer","acme",null,"cost","1d","calendar"]',
        tier: 'customer',
        name: 'acme',
        spendName: 'acme',
        metric: 'cost',
        amount: 1e9,
        window: { period: '1d', calendar: true },
        alertAt: [0.8, 0.95],
      },
      {
        id: '["team","eng",null,"requests","1m"]',
        tier: 'team',
        name: 'eng',
        spendName: 'eng',
        metric: 'requests',
        amount: 10,
        window: { period: '1m', calendar: false },
      },
      {
        id: '["team","eng",null,"concurrent"]',
        tier: 'team',
        name: 'eng',
        spendName: 'eng',
        metric: 'concurrent',
        amount: 2,
      },
      {
        id: '["virtual_key","id_k",null,"cost","2w"]',
        tier: 'virtual_key',
        name: 'k',
        spendName: 'id_k',
        metric: 'cost',
        amount: 1,
        window: { period: '2w', calendar: false },
      },
    ],
    providers: new Map([
      [
        'echo',
        [
          {
            id: '["provider_config","id_k","echo",null,"tokens","1h"]',
            tier: 'provider_config',
            name: 'k/echo',
            spendName: 'id_k/echo',
            metric: 'tokens',
            amount: 5,
            window: { period: '1h', calendar: false },
          },
          {
            id: '["provider_config","id_k","echo",null,"tokens","1m","calendar"]',
            tier: 'provider_config',
            name: 'k/echo',
            spendName: 'id_k/echo',
            metric: 'tokens',
            amount: 1,
            window: { period: '1m', calendar: true },
          },
        ],
      ],
    ]),
    mcpClients: new Map([
      [
        's',
        [
          {
            id: '["mcp_client","id_k","s",null,"cost","1d"]',
            tier: 'mcp_client',
            name: 'k/s',
            metric: 'cost',
            amount: 1e9,
            window: { period: '1d', calendar: false },
          },
          {
            id: '["mcp_client","id_k","s","get_*","requests","1m"]',
            tier: 'mcp_client',
            name: 'k/s',
            tool: 'get_*',
            metric: 'requests',
            amount: 3,
            window: { period: '1m', calendar: false },
          },
        ],
      ],
    ]),
  });
});

it('compiles the limits of servers', () => {
  const snapshot = snapshotOf({
    mcp: { servers: [{ name: 's', type: 'http', url: 'http://h/', tool_rate_limits: { t: { concurrent: 1 } } }] },
  });
  expect(upstreamOf(snapshot, 's').limits).toEqual([
    { id: '["server","s","t","concurrent"]', tier: 'server', name: 's', tool: 't', metric: 'concurrent', amount: 1 },
  ]);
});

it('names a counter by what it counts and never by the amount', () => {
  const [one, two] = [1, 2]
    .map((limit_usd) =>
      snapshotOf({
        customers: [{ name: 'c', budgets: [{ ...DAY, limit_usd }] }],
        virtual_keys: [{ key_name: 'k', customer: 'c' }],
      }),
    )
    .map((snapshot) => keyOf(snapshot, 'k').limits?.own[0]);
  expect(one?.amount).not.toBe(two?.amount);
  expect(one?.id).toBe(two?.id);
});

it('keeps counters apart whose owners’ names look like parts of others', () => {
  const names = ['a', 'a"', 'a",null', 'a/b', 'a\u0000', '\ud800'];
  const snapshot = snapshotOf({
    customers: names.map((name) => ({ name, budgets: [DAY] })),
    teams: names.map((name) => ({ name, customer: name, budgets: [DAY] })),
    virtual_keys: names.map((team, index) => ({ key_name: `k${index}`, team })),
  });
  const ids = names.flatMap((_name, index) => keyOf(snapshot, `k${index}`).limits?.own.map(({ id }) => id));
  expect(new Set(ids).size).toBe(2 * names.length);
});

it('keeps all that a team spends in the ledger of the team’s own customer', () => {
  const snapshot = snapshotOf({
    customers: [
      { name: 'a', budgets: [DAY] },
      { name: 'b', budgets: [DAY] },
    ],
    teams: [{ name: 't', customer: 'a' }, { name: 'free' }],
    virtual_keys: [
      { key_name: 'k', team: 't', customer: 'b' },
      { key_name: 'l', team: 'free', customer: 'b' },
    ],
  });
  expect(keyOf(snapshot, 'k').principal.payer).toBe('customer:a');
  expect(keyOf(snapshot, 'k').limits?.own.map(({ name }) => name)).toEqual(['a']);
  expect(keyOf(snapshot, 'l').principal.payer).toBe('team:free');
});
