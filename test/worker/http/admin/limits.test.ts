// Limits through the admin API: refused as in the file, kept with their owners, compiled into what requests are held to.
import { beforeEach, describe, expect, it } from 'vitest';
import { modelPlans, toolPlans } from '../../../../src/policy/charge-plans.ts';
import { expireSnapshot } from '../../../../src/stores/d1/policy-store.ts';
import { allCells, freshGateway, type TestGateway } from './admin-app.ts';

interface Problem {
  readonly code: string;
  readonly problems: { readonly path: string; readonly message: string; readonly fix?: string }[];
}

const BUDGET = { limit_usd: 5, period: '1d' };

let gateway: TestGateway;

beforeEach(async () => {
  gateway = await freshGateway();
});

async function put(path: string, body: unknown): Promise<number> {
  const { status } = await gateway.admin('PUT', `/api/${path}`, body);
  return status;
}

async function refusal(path: string, body: unknown): Promise<[number, Problem['problems']]> {
  const response = await gateway.admin('PUT', `/api/${path}`, body);
  return [response.status, (await response.json<Problem>()).problems];
}

async function plansOf(keyName: string) {
  const { virtualKeys, upstreams } = await gateway.services.snapshot();
  const key = [...virtualKeys.values()].find(({ principal }) => principal.keyName === keyName);
  const upstream = upstreams.get('s');
  if (key === undefined || upstream === undefined) throw new Error('not configured');
  return [...modelPlans(key, 'echo'), ...toolPlans(key, upstream, 'get_x')];
}

it('binds requests to what was put', async () => {
  expect(
    await put('servers/s', { type: 'http', url: 'http://h/', tool_rate_limits: { 'get_*': { requests: 2 } } }),
  ).toBe(201);
  expect(await put('customers/acme', { budgets: [BUDGET], rate_limit: { requests: 3 } })).toBe(201);
  expect(await put('virtual-keys/k', { customer: 'acme', rate_limit: [{ tokens: 9 }, { requests: 1 }] })).toBe(201);
  const shown = await (await gateway.admin('GET', '/api/customers/acme')).json();
  expect(shown).toMatchObject({ budgets: [BUDGET], rate_limit: [{ requests: 3, period: '1m' }] });
  const plans = await plansOf('k');
  expect(plans.map(({ ledger }) => ledger)).toEqual(['customer:acme', 'server:s', 'customer:acme']);
  expect(plans.map(({ limits }) => limits.map(({ amount }) => amount))).toEqual([[5e9, 3, 9, 1], [2], [3, 1]]);

  const [before] = plans;
  expect(await put('customers/acme', { budgets: [{ ...BUDGET, limit_usd: 4 }], rate_limit: { requests: 3 } })).toBe(
    200,
  );
  expireSnapshot();
  const [after] = await plansOf('k');
  expect(after?.limits[0]).toEqual({ ...before?.limits[0], amount: 4e9 });
  expect(after?.id).not.toBe(before?.id);
});

