import { getTableColumns } from 'drizzle-orm';
import { auditEvents } from './schema.ts';

/** The columns are the fields of `AuditEvent`; `seq` is the database's own. */
export const AUDIT_EVENT_COLUMNS: readonly string[] = Object.values(getTableColumns(auditEvents))
  .map((column) => column.name)
  .filter((name) => name !== 'seq');

// `->` keeps JSON text, `->>` makes an SQL value of it. One bound parameter whatever the number of rows.
const INSERT = `
  INSERT INTO audit_events (${AUDIT_EVENT_COLUMNS.join(', ')})
  SELECT ${AUDIT_EVENT_COLUMNS.map((name) => (name === 'tags' ? "value -> 'tags'" : `value ->> '${name}'`)).join(', ')}
  FROM json_each(?) WHERE true
  ON CONFLICT (id) DO NOTHING`;

/** Stores events, each given as JSON text. An id that is there already is left as it is, so repeating is harmless. */
export async function insertAuditEvents(db: D1Database, events: readonly string[]): Promise<void> {
  await db
    .prepare(INSERT)
    .bind(`[${events.join(',')}]`)
    .run();
}
