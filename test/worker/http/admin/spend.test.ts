import { env, exports } from 'cloudflare:workers';
import { beforeAll, describe, expect, it } from 'vitest';
import { insertAuditEvents } from '../../../../src/stores/d1/audit-event-insert.ts';
import { migrate } from '../../../../src/stores/d1/migrate.ts';
import { makeEvent } from '../../durable-objects/ledger-rig.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const now = Date.now();
const thisHour = now - (now % HOUR);

beforeAll(async () => {
  await migrate(env.DB);
  const events = ['search', 'search', 'create', 'read'].map((tool, index) =>
    makeEvent({
      at: thisHour,
      server: 'github',
      tool,
      cost_nano_usd: 10 ** index,
      upstream_ms: 1,
      tags: { run: tool },
    }),
  );
  await insertAuditEvents(
    env.DB,
    events.map((event) => JSON.stringify(event)),
  );
});

function get(query: string, headers: HeadersInit = { authorization: 'Bearer test-admin-token' }): Promise<Response> {
  return exports.default.fetch(`http://sallyport/api/spend${query}`, { headers });
}
const isoOf = (at: number): string => new Date(at).toISOString().replace('.000Z', 'Z');

const costOf = (nano: number) => ({
  cost_nano_usd: nano,
  cost_usd: nano / 1e9,
  charged_nano_usd: nano,
  charged_usd: nano / 1e9,
});

it('sums by what is asked for, in dollars exactly', async () => {
  const answer = await (await get('?group_by=server,tool&bucket=hour')).json();
  const common = {
    errors: 0, cancelled: 0, denied: 0, unpriced_calls: 0, lower_bound_calls: 0, over_calls: 0, over_usd: 0, over_nano_usd: 0,
    input_tokens: 0, output_tokens: 0, cache_read_tokens: 0, cache_write_tokens: 0, start: isoOf(thisHour), server: 'github',
  }; // prettier-ignore
  expect(answer).toEqual({
    from: isoOf(thisHour - 7 * DAY),
    to: isoOf(thisHour + HOUR),
    items: [
      { ...common, tool: 'read', calls: 1, ...costOf(1_000) },
      { ...common, tool: 'create', calls: 1, ...costOf(100) },
      { ...common, tool: 'search', calls: 2, ...costOf(11) },
    ],
    next_cursor: null,
  });
});

it('goes on page by page', async () => {
  const first = await (await get('?group_by=tag:run&limit=2')).json<{ items: object[]; next_cursor: string }>();
  expect(first.items).toMatchObject([{ 'tag:run': 'read' }, { 'tag:run': 'create' }]);
  const second = await (await get(`?group_by=tag:run&limit=2&cursor=${first.next_cursor}`)).json();
  expect(second).toMatchObject({ items: [{ 'tag:run': 'search', calls: 2 }], next_cursor: null });
});

const since = (days: number): string => `from=${now - days * DAY}`;

it('reads two weeks by the hour, and any time by the month', async () => {
  expect((await get(`?bucket=hour&${since(13)}`)).status).toBe(200);
  const refused = await get(`?bucket=hour&${since(15)}`);
  expect(await refused.json()).toMatchObject({
    problems: [{ path: 'from', message: expect.stringContaining('14 days') }],
  });
  expect((await get(`?bucket=month&${since(20_000)}`)).status).toBe(200);
  expect((await get(`?bucket=hour&${since(13)}&to=99999999999999`)).status).toBe(200);
});

it('answers one item of zeros where nothing was spent', async () => {
  expect(await (await get('?team=none')).json()).toMatchObject({ items: [{ calls: 0, cost_usd: 0 }] });
});

describe('a bad query', () => {
  it.each([
    ['group_by=colour', 'group_by', 'must list any of customer, team, virtual_key'],
    ['group_by=', 'group_by', 'must not be empty'],
    ['group_by=model,model', 'group_by', 'names a group twice'],
    ['group_by=tag:a,tag:b', 'group_by', 'names two tags'],
    ['group_by=tag:', 'group_by', 'must list any of'],
    ['group_by=tag:a"b', 'group_by', 'must list any of'],
    ['group_by=tag:a&tag=b=1', 'tag', 'is another tag than that of "group_by"'],
    ['tag=%22', 'tag', 'must be key=value'],
    ['bucket=minute', 'bucket', 'must be one of hour, day, week, month'],
    ['kind=prompt.get', 'kind', 'must be one of llm.call, tool.call'],
    ['from=yesterday', 'from', 'must be a time'],
    ['from=2026-02-02&to=2026-02-01', 'to', 'must be later than "from"'],
    ['from=2999-01-01', 'from', 'lies in the future'],
    ['from=2020-01-01&bucket=hour', 'from', 'is earlier than hours are kept'],
    ['from=2025-01-01&to=2026-11-20&bucket=day', 'from', 'is too early: at most 366 days may be read by day'],
    ['limit=0', 'limit', 'must be an integer from 1 to 1000'],
    ['limit=1e3', 'limit', 'must be an integer'],
    ['cursor=x', 'cursor', 'is not a next_cursor'],
    ['cursor=MS4y', 'cursor', 'is not a next_cursor'],
    ['outcome=ok', 'outcome', 'is not a filter'],
    ['team=a&team=b', 'team', 'is given more than once'],
  ])('%s is refused in a problem document that names the parameter', async (query, parameter, words) => {
    const response = await get(`?${query}`);
    expect([response.status, response.headers.get('content-type')]).toEqual([400, 'application/problem+json']);
    const problem = await response.json<{ detail: string }>();
    expect(problem).toMatchObject({ code: 'invalid_request', problems: [{ path: parameter }] });
    expect(problem.detail).toContain(`"${parameter}" ${words}`);
  });
});

it('is for the admin alone, and read-only', async () => {
  expect((await get('', {})).status).toBe(401);
  const request = { method: 'DELETE', headers: { authorization: 'Bearer test-admin-token' } };
  const response = await exports.default.fetch('http://sallyport/api/spend', request);
  expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET']);
});

it('is described', async () => {
  const document = await exports.default.fetch('http://sallyport/api/openapi.json', {
    headers: { authorization: 'Bearer test-admin-token' },
  });
  const { paths } = await document.json<{ paths: Record<string, { get: { parameters: { name: string }[] } }> }>();
  expect(paths['/api/spend']?.get.parameters.map(({ name }) => name)).toEqual([
    'group_by', 'bucket', 'from', 'to', 'customer', 'team', 'key', 'kind', 'provider', 'model', 'server', 'tool', 'tag', 'cursor', 'limit',
  ]); // prettier-ignore
});
