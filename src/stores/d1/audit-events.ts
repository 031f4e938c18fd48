// Reads the audit log. Every request for a page costs a bounded amount of the database's only thread: where a filter
// has no index of its own, a page covers so many rows of the log, and its cursor says where to go on.
import type { AuditEvent } from '../../audit/event.ts';
import type { AuditPage, AuditPosition, AuditQuery, AuditReader } from '../../audit/query.ts';
import { AUDIT_EVENT_COLUMNS } from './audit-event-insert.ts';
import { migrate } from './migrate.ts';

/** Rows looked at for one page. */
const SCANNED_ROWS = 50_000;
/** What `newId` makes; anything else names a key rather than being its id. */
export const KEY_ID = /^vk_[0-9a-z]{26}$/;
const SEARCHED = [
  'id', 'reason', 'request_id', 'key_id', 'key_name', 'team', 'customer', 'principal', 'server', 'tool', 'client',
  'provider', 'model', 'response_model', 'tool_use_id', 'subject', 'tags',
]; // prettier-ignore
const SEARCHED_TEXT = SEARCHED.map((column) => `coalesce(${column}, '')`).join(' || char(10) || ');

const NEWEST_FIRST = 'ORDER BY at DESC, seq DESC';

/** A condition of a WHERE clause with the values of its parameters. */
interface Condition {
  readonly sql: string;
  readonly values: readonly (string | number)[];
}

type Row = Readonly<Record<string, string | number | null>>;

export function createAuditReader(db: D1Database): AuditReader {
  return { read: (query) => readAuditEvents(db, query) };
}

async function readAuditEvents(db: D1Database, query: AuditQuery): Promise<AuditPage> {
  await migrate(db);
  const range = allOf(rangeConditions(query));
  const filter = allOf(filterConditions(query));
  const scanned = `FROM audit_events WHERE ${range.sql} ${NEWEST_FIRST}`;
  const page = db
    .prepare(
      `SELECT * FROM audit_events WHERE seq IN (
         SELECT seq FROM (SELECT * ${scanned} LIMIT ${SCANNED_ROWS}) WHERE ${filter.sql} ${NEWEST_FIRST} LIMIT ?
       ) ${NEWEST_FIRST}`,
    )
    .bind(...range.values, ...filter.values, query.limit);
  const lastScanned = db.prepare(`SELECT at, seq ${scanned} LIMIT 1 OFFSET ${SCANNED_ROWS - 1}`).bind(...range.values);

  const [found, last] = await db.batch<Row>([page, lastScanned]);
  const rows = found?.results ?? [];
  const next = rows.length === query.limit ? rows.at(-1) : last?.results[0];
  return { items: rows.map(toAuditEvent), ...(next !== undefined && { next: toPosition(next) }) };
}

/** What an index answers, and therefore bounds the scan. */
function* rangeConditions(query: AuditQuery): Generator<Condition> {
  const { cursor } = query;
  if (query.request_id !== undefined) yield { sql: 'request_id = ?', values: [query.request_id] };
  if (query.key !== undefined && KEY_ID.test(query.key)) yield { sql: 'key_id = ?', values: [query.key] };
  if (query.from !== undefined) yield { sql: 'at >= ?', values: [query.from] };
  if (query.to !== undefined) yield { sql: 'at < ?', values: [query.to] };
  if (cursor !== undefined)
    yield { sql: 'at <= ? AND (at < ? OR seq < ?)', values: [cursor.at, cursor.at, cursor.seq] };
}

function* filterConditions(query: AuditQuery): Generator<Condition> {
  for (const column of ['kind', 'outcome', 'team', 'customer', 'server', 'tool', 'provider'] as const) {
    const value = query[column];
    if (value !== undefined) yield { sql: `${column} = ?`, values: [value] };
  }
  if (query.key !== undefined && !KEY_ID.test(query.key)) yield { sql: 'key_name = ?', values: [query.key] };
  if (query.model !== undefined) yield { sql: '? IN (model, response_model)', values: [query.model] };
  if (query.tool_use_id !== undefined) {
    yield { sql: "instr(',' || tool_use_id || ',', ',' || ? || ',') > 0", values: [query.tool_use_id] };
  }
  if (query.tag !== undefined) {
    const path = `$."${query.tag.key}"`;
    if (query.tag.value === undefined) yield { sql: 'tags ->> ? IS NOT NULL', values: [path] };
    else yield { sql: 'tags ->> ? = ?', values: [path, query.tag.value] };
  }
  // Not LIKE: patterns over 50 bytes are refused, and "%" and "_" would have to be escaped.
  if (query.q !== undefined) yield { sql: `instr(lower(${SEARCHED_TEXT}), lower(?)) > 0`, values: [query.q] };
}

function allOf(conditions: Iterable<Condition>): Condition {
  const all = [...conditions];
  if (all.length === 0) return { sql: 'true', values: [] };
  return { sql: all.map(({ sql }) => `(${sql})`).join(' AND '), values: all.flatMap(({ values }) => values) };
}

function toPosition(row: Row): AuditPosition {
  return { at: Number(row['at']), seq: Number(row['seq']) };
}

/** The reverse of `insertAuditEvents`, by which alone rows are written. */
function toAuditEvent(row: Row): AuditEvent {
  const fields = AUDIT_EVENT_COLUMNS.filter((name) => row[name] !== null).map((name) => [
    name,
    fromColumn(name, row[name]),
  ]);
  return Object.fromEntries(fields) as AuditEvent;
}

function fromColumn(name: string, value: string | number | null | undefined): unknown {
  if (name === 'tags') return JSON.parse(String(value));
  return name === 'stream' ? value === 1 : value;
}
