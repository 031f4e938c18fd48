import { env } from 'cloudflare:workers';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AuditEvent } from '../../../../src/audit/event.ts';
import { parseAuditQuery, toCursor, type AuditPage } from '../../../../src/audit/query.ts';
import { insertAuditEvents } from '../../../../src/stores/d1/audit-event-insert.ts';
import { createAuditReader } from '../../../../src/stores/d1/audit-events.ts';
import { migrate } from '../../../../src/stores/d1/migrate.ts';
import { AT, makeEvent } from '../../durable-objects/ledger-rig.ts';

beforeAll(() => migrate(env.DB));
beforeEach(async () => {
  await env.DB.prepare('DELETE FROM audit_events').run();
});

function store(events: readonly AuditEvent[]): Promise<void> {
  return insertAuditEvents(
    env.DB,
    events.map((event) => JSON.stringify(event)),
  );
}

async function read(query: string): Promise<AuditPage> {
  const parsed = parseAuditQuery(new URLSearchParams(query));
  if (!parsed.ok) throw new Error(parsed.error.message);
  return createAuditReader(env.DB).read(parsed.value);
}

const ids = async (query: string): Promise<string[]> => (await read(query)).items.map(({ id }) => id);
const named = (id: string, more: Partial<AuditEvent> = {}): AuditEvent => makeEvent({ id, ...more });

const FULL: Required<AuditEvent> = {
  id: 'evt_full', at: AT, kind: 'llm.call', outcome: 'error', reason: 'upstream_error', request_id: 'req_1',
  parent_id: 'evt_0', key_id: 'vk_01k9xq7m3n8p2r4s6t8v0w2y4z', key_name: 'claude "é" 😀', team: 'eng', customer: 'acme', principal: 'vk',
  server: 'github', tool: 'search', session: 'ses_1', client: 'claude-code 2', provider: 'openai', model: 'gpt-4o',
  response_model: 'gpt-4o-2024', stream: false, input_tokens: 1, output_tokens: 0, cache_read_tokens: 3,
  cache_write_tokens: 4, reasoning_tokens: 5, usage_certainty: 'lower_bound', cost_nano_usd: 9_007_199_254_740_991,
  estimate_nano_usd: 9_007_199_254_740_990, charged_nano_usd: 9_007_199_254_740_989,
  latency_ms: 12.5, upstream_ms: 11, status: 502, request_bytes: 100, response_bytes: 200, attempt: 2,
  tags: { run: '42', 'a.b/c': '' }, tool_use_id: 'toolu_1,toolu_2', args_sha256: 'ab'.repeat(32), arguments: '{"a":"\\u0000"}',
  result: '[]', subject: 'server/github',
}; // prettier-ignore

describe('round trip', () => {
  it('gives back every field as it was', async () => {
    await store([FULL, { ...FULL, id: 'evt_true', stream: true }]);
    expect((await read('')).items).toEqual([{ ...FULL, id: 'evt_true', stream: true }, FULL]);
  });

  it('leaves out what was not there', async () => {
    const bare: AuditEvent = { id: 'evt_1', at: 1, kind: 'auth.denied', outcome: 'denied' };
    await store([bare]);
    expect((await read('')).items).toEqual([bare]);
  });

  it('keeps the first of two events with one id', async () => {
    await store([named('evt_1', { tool: 'first' }), named('evt_1', { tool: 'second' })]);
    await store([named('evt_1', { tool: 'third' }), named('evt_2')]);
    expect((await read('')).items.map(({ id, tool }) => [id, tool])).toEqual([
      ['evt_2', undefined],
      ['evt_1', 'first'],
    ]);
  });

  it('is not held up by text that no database likes', async () => {
    await store([
      named('evt_1', { model: 'nul \u0000 byte' }),
      named('evt_2', { model: 'half \ud83d pair' }),
      named('evt_3'),
    ]);
    expect(await ids('')).toEqual(['evt_3', 'evt_2', 'evt_1']);
  });
});

