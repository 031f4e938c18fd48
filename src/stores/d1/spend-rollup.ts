// Adds audit events to the rollups of spend, each exactly once: those beyond the position of the last time, which moves on
// in the same transaction. What was there before there were rollups is caught up with the same way, in steps.
import { getTableColumns } from 'drizzle-orm';
import { OTHER_TAG_VALUES } from '../../audit/spend-query.ts';
import { DAY_MS, HOUR_MS } from '../../lib/time.ts';
import { spendRollups } from './schema.ts';

/** Of one step; more than ever arrives at once. */
const MAX_EVENTS = 5_000;
/** Kept apart on one day (UTC), so that callers cannot make the rollups grow without bounds. */
const MAX_TAG_NAMES = 100;
const MAX_TAG_VALUES = 1_000;
const MAX_NAME_LENGTH = 200;
/** No call costs or uses more; a sum that overflows would hold up all events behind it. */
const MAX_NANO_USD = 900_000_000_000_000;
const MAX_TOKENS = 1_000_000_000_000;

const DIMENSIONS = [
  'tag', 'tag_value', 'kind', 'customer', 'team', 'key_id', 'key_name', 'provider', 'model', 'server', 'tool',
]; // prettier-ignore
/** The sums of `spend_rollups`. */
export const SPEND_SUMS: readonly string[] = Object.values(getTableColumns(spendRollups))
  .map(({ name }) => name)
  .filter((name) => name !== 'span' && name !== 'start' && !DIMENSIONS.includes(name));

/** Names that only a caller vouches for, of tools and models that need not exist, are not kept apart. */
const REACHED_LIMITS = "outcome <> 'denied' AND outcome <> 'error' OR reason IN ('budget_exceeded', 'rate_limited')";
const NAMED_TOOL = `(${REACHED_LIMITS} OR upstream_ms IS NOT NULL)`;
const nameOf = (column: string, condition = 'true'): string =>
  `CASE WHEN ${condition} THEN substr(coalesce(${column}, ''), 1, ${MAX_NAME_LENGTH}) ELSE '' END AS ${column}`;
const amount = (expression: string, max: number): string =>
  `CAST(min(max(coalesce(${expression}, 0), 0), ${max}) AS INTEGER)`;
const CHARGED = 'coalesce(charged_nano_usd, cost_nano_usd, 0)';

const FRESH_ROWS = `
  FROM audit_events WHERE seq IN (
    SELECT seq FROM audit_events WHERE seq > (SELECT seq FROM spend_position) ORDER BY seq LIMIT ${MAX_EVENTS}
  )`;
const FRESH_CALLS = `${FRESH_ROWS}
  AND kind IN ('llm.call', 'tool.call') AND at BETWEEN 0 AND 253402300799999`;

const FRESH = `
  fresh AS MATERIALIZED (
    SELECT at - at % ${HOUR_MS} AS start, at - at % ${DAY_MS} AS day, tags, kind,
      ${['customer', 'team', 'key_id', 'key_name', 'provider'].map((column) => nameOf(column)).join(', ')},
      CASE WHEN provider IS NULL THEN ''
        WHEN instr(model, provider || '/') = 1 THEN substr(model, length(provider) + 2, ${MAX_NAME_LENGTH})
        ELSE substr(coalesce(model, ''), 1, ${MAX_NAME_LENGTH}) END AS model,
      ${nameOf('server', NAMED_TOOL)}, ${nameOf('tool', NAMED_TOOL)},
      outcome <> 'denied' AS calls,
      outcome IN ('error', 'lost') AS errors,
      outcome = 'cancelled' AS cancelled,
      outcome = 'denied' AS denied,
      kind = 'llm.call' AND cost_nano_usd IS NULL AND outcome <> 'denied'
        AND (outcome <> 'error' OR coalesce(input_tokens, output_tokens) IS NOT NULL) AS unpriced_calls,
      coalesce(usage_certainty = 'lower_bound', 0) AS lower_bound_calls,
      coalesce(${CHARGED} > estimate_nano_usd, 0) AS over_calls,
      ${amount('cost_nano_usd', MAX_NANO_USD)} AS cost_nano_usd,
      ${amount(CHARGED, MAX_NANO_USD)} AS charged_nano_usd,
      ${amount(`${CHARGED} - estimate_nano_usd`, MAX_NANO_USD)} AS over_nano_usd,
      ${['input_tokens', 'output_tokens', 'cache_read_tokens', 'cache_write_tokens']
        .map((column) => `${amount(column, MAX_TOKENS)} AS ${column}`)
        .join(', ')}
    ${FRESH_CALLS}
  )`;

