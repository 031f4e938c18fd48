// Reads the rollups of spend. What a query costs depends on how much was used in the time it asks for, never on the
// number of calls.
import {
  type SpendGroup,
  type SpendItem,
  type SpendPage,
  type SpendQuery,
  type SpendReader,
} from '../../audit/spend-query.ts';
import { spansOf, type SpendBucket } from '../../audit/spend-spans.ts';
import { DAY_MS, FIRST_MONDAY } from '../../lib/time.ts';
import { KEY_ID } from './audit-events.ts';
import { migrate } from './migrate.ts';
import { rollupStatements, SPEND_SUMS } from './spend-rollup.ts';

/** Steps of catching up that one reader takes, with events from before there were rollups. */
const MAX_CATCH_UP_STEPS = 10;
const IS_BEHIND = 'SELECT 1 FROM audit_events WHERE seq > (SELECT seq FROM spend_position) LIMIT 1';

const BUCKET_START: Readonly<Record<SpendBucket, string>> = {
  hour: 'start',
  day: `start - start % ${DAY_MS}`,
  week: `start - (start + ${7 * DAY_MS - FIRST_MONDAY}) % ${7 * DAY_MS}`,
  month: "unixepoch(start / 1000, 'unixepoch', 'start of month') * 1000",
};

/** What tells items apart, and what each is shown as. */
const GROUP_COLUMNS: Readonly<Record<SpendGroup, readonly string[]>> = {
  customer: ['customer'],
  team: ['team'],
  virtual_key: ['key_name', 'key_id'],
  provider_config: ['key_name', 'key_id', 'provider'],
  kind: ['kind'],
  provider: ['provider'],
  model: ['model'],
  server: ['server'],
  tool: ['tool'],
};

type Row = Readonly<Record<string, string | number | null>>;

export function createSpendReader(db: D1Database): SpendReader {
  return {
    async read(query) {
      await migrate(db);
      await catchUp(db);
      return readSpend(db, query);
    },
  };
}

async function catchUp(db: D1Database): Promise<void> {
  for (let step = 0; step < MAX_CATCH_UP_STEPS; step++) {
    if ((await db.prepare(IS_BEHIND).first()) === null) return;
    await db.batch(rollupStatements(db));
  }
}

async function readSpend(db: D1Database, query: SpendQuery): Promise<SpendPage> {
  const { groups, tagGroup, bucket, from, to } = query;
  const columns = new Set(groups.flatMap((group) => GROUP_COLUMNS[group]));
  if (tagGroup !== undefined) columns.add('tag_value');
  const told = [...(bucket === undefined ? [] : ['bucket_start']), ...columns];
  const conditions = [...conditionsOf(query)];
  const selected = [
    ...(bucket === undefined ? [] : [`${BUCKET_START[bucket]} AS bucket_start`]),
    ...columns,
    ...SPEND_SUMS.map((name) => `coalesce(sum(${name}), 0) AS ${name}`),
  ];
  // Each span is one look-up by the primary key, which CROSS JOIN keeps the planner to.
  const sql = `
    SELECT ${selected.join(', ')}
    FROM json_each(?) AS wanted CROSS JOIN spend_rollups
      ON span = wanted.value ->> 'span' AND start = wanted.value ->> 'start' AND tag = ?
    ${conditions.length === 0 ? '' : `WHERE ${conditions.map(({ condition }) => condition).join(' AND ')}`}
    ${told.length === 0 ? '' : `GROUP BY ${told.join(', ')}`}
    ORDER BY ${[...(bucket === undefined ? [] : ['bucket_start']), 'sum(cost_nano_usd) DESC', 'sum(calls) DESC', ...columns].join(', ')}
    LIMIT ? OFFSET ?`;
  const { results } = await db
    .prepare(sql)
    .bind(
      JSON.stringify(spansOf(from, to, bucket)),
      tagGroup ?? query.tag?.key ?? '',
      ...conditions.flatMap(({ values }) => values),
      query.limit + 1,
      query.offset,
    )
    .all<Row>();
  const items = results.slice(0, query.limit).map((row) => toItem(row, query));
  return { items, hasMore: results.length > query.limit };
}

function* conditionsOf(query: SpendQuery): Generator<{ condition: string; values: readonly string[] }> {
  for (const column of ['customer', 'team', 'kind', 'provider', 'server', 'tool'] as const) {
    const value = query[column];
    if (value !== undefined) yield { condition: `${column} = ?`, values: [value] };
  }
  if (query.key !== undefined) {
    yield { condition: KEY_ID.test(query.key) ? 'key_id = ?' : 'key_name = ?', values: [query.key] };
  }
  if (query.model !== undefined) yield { condition: "? IN (model, provider || '/' || model)", values: [query.model] };
  if (query.tag?.value !== undefined) yield { condition: 'tag_value = ?', values: [query.tag.value] };
}

function toItem(row: Row, { groups, tagGroup, bucket }: SpendQuery): SpendItem {
  const nameIn = (column: string): string | null => String(row[column] ?? '') || null;
  const shown: Record<string, string | null> = {};
  for (const group of groups) {
    if (group === 'virtual_key') Object.assign(shown, { virtual_key: nameIn('key_name'), key_id: nameIn('key_id') });
    else if (group === 'provider_config') {
      const isWhole = nameIn('key_name') !== null && nameIn('provider') !== null;
      const name = isWhole ? `${nameIn('key_name')}/${nameIn('provider')}` : null;
      Object.assign(shown, { provider_config: name, key_id: nameIn('key_id') });
    } else shown[group] = nameIn(group);
  }
  // An empty value is one that a caller may give.
  if (tagGroup !== undefined) shown[`tag:${tagGroup}`] = String(row['tag_value']);
  return {
    ...(bucket !== undefined && { start: Number(row['bucket_start']) }),
    groups: shown,
    sums: Object.fromEntries(SPEND_SUMS.map((name) => [name, Number(row[name])])),
  };
}
