import { env } from 'cloudflare:workers';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AuditEvent } from '../../../../src/audit/event.ts';
import { parseSpendQuery, type SpendItem } from '../../../../src/audit/spend-query.ts';
import { insertAuditEvents } from '../../../../src/stores/d1/audit-event-insert.ts';
import { migrate } from '../../../../src/stores/d1/migrate.ts';
import { createSpendReader } from '../../../../src/stores/d1/spend-reader.ts';

/** A Sunday. */
const NOW = Date.UTC(2026, 10, 22, 12, 30);
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** An undefined member is left out when the event is written down. */
type Fields = { [Name in keyof AuditEvent]?: AuditEvent[Name] | undefined };

let count = 0;
/** One LLM call of 1 ¢, half an hour ago. */
function call(more: Fields = {}): Fields {
  return {
    id: `evt_${++count}`, at: NOW - HOUR / 2, kind: 'llm.call', outcome: 'ok', key_id: 'vk_1', key_name: 'claude', team: 'eng', customer: 'acme',
    provider: 'openai', model: 'gpt-4o', input_tokens: 100, output_tokens: 10, usage_certainty: 'exact', cost_nano_usd: 10_000_000,
    upstream_ms: 5, ...more,
  }; // prettier-ignore
}
function toolCall(more: Fields = {}): Fields {
  const { provider: _p, model: _m, input_tokens: _i, output_tokens: _o, usage_certainty: _u, ...rest } = call();
  return { ...rest, kind: 'tool.call', server: 'github', tool: 'search', cost_nano_usd: 1_000_000, ...more };
}

function store(...events: readonly Fields[]): Promise<void> {
  return insertAuditEvents(
    env.DB,
    events.map((event) => JSON.stringify(event)),
  );
}

async function page(parameters: string): Promise<{ items: readonly SpendItem[]; hasMore: boolean }> {
  const query = parseSpendQuery(new URLSearchParams(parameters), NOW);
  if (!query.ok) throw new Error(query.error.message);
  return createSpendReader(env.DB).read(query.value);
}

/** What is not zero of each item. */
async function read(parameters: string): Promise<Record<string, unknown>[]> {
  const { items } = await page(parameters);
  return items.map(({ groups, sums }) =>
    Object.assign({}, groups, Object.fromEntries(Object.entries(sums).filter(([, sum]) => sum !== 0))),
  );
}

/** Bucket, names of the groups, and cost in thousandths of a dollar. */
async function costs(parameters: string): Promise<unknown[]> {
  const { items } = await page(parameters);
  return items.map(({ start, groups, sums }) =>
    (start === undefined ? [] : ([new Date(start).toISOString().slice(0, 13)] as unknown[])).concat(
      Object.values(groups),
      (sums['cost_nano_usd'] ?? 0) / 1_000_000,
    ),
  );
}

beforeAll(() => migrate(env.DB));
beforeEach(async () => {
  await env.DB.batch(
    ['audit_events', 'spend_rollups', 'spend_tag_values'].map((table) => env.DB.prepare(`DELETE FROM ${table}`)),
  );
});

