import { getTableColumns } from 'drizzle-orm';
import { auditEvents } from './schema.ts';
import { rollupStatements } from './spend-rollup.ts';

/** The columns are the fields of `AuditEvent`; `seq` is the database's own. */
export const AUDIT_EVENT_COLUMNS: readonly string[] = Object.values(getTableColumns(auditEvents))
  .map((column) => column.name)
  .filter((name) => name !== 'seq');

// One bound parameter whatever the number of rows. Materialized, or each of the forty fields would have its event
// rendered and parsed anew: four times the work. `->` keeps JSON text, `->>` makes an SQL value of it.
const INSERT = `
  WITH incoming AS MATERIALIZED (SELECT jsonb(value) AS event FROM json_each(?))
  INSERT INTO audit_events (${AUDIT_EVENT_COLUMNS.join(', ')})
  SELECT ${AUDIT_EVENT_COLUMNS.map((name) => (name === 'tags' ? "event -> 'tags'" : `event ->> '${name}'`)).join(', ')}
  FROM incoming WHERE true
  ON CONFLICT (id) DO NOTHING`;

/**
 * Stores events, each given as JSON text, and adds those that are new to the rollups of spend, all in one transaction. An
 * id that is there already is left as it is, so repeating is harmless.
 */
export async function insertAuditEvents(db: D1Database, events: readonly string[]): Promise<void> {
  await db.batch([db.prepare(INSERT).bind(`[${events.join(',')}]`), ...rollupStatements(db)]);
}
