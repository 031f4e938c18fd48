// What a key is told of itself by the whole gateway: real configuration, real ledgers.
import { exports } from 'cloudflare:workers';
import { beforeAll, expect, it, vi } from 'vitest';

const OPERATOR = { authorization: 'Bearer test-admin-token', 'content-type': 'application/json' };
const KEY = 'vk-usage-one';

interface ShownLimit {
  readonly tier: string;
  readonly name: string;
  readonly metric: string;
  readonly spent: number;
  readonly remaining: number;
  readonly resets_at?: string;
}
interface Usage {
  readonly key: string;
  readonly limits: readonly ShownLimit[];
  readonly spend: Readonly<Record<'day' | 'month', Readonly<Record<string, unknown>>>>;
}

beforeAll(async () => {
  const document = {
    mcp: {
      servers: ['granted', 'hidden'].map((name) => ({
        name,
        type: 'http',
        url: 'http://127.0.0.1:9/mcp',
        disabled: true,
        rate_limit: { requests: 30 },
        tool_cost_usd: { search: 0.001 },
      })),
    },
    providers: [{ name: 'echo', prices: { echo: { input_mtok: 2, output_mtok: 4 } } }],
    customers: [{ name: 'acme', budgets: [{ limit_usd: 500.000000001, period: '1M', calendar: true }] }],
    teams: [{ name: 'eng', customer: 'acme', budgets: [{ limit_usd: 100, period: '7d' }] }],
    virtual_keys: [
      {
        key_name: 'one',
        key: KEY,
        team: 'eng',
        rate_limit: { requests: 100, tokens: 100_000, concurrent: 5, period: '1h' },
        providers: [{ name: 'echo', models: ['*'], budgets: [{ limit_usd: 1, period: '1d' }] }],
        mcp_clients: [
          {
            name: 'granted',
            allowed_tools: ['*'],
            tool_rate_limits: { search: { requests: 3 } },
            budgets: [{ limit_usd: 2, period: '1w' }],
          },
        ],
      },
      { key_name: 'unbounded', key: 'vk-usage-two', providers: [{ name: 'echo', models: ['*'] }] },
    ],
  };
  const applied = await exports.default.fetch('http://sallyport/api/config', {
    method: 'PUT',
    headers: OPERATOR,
    body: JSON.stringify(document),
  });
  expect(applied.status, await applied.text()).toBe(200);
}, 30_000);

function send(path: string, key = KEY, init: RequestInit = {}): Promise<Response> {
  return exports.default.fetch(`http://sallyport${path}`, { ...init, headers: { authorization: `Bearer ${key}` } });
}
async function usage(key = KEY): Promise<Usage> {
  const response = await send('/v1/usage', key);
  expect(response.status, await response.clone().text()).toBe(200);
  return response.json();
}
async function chat(key = KEY): Promise<Response> {
  const body = { model: 'echo/echo', max_tokens: 100, messages: [{ role: 'user', content: 'Two doors.' }] };
  const response = await exports.default.fetch('http://sallyport/v1/chat/completions', {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect(response.status, await response.clone().text()).toBe(200);
  return response;
}

it('lists the limits of all its tiers, and of nothing that it may not know of', async () => {
  const { key, limits } = await usage();
  expect(key).toBe('one');
  const amounts = { spent: 0, reserved: 0, presumed: 0, over: 0 };
  expect(limits.map(({ resets_at: _at, ...limit }) => limit)).toEqual([
    { ...amounts, tier: 'customer', name: 'acme', metric: 'cost', limit: 500.000000001, unit: 'usd', period: '1M', calendar: true, remaining: 500.000000001 },
    { ...amounts, tier: 'team', name: 'eng', metric: 'cost', limit: 100, unit: 'usd', period: '7d', calendar: false, remaining: 100 },
    { ...amounts, tier: 'virtual_key', name: 'one', metric: 'requests', limit: 100, unit: 'requests', period: '1h', calendar: false, remaining: 100 },
    { ...amounts, tier: 'virtual_key', name: 'one', metric: 'tokens', limit: 100_000, unit: 'tokens', period: '1h', calendar: false, remaining: 100_000 },
    { ...amounts, tier: 'virtual_key', name: 'one', metric: 'concurrent', limit: 5, unit: 'concurrent_requests', remaining: 5 },
    { ...amounts, tier: 'provider_config', name: 'one/echo', metric: 'cost', limit: 1, unit: 'usd', period: '1d', calendar: false, remaining: 1 },
    { ...amounts, tier: 'mcp_client', name: 'one/granted', metric: 'cost', limit: 2, unit: 'usd', period: '1w', calendar: false, remaining: 2 },
    { ...amounts, tier: 'mcp_client', name: 'one/granted', tool: 'search', metric: 'requests', limit: 3, unit: 'requests', period: '1m', calendar: false, remaining: 3 },
    { ...amounts, tier: 'server', name: 'granted', metric: 'requests', limit: 30, unit: 'requests', period: '1m', calendar: false, remaining: 30 },
  ]); // prettier-ignore
});

it('shows what a call used, to the nano-dollar, once it is settled', async () => {
  const response = await chat();
  const cost = Number(response.headers.get('x-sallyport-cost-usd'));
  expect(cost).toBeGreaterThan(0);
  expect(response.headers.get('x-ratelimit-limit-requests')).toBe('100');
  await vi.waitFor(async () => {
    const { limits } = await usage();
    const spentOf = (tier: string, metric: string): number | undefined =>
      limits.find((limit) => limit.tier === tier && limit.metric === metric)?.spent;
    expect(['customer', 'team', 'provider_config'].map((tier) => spentOf(tier, 'cost'))).toEqual([cost, cost, cost]);
    expect(spentOf('virtual_key', 'requests')).toBe(1);
    expect(spentOf('mcp_client', 'cost')).toBe(0);
  }, 5_000);
  const calendarMonth = (await usage()).limits.find(({ tier }) => tier === 'customer');
  expect(calendarMonth?.resets_at).toMatch(/^\d{4}-\d{2}-01T00:00:00Z$/);
});

it('shows what the key itself spent, bounded or not', async () => {
  const cost = Number((await chat('vk-usage-two')).headers.get('x-sallyport-cost-usd'));
  await vi.waitFor(
    async () => {
      const { limits, spend } = await usage('vk-usage-two');
      expect(limits).toEqual([]);
      expect(spend.day).toMatchObject({ calls: 1, cost_usd: cost });
      expect(spend.month).toMatchObject({ calls: 1, cost_usd: cost });
    },
    { timeout: 10_000, interval: 200 },
  );
});

it('answers callers only, and only GET', async () => {
  const stranger = await send('/v1/usage', 'vk-stranger');
  expect(stranger.status).toBe(401);
  expect(await stranger.json()).toMatchObject({ error: { code: 'invalid_key', type: 'authentication_error' } });
  const posted = await send('/v1/usage', KEY, { method: 'POST' });
  expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET']);
});