describe('sums', () => {
  it('are of calls of models and of tools, by outcome', async () => {
    await store(
      call(),
      call({ outcome: 'cancelled', usage_certainty: 'lower_bound' }),
      call({ outcome: 'error', cost_nano_usd: undefined, input_tokens: undefined, output_tokens: undefined }),
      call({ outcome: 'denied', reason: 'budget_exceeded', cost_nano_usd: undefined }),
      toolCall({ outcome: 'lost' }),
      toolCall({ kind: 'resource.read' }),
      { id: 'evt_auth', at: NOW, kind: 'auth.denied', outcome: 'denied' },
    );
    expect(await read('')).toEqual([
      {
        calls: 4,
        errors: 2,
        cancelled: 1,
        denied: 1,
        lower_bound_calls: 1,
        cost_nano_usd: 21_000_000,
        charged_nano_usd: 21_000_000,
        input_tokens: 300,
        output_tokens: 30,
      },
    ]);
  });

  it('are zero where nothing happened', async () => {
    expect(await read('')).toEqual([{}]);
    expect(await read('group_by=model')).toEqual([]);
  });

  it('tell calls whose price is not known from those that were never answered', async () => {
    await store(
      call({ cost_nano_usd: undefined }),
      call({ cost_nano_usd: undefined, outcome: 'cancelled', input_tokens: undefined, output_tokens: undefined }),
      call({ cost_nano_usd: undefined, outcome: 'error', reason: 'answer_incomplete' }),
      call({ cost_nano_usd: undefined, outcome: 'error', input_tokens: undefined, output_tokens: undefined }),
      toolCall({ cost_nano_usd: undefined }),
    );
    expect(await read('')).toMatchObject([{ calls: 5, unpriced_calls: 3 }]);
  });

  it('show what passed its estimate, by what was charged', async () => {
    await store(
      call({ estimate_nano_usd: 10_000_000 }),
      call({ estimate_nano_usd: 9_999_998 }),
      call({ cost_nano_usd: 1, charged_nano_usd: 30, estimate_nano_usd: 20 }),
      call({ cost_nano_usd: 30, charged_nano_usd: 20, estimate_nano_usd: 25 }),
    );
    expect(await read('')).toMatchObject([
      { calls: 4, over_calls: 2, over_nano_usd: 12, cost_nano_usd: 20_000_031, charged_nano_usd: 20_000_050 },
    ]);
  });

  it('are not held up by what no one can use', async () => {
    const absurd = { input_tokens: 9e18, cost_nano_usd: 9_007_199_254_740_991 };
    await store(...Array.from({ length: 1_000 }, () => call(absurd)), call({ output_tokens: -5, at: 8.7e15 }));
    await store(...Array.from({ length: 1_000 }, () => call(absurd)));
    const [total] = await read('');
    expect(total?.['calls']).toBe(2_000);
  });
});