describe('is refused, as in the file,', () => {
  it.each<[string, string, unknown, string, string]>([
    [
      'a tool cost of -1',
      'servers/s',
      { type: 'http', url: 'http://h/', tool_cost_usd: { x: -1 } },
      'tool_cost_usd.x',
      'must be at least 0',
    ],
    [
      'a budget below zero',
      'teams/t',
      { budgets: [{ ...BUDGET, limit_usd: -1 }] },
      'budgets[0].limit_usd',
      'must be at least 0',
    ],
    [
      'a budget of no number',
      'teams/t',
      { budgets: [{ ...BUDGET, limit_usd: null }] },
      'budgets[0].limit_usd',
      'has no value',
    ],
    [
      'a period of zero',
      'customers/c',
      { rate_limit: { requests: 1, period: '0m' } },
      'rate_limit.period',
      'must not be zero: over no time nothing can be counted',
    ],
    [
      'the same twice',
      'customers/c',
      { budgets: [BUDGET, BUDGET] },
      'budgets[1].period',
      'another budget here bounds the same over the same time',
    ],
    ['nothing', 'virtual-keys/k', { rate_limit: {} }, 'rate_limit', 'bounds nothing'],
    ['a budget by itself', 'virtual-keys/k', { budget: BUDGET }, 'budget', 'unknown field'],
    ['a budget under a name of others', 'teams/t', { max_budget: 1 }, 'max_budget', 'unknown field'],
    ['rates by another name', 'customers/c', { rate_limits: [{ requests: 1 }] }, 'rate_limits', 'unknown field'],
    [
      'a limit it does not know',
      'teams/t',
      { rate_limit: { requests: 1, max_parallel: 2 } },
      'rate_limit.max_parallel',
      'unknown field',
    ],
    [
      'a price below zero',
      'providers/openai',
      { prices: { m: { input_mtok: -1, output_mtok: 0 } } },
      'prices.m.input_mtok',
      'must be at least 0',
    ],
  ])('%s', async (_case, path, body, where, message) => {
    expect(await refusal(path, body)).toEqual([400, [expect.objectContaining({ path: where, message })]]);
    expect((await gateway.admin('GET', `/api/${path}`)).status).toBe(404);
  });

  it('a number too great for JSON', async () => {
    const huge = await gateway.admin('PUT', '/api/teams/t', '{"budgets":[{"limit_usd":1e999,"period":"1d"}]}');
    expect(huge.status).toBe(400);
  });
});

describe('a team in two customers', () => {
  beforeEach(async () => {
    for (const name of ['a', 'b']) await put(`customers/${name}`, {});
    await put('teams/t', { customer: 'a' });
    await put('teams/free', {});
  });

  it('does not come of a key', async () => {
    expect(await put('virtual-keys/same', { team: 't', customer: 'a' })).toBe(201);
    expect(await refusal('virtual-keys/k', { team: 't', customer: 'b' })).toEqual([
      400,
      [
        {
          path: 'virtual_keys.k.customer',
          message: '"b" is not the customer of the team "t", which is "a"',
          fix: 'remove it: a key is paid for by the customer of its team',
        },
      ],
    ]);
    expect(await refusal('virtual-keys/k', { team: 'free', customer: 'b' })).toEqual([
      400,
      [expect.objectContaining({ fix: 'set customer: b at the team' })],
    ]);
  });

  it('does not come of a change of the team', async () => {
    await put('virtual-keys/k', { team: 't', customer: 'a' });
    const moved = [400, [expect.objectContaining({ path: 'virtual_keys.k.customer' })]];
    expect(await refusal('teams/t', { customer: 'b' })).toEqual(moved);
    expect(await refusal('teams/t', {})).toEqual(moved);
    await put('virtual-keys/k', { team: 't' });
    expect(await put('teams/t', { customer: 'b' })).toBe(200);
    expireSnapshot();
    const { virtualKeys } = await gateway.services.snapshot();
    expect([...virtualKeys.values()].map(({ principal }) => principal.payer)).toEqual(['customer:b']);
  });

  it('does not come of a file, which is refused whole', async () => {
    await put('virtual-keys/k', { team: 't', customer: 'a' });
    const document = { customers: [{ name: 'b' }, { name: 'c' }], teams: [{ name: 't', customer: 'b' }] };
    const response = await gateway.admin('PUT', '/api/config', document);
    expect(response.status).toBe(409);
    expect(await response.json<Problem>()).toMatchObject({
      code: 'conflict',
      problems: [{ path: 'virtual_keys.k.customer' }],
    });
    expect((await gateway.admin('GET', '/api/customers/c')).status).toBe(404);
    expect((await gateway.admin('DELETE', '/api/virtual-keys/k')).status).toBe(204);
    expect(await put('config', document)).toBe(200);
  });
});

it('keeps the secret and the address of the webhook sealed', async () => {
  const webhook = { url: 'https://hooks.test/T0KEN1', secret: 'c2VjcmV0LW9mLXdlYmhvb2tz' };
  expect(await put('config', { alerts: { webhook } })).toBe(200);
  const { settings } = await gateway.services.snapshot();
  expect(settings.alerts).toEqual({ webhook: { ...webhook, allow_private: false } });
  const cells = await allCells();
  expect(cells).toContain('allow_private');
  for (const secret of Object.values(webhook)) expect(cells).not.toContain(secret);
});
