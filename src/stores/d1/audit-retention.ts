// Deletes audit events past their age or number, a chunk at a time: one DELETE over millions of rows would hold up
// every reader and writer of the database.
import type { SettingsDocument } from '../../config/document.ts';
import { DAY_MS } from '../../lib/time.ts';
import { readSettings } from './config-rows.ts';

const CHUNK_ROWS = 1_000;
const MAX_CHUNKS = 5;

const DELETE_OLD = `
  DELETE FROM audit_events WHERE seq IN (SELECT seq FROM audit_events WHERE at < ? ORDER BY at LIMIT ${CHUNK_ROWS})`;
// By the distance to the newest row: rows are only ever added at one end, and a count would read them all.
const DELETE_SURPLUS = `
  DELETE FROM audit_events WHERE seq IN (
    SELECT seq FROM audit_events
    WHERE seq <= (SELECT max(seq) FROM audit_events) - ? ORDER BY seq LIMIT ${CHUNK_ROWS})`;

export type RetentionLimits = SettingsDocument['audit']['retention'];
/** Whether more is due at once, or nothing can ever be due until an event is added. */
export type RetentionProgress = 'more' | 'done' | 'empty';

/** As configured; the defaults before a configuration was ever applied. @throws when the stored settings do not parse */
export async function auditRetentionLimits(db: D1Database): Promise<RetentionLimits> {
  return (await readSettings(db)).audit.retention;
}

/** A bounded step. Safe to run twice at once: both delete rows that are due, and one finds them gone. */
export async function deleteExpiredAuditEvents(
  db: D1Database,
  limits: RetentionLimits,
  now: number,
): Promise<RetentionProgress> {
  const due = [db.prepare(DELETE_OLD).bind(now - limits.days * DAY_MS), db.prepare(DELETE_SURPLUS).bind(limits.rows)];
  let chunksLeft = MAX_CHUNKS;
  for (const statement of due) {
    for (;;) {
      const { meta } = await statement.run();
      if (meta.changes < CHUNK_ROWS) break;
      if (--chunksLeft === 0) return 'more';
    }
  }
  const any = await db.prepare('SELECT 1 FROM audit_events LIMIT 1').first();
  return any === null ? 'empty' : 'done';
}