const SEEN_TAGS = `
  seen AS MATERIALIZED (
    SELECT DISTINCT event.at - event.at % ${DAY_MS} AS day, each.key AS tag, each.value AS value
    FROM (SELECT at, tags ${FRESH_CALLS} AND tags IS NOT NULL) AS event, json_each(event.tags) AS each
    WHERE each.type = 'text'
  )`;

/** @param wanted rows of `(day, tag, value)`, of which so many of a tag may be there */
function keepApart(wanted: string, max: number): string {
  return `
    WITH ${SEEN_TAGS},
    wanted AS MATERIALIZED (
      SELECT day, tag, value FROM (${wanted}) AS wish
      WHERE NOT EXISTS (
        SELECT 1 FROM spend_tag_values AS kept
        WHERE kept.day = wish.day AND kept.tag = wish.tag AND kept.value = wish.value)
    ),
    filled AS MATERIALIZED (
      SELECT day, tag, count(*) AS kept FROM spend_tag_values
      WHERE (day, tag) IN (SELECT day, tag FROM wanted) GROUP BY day, tag
    )
    INSERT INTO spend_tag_values (day, tag, value)
    SELECT day, tag, value FROM (
      SELECT *, row_number() OVER (PARTITION BY day, tag ORDER BY value) AS place FROM wanted
    ) LEFT JOIN filled USING (day, tag)
    WHERE place + coalesce(kept, 0) <= ${max}`;
}

const KEEP_TAG_NAMES = keepApart("SELECT DISTINCT day, '' AS tag, tag AS value FROM seen", MAX_TAG_NAMES);
const KEEP_TAG_VALUES = keepApart(
  `SELECT seen.* FROM seen JOIN spend_tag_values AS name
   ON name.day = seen.day AND name.tag = '' AND name.value = seen.tag`,
  MAX_TAG_VALUES,
);

const GROUPED = DIMENSIONS.join(', ');
const ADD_UP = `
  WITH ${FRESH},
  counted AS (
    SELECT '' AS tag, '' AS tag_value, fresh.* FROM fresh
    UNION ALL
    SELECT name.value, coalesce(kept.value, '${OTHER_TAG_VALUES}'), fresh.* FROM fresh, json_each(fresh.tags) AS each
    JOIN spend_tag_values AS name ON name.day = fresh.day AND name.tag = '' AND name.value = each.key
    LEFT JOIN spend_tag_values AS kept
      ON kept.day = fresh.day AND kept.tag = each.key AND kept.value = each.value
  ),
  hours AS MATERIALIZED (
    SELECT start, ${GROUPED}, ${SPEND_SUMS.map((name) => `sum(${name}) AS ${name}`).join(', ')}
    FROM counted GROUP BY start, ${GROUPED}
  )
  INSERT INTO spend_rollups (span, start, ${GROUPED}, ${SPEND_SUMS.join(', ')})
  SELECT span,
    CASE span WHEN 'hour' THEN start WHEN 'day' THEN start - start % ${DAY_MS}
      ELSE unixepoch(start / 1000, 'unixepoch', 'start of month') * 1000 END,
    ${GROUPED}, ${SPEND_SUMS.join(', ')}
  FROM (SELECT 'hour' AS span UNION ALL SELECT 'day' UNION ALL SELECT 'month') CROSS JOIN hours WHERE true
  ON CONFLICT DO UPDATE SET ${SPEND_SUMS.map((name) => `${name} = ${name} + excluded.${name}`).join(', ')}`;

const MOVE_ON = `UPDATE spend_position SET seq = coalesce((SELECT max(seq) ${FRESH_ROWS}), seq)`;

/** To be run as one transaction, with the insertion of events before it. */
export function rollupStatements(db: D1Database): D1PreparedStatement[] {
  return [KEEP_TAG_NAMES, KEEP_TAG_VALUES, ADD_UP, MOVE_ON].map((sql) => db.prepare(sql));
}
