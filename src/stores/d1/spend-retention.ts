// Deletes rollups that are older than is kept, a span of time at a time.
import { hoursKeptFrom, keptFrom } from '../../audit/spend-spans.ts';

const DELETE_FIRST = `
  DELETE FROM spend_rollups WHERE span = ?1 AND start < ?2
    AND start = (SELECT min(start) FROM spend_rollups WHERE span = ?1)`;
const DELETE_TAG_VALUES = `
  DELETE FROM spend_tag_values WHERE day < ? AND day = (SELECT min(day) FROM spend_tag_values)`;

/** A bounded step, safe to run twice at once. @param now milliseconds since the epoch */
export async function deleteExpiredSpend(db: D1Database, now: number): Promise<void> {
  const first = db.prepare(DELETE_FIRST);
  await db.batch([
    first.bind('hour', hoursKeptFrom(now)),
    first.bind('day', keptFrom(now)),
    first.bind('month', keptFrom(now)),
    db.prepare(DELETE_TAG_VALUES).bind(hoursKeptFrom(now)),
  ]);
}