describe('groups', () => {
  it('are by every tier and dimension, the dearest first', async () => {
    await store(
      call(),
      call({ provider: 'anthropic', model: 'anthropic/claude-sonnet-4-5', cost_nano_usd: 30_000_000 }),
      call({ key_id: 'vk_2', key_name: 'cursor', team: undefined, customer: undefined, cost_nano_usd: 5_000_000 }),
      toolCall(),
    );
    expect(await costs('group_by=customer')).toEqual([['acme', 41], [null, 5]]); // prettier-ignore
    expect(await costs('group_by=team')).toEqual([['eng', 41], [null, 5]]); // prettier-ignore
    expect(await costs('group_by=virtual_key')).toEqual([['claude', 'vk_1', 41], ['cursor', 'vk_2', 5]]); // prettier-ignore
    expect(await costs('group_by=provider_config')).toEqual([
      ['claude/anthropic', 'vk_1', 30],
      ['claude/openai', 'vk_1', 10],
      ['cursor/openai', 'vk_2', 5],
      [null, 'vk_1', 1],
    ]);
    expect(await costs('group_by=model')).toEqual([['claude-sonnet-4-5', 30], ['gpt-4o', 15], [null, 1]]); // prettier-ignore
    expect(await costs('group_by=provider')).toEqual([['anthropic', 30], ['openai', 15], [null, 1]]); // prettier-ignore
    expect(await costs('group_by=kind')).toEqual([['llm.call', 45], ['tool.call', 1]]); // prettier-ignore
    expect(await costs('group_by=server,tool')).toEqual([[null, null, 45], ['github', 'search', 1]]); // prettier-ignore
  });

  it('keep apart no names that only the caller vouches for', async () => {
    await store(
      call({
        provider: undefined,
        model: 'made-up',
        outcome: 'error',
        upstream_ms: undefined,
        reason: 'model_not_found',
      }),
      toolCall({ outcome: 'denied', tool: 'made-up', upstream_ms: undefined, reason: 'tool_not_granted' }),
      toolCall({ outcome: 'error', tool: 'made-up-too', upstream_ms: undefined, reason: 'not_found' }),
      toolCall({ outcome: 'denied', tool: 'real', upstream_ms: undefined, reason: 'rate_limited' }),
      call({ model: 'm'.repeat(500), cost_nano_usd: 90_000_000 }),
    );
    expect((await read('group_by=model,tool')).map(({ model, tool }) => [model, tool])).toEqual([
      ['m'.repeat(200), null],
      [null, null],
      [null, 'real'],
    ]);
  });

  it.each([
    ['customer=acme', 3],
    ['team=ops', 0],
    ['key=vk_01k9xq7m3n8p2r4s6t8v0w2y4z', 4],
    ['key=cursor', 4],
    ['key=claude', 3],
    ['kind=tool.call', 8],
    ['provider=openai', 7],
    ['model=gpt-4o', 3],
    ['model=openai/gpt-4o', 3],
    ['model=azure/gpt-4o', 0],
    ['server=github&tool=search', 8],
    ['tool=other', 0],
  ])('are filtered by %s', async (filter, cost) => {
    await store(
      call({ cost_nano_usd: 3_000_000 }),
      call({
        key_id: 'vk_01k9xq7m3n8p2r4s6t8v0w2y4z',
        key_name: 'cursor',
        customer: undefined,
        model: 'o4',
        cost_nano_usd: 4_000_000,
      }),
      toolCall({ key_id: 'vk_3', key_name: 'third', customer: undefined, cost_nano_usd: 8_000_000 }),
    );
    expect(await costs(filter)).toEqual([[cost]]);
  });

  it('come in pages', async () => {
    await store(...Array.from({ length: 7 }, (_, index) => call({ model: `m${index}`, cost_nano_usd: 1_000_000 })));
    const seen = [];
    for (let offset = 0; ; offset += 3) {
      const cursor = offset === 0 ? '' : `&cursor=${btoa(String(offset))}`;
      const { items, hasMore } = await page(`group_by=model&limit=3${cursor}`);
      seen.push(...items.map(({ groups }) => groups['model']));
      if (!hasMore) break;
    }
    expect(seen).toEqual(Array.from({ length: 7 }, (_, index) => `m${index}`));
  });
});

describe('time', () => {
  const AT = [
    '2025-12-31T23:59:59.999Z',
    '2026-01-01T00:00:00.000Z',
    '2026-11-15T23:00:00.000Z',
    '2026-11-16T00:00:00.000Z',
    '2026-11-22T11:59:59.999Z',
    '2026-11-22T12:00:00.000Z',
  ];
  beforeEach(() =>
    store(...AT.map((at, index) => call({ at: Date.parse(at), cost_nano_usd: 10 ** index * 1_000_000 }))),
  );

  it('is cut into buckets', async () => {
    expect(await costs('bucket=hour&from=2026-11-15')).toEqual([
      ['2026-11-15T23', 100], ['2026-11-16T00', 1_000], ['2026-11-22T11', 10_000], ['2026-11-22T12', 100_000],
    ]); // prettier-ignore
    expect(await costs('bucket=day&from=2025-12-01')).toEqual([
      ['2025-12-31T00', 1], ['2026-01-01T00', 10], ['2026-11-15T00', 100], ['2026-11-16T00', 1_000], ['2026-11-22T00', 110_000],
    ]); // prettier-ignore
    expect(await costs('bucket=week&from=2025-12-01')).toEqual([
      ['2025-12-29T00', 11], ['2026-11-09T00', 100], ['2026-11-16T00', 111_000],
    ]); // prettier-ignore
    expect(await costs('bucket=month&from=2025-01-01')).toEqual([
      ['2025-12-01T00', 1], ['2026-01-01T00', 10], ['2026-11-01T00', 111_100],
    ]); // prettier-ignore
  });

  it.each([
    ['', 111_100],
    ['from=2025-01-01', 111_111],
    ['from=2026-01-01', 111_110],
    ['from=2025-12-31&to=2026-01-01', 1],
    ['from=2026-11-15T23:00Z&to=2026-11-16', 100],
    ['from=2026-11-16&to=2026-11-22T12:00Z', 11_000],
    ['from=2026-11-16&to=2026-11-22T12:00:01Z', 111_000],
    ['from=2026-11-22T11:59Z&to=2026-11-22T12:00Z', 10_000],
    ['from=2026-11-22T12:29Z', 100_000],
    ['from=0&to=99999999999999', 111_111],
    ['from=2031-01-01&to=2032-01-01', 0],
    ['from=1999-01-01&to=2000-01-01', 0],
  ])('is as asked for, to the hour: %s', async (range, cost) => {
    expect(await costs(range)).toEqual([[cost]]);
  });
});