describe('filters', () => {
  const other: AuditEvent = { id: 'evt_other', at: AT - 1, kind: 'tool.call', outcome: 'ok' };
  it.each([
    `from=${AT}`,
    'from=2026-11-22T12:30:00Z',
    'kind=llm.call',
    'outcome=error',
    'key=vk_01k9xq7m3n8p2r4s6t8v0w2y4z',
    'key=claude%20%22é%22%20😀',
    'team=eng',
    'customer=acme',
    'server=github',
    'tool=search',
    'provider=openai',
    'model=gpt-4o',
    'model=gpt-4o-2024',
    'request_id=req_1',
    'tool_use_id=toolu_1',
    'tool_use_id=toolu_2',
    'tag=run',
    'tag=run=42',
    'tag=a.b/c=',
    'q=UPSTREAM_err',
    'q=HUB',
    'q=toolu_2',
    'q=é%22 😀',
    'q=run%22:%2242',
    `q=server/github&kind=llm.call&team=eng&from=${AT}&to=${AT + 1}`,
  ])('%s', async (query) => {
    await store([FULL, other]);
    expect(await ids(query)).toEqual(['evt_full']);
  });

  it.each([
    `to=${AT}`,
    'tool_use_id=toolu',
    'tool_use_id=toolu_1,toolu',
    'tag=run=4',
    'tag=ru',
    'model=gpt',
    'q=%25',
    'q=upstream%25error',
    'q=github%0Asearch2',
    `q=${'long'.repeat(200)}`,
    'key=vk_00000000000000000000000000',
  ])('%s does not match', async (query) => {
    await store([FULL]);
    expect(await ids(query)).toEqual([]);
  });
});

describe('order and paging', () => {
  it('goes through everything newest first, once each, while rows are added', async () => {
    // Three to a millisecond, stored out of order.
    const events = Array.from({ length: 30 }, (_, index) => named(`evt_${index}`, { at: AT + Math.floor(index / 3) }));
    await store(events.toReversed());
    const seen: AuditEvent[] = [];
    let cursor = '';
    for (let page = 0; page < 10; page++) {
      const { items, next } = await read(`limit=7${cursor}`);
      seen.push(...items);
      if (next === undefined) break;
      cursor = `&cursor=${toCursor(next)}`;
      await store([named(`evt_new_${page}`, { at: AT + 1_000 + page })]);
    }
    expect(seen.map(({ at }) => at)).toEqual(events.map(({ at }) => at).toSorted((left, right) => right - left));
    expect(new Set(seen.map(({ id }) => id))).toEqual(new Set(events.map(({ id }) => id)));
  });

  it('says when there is no more', async () => {
    await store([named('evt_1'), named('evt_2')]);
    expect((await read('limit=3')).next).toBeUndefined();
    const { next } = await read('limit=2');
    expect(next).toBeDefined();
    expect(await read(`limit=2&cursor=${next && toCursor(next)}`)).toEqual({ items: [] });
  });

  it('covers a bounded part of the log for a filter without an index, and says where to go on', async () => {
    await store([named('evt_needle', { tool: 'needle', at: AT - 1 })]);
    const rows = 60_000;
    await env.DB.prepare(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows})
       INSERT INTO audit_events (id, at, kind, outcome) SELECT 'evt_hay_' || i, ${AT} + i, 'tool.call', 'ok' FROM n`,
    ).run();
    const first = await read('tool=needle');
    expect(first.items).toEqual([]);
    expect(first.next).toMatchObject({ at: AT + 10_001 });
    const second = await read(`tool=needle&cursor=${first.next && toCursor(first.next)}`);
    expect(second.items.map(({ id }) => id)).toEqual(['evt_needle']);
    expect(second.next).toBeUndefined();
  });
});

it.each([
  ['', 'audit_events_at'],
  [`from=${AT}&to=${AT + 1}&kind=tool.call`, 'audit_events_at'],
  [`cursor=${toCursor({ at: AT, seq: 3 })}&q=x`, 'audit_events_at'],
  ['key=vk_01k9xq7m3n8p2r4s6t8v0w2y4z', 'audit_events_key'],
  [`key=vk_01k9xq7m3n8p2r4s6t8v0w2y4z&from=1&cursor=${toCursor({ at: AT, seq: 3 })}`, 'audit_events_key'],
  ['request_id=req_1', 'audit_events_request'],
])('%s walks the index %s', async (query, index) => {
  const plans: string[] = [];
  const explaining = new Proxy(env.DB, {
    get(target, property) {
      if (property === 'prepare')
        return (sql: string) => target.prepare(sql.trim().startsWith('SELECT') ? `EXPLAIN QUERY PLAN ${sql}` : sql);
      if (property !== 'batch') return Reflect.get(target, property);
      return async (statements: D1PreparedStatement[]) => {
        for (const { results } of await target.batch<{ detail: string }>(statements)) {
          plans.push(results.map(({ detail }) => detail).join('\n'));
        }
        return [];
      };
    },
  });
  const parsed = parseAuditQuery(new URLSearchParams(query));
  if (!parsed.ok) throw new Error(parsed.error.message);
  await createAuditReader(explaining).read(parsed.value);
  const boundary = plans[1] ?? '';
  expect(boundary).toMatch(new RegExp(`(SCAN|SEARCH) audit_events USING (COVERING )?INDEX ${index}\\b`));
  // The few events of one request are sorted; everything else comes out of its index in order.
  if (index !== 'audit_events_request') expect(boundary).not.toContain('TEMP B-TREE');
  expect(plans[0]).toContain('USING INTEGER PRIMARY KEY');
});