describe('tags', () => {
  it('count a call under each of its own', async () => {
    await store(
      call({ tags: { run: '1', project: 'gate' } }),
      call({ tags: { run: '2', project: 'gate' }, model: 'o4' }),
      call({ tags: { project: '' } }),
      call(),
    );
    expect(await costs('group_by=tag:project')).toEqual([['gate', 20], ['', 10]]); // prettier-ignore
    expect(await costs('group_by=tag:run,model')).toEqual([['gpt-4o', '1', 10], ['o4', '2', 10]]); // prettier-ignore
    expect(await costs('group_by=tag:none')).toEqual([]);
    expect(await costs('tag=run')).toEqual([[20]]);
    expect(await costs('tag=project=gate&group_by=model')).toEqual([['gpt-4o', 10], ['o4', 10]]); // prettier-ignore
    expect(await costs('')).toEqual([[40]]);
  });

  it('are kept apart up to a thousand values a day; the rest is summed', async () => {
    const runs = Array.from({ length: 1_300 }, (_, index) => call({ tags: { run: `r${index}`, project: 'gate' } }));
    for (const part of [runs.slice(0, 700), runs.slice(700)]) await store(...part);
    await store(call({ tags: { run: 'r0' } }), call({ tags: { run: 'r999' } }));
    await store(call({ tags: { run: 'fresh' }, at: NOW - DAY }));
    const items = await costs('group_by=tag:run&limit=1000');
    expect(items.slice(0, 2)).toEqual([['…', 3_010], ['r0', 20]]); // prettier-ignore
    expect(items).toHaveLength(1_000);
    expect(await costs('tag=run')).toEqual([[13_030]]);
    expect(await costs('tag=run=fresh')).toEqual([[10]]);
    expect(await costs('group_by=tag:project')).toEqual([['gate', 13_000]]);
  });

  it('are kept up to a hundred names a day', async () => {
    const names = Array.from({ length: 130 }, (_, index) => call({ tags: { [`n${String(index).padStart(3, '0')}`]: 'v' } })); // prettier-ignore
    await store(call({ tags: { project: 'gate' } }));
    await store(...names);
    await store(call({ tags: { project: 'gate' } }));
    expect(await costs('group_by=tag:n098')).toEqual([['v', 10]]);
    expect(await costs('group_by=tag:n099')).toEqual([]);
    expect(await costs('group_by=tag:project')).toEqual([['gate', 20]]);
  });
});

it('catches up with events from before there were rollups', async () => {
  await env.DB.prepare(
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000)
     INSERT INTO audit_events (id, at, kind, outcome, cost_nano_usd) SELECT 'evt_old_' || i, ${NOW} - i * 60000, 'tool.call', 'ok', 1 FROM n`,
  ).run();
  await store(call());
  expect(await read('from=2026-01-01')).toMatchObject([{ calls: 12_001, cost_nano_usd: 10_012_000 }]);
});
