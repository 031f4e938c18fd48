// The alerts of one ledger: which were given, so that none is given twice, and which wait to be delivered.
import { decideAlerts, reachesAlert, type CounterStanding, type FiredAlert } from '../src/budget/alert.ts';
import { thresholdAlert, type ThresholdAlert } from '../src/budget/alert-message.ts';
import type { Limit } from '../src/budget/limits.ts';
import { newId } from '../src/lib/ids.ts';
import type { ObjectDatabase } from './sqlite.ts';

export const ALERT_TABLES = `
  CREATE TABLE alerts_fired (
    counter TEXT NOT NULL,
    amount INTEGER NOT NULL,
    share REAL NOT NULL,
    since INTEGER NOT NULL,
    rearmed INTEGER NOT NULL CHECK (rearmed IN (0, 1)),
    PRIMARY KEY (counter, amount, share)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE alerts_waiting (
    position INTEGER PRIMARY KEY,
    alert TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    next_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX alerts_waiting_next ON alerts_waiting (next_at);`;

const SELECT_FIRED = 'SELECT share, since, rearmed FROM alerts_fired WHERE counter = ? AND amount = ?';
// Of amounts that are not in force, what is older than the window could only be kept for ever.
const FORGET_FIRED = 'DELETE FROM alerts_fired WHERE counter = ? AND amount <> ? AND since < ?';
const FIRE = `
  INSERT INTO alerts_fired (counter, amount, share, since, rearmed) VALUES (?, ?, ?, ?, 0)
  ON CONFLICT (counter, amount, share) DO UPDATE SET since = excluded.since, rearmed = 0`;
const REARM = 'UPDATE alerts_fired SET rearmed = 1 WHERE counter = ? AND amount = ? AND share = ?';
const ENQUEUE = 'INSERT INTO alerts_waiting (alert, attempts, next_at) VALUES (?, 0, ?)';
const SELECT_DUE = `
  SELECT position, alert, attempts FROM alerts_waiting WHERE next_at <= ? ORDER BY next_at, position LIMIT 1`;
const CLAIM = 'UPDATE alerts_waiting SET attempts = attempts + 1, next_at = ? WHERE position = ?';

export interface ClaimedAlert {
  readonly position: number;
  readonly alert: ThresholdAlert;
  /** 1 for the first. */
  readonly attempt: number;
}

export class AlertOutbox {
  readonly #database: ObjectDatabase;

  /** @param database has `ALERT_TABLES` */
  constructor(database: ObjectDatabase) {
    this.#database = database;
  }

  /**
   * To be called for each counter that charges were added to, in their transaction.
   * @returns whether alerts now wait
   */
  consider(limit: Limit, standing: CounterStanding, now: number): boolean {
    if (!reachesAlert(limit, standing.spent)) return false;
    const { id: counter, amount } = limit;
    const fired = this.#database
      .all<{ share: number; since: number; rearmed: number }>(SELECT_FIRED, counter, amount)
      .map(({ share, since, rearmed }): FiredAlert => ({ share, since, rearmed: rearmed === 1 }));
    const { due, rearmed, since } = decideAlerts(limit, standing, fired, now);
    for (const share of rearmed) this.#database.run(REARM, counter, amount, share);
    if (due.length > 0) this.#database.run(FORGET_FIRED, counter, amount, standing.windowStart);
    for (const share of due) {
      this.#database.run(FIRE, counter, amount, share, since);
      const alert = thresholdAlert(limit, standing, share, { id: newId('alr', now), at: now });
      this.#database.run(ENQUEUE, JSON.stringify(alert), now);
    }
    return due.length > 0;
  }

  get waitingCount(): number {
    return this.#database.first<{ count: number }>('SELECT count(*) AS count FROM alerts_waiting')?.count ?? 0;
  }

  /** When the next attempt is due; undefined when no alert waits. */
  get nextAttemptAt(): number | undefined {
    const row = this.#database.first<{ at: number | null }>('SELECT min(next_at) AS at FROM alerts_waiting');
    return row?.at ?? undefined;
  }

  /**
   * Takes the alert that is due first, for one attempt.
   * @param until when it is due again unless something is said of the attempt: whoever makes it may die
   */
  claim(now: number, until: number): ClaimedAlert | undefined {
    const row = this.#database.first<{ position: number; alert: string; attempts: number }>(SELECT_DUE, now);
    if (row === undefined) return undefined;
    const { position, attempts } = row;
    this.#database.run(CLAIM, until, position);
    return { position, alert: JSON.parse(row.alert) as ThresholdAlert, attempt: attempts + 1 };
  }

  postpone({ position }: ClaimedAlert, until: number): void {
    this.#database.run('UPDATE alerts_waiting SET next_at = ? WHERE position = ?', until, position);
  }

  remove({ position }: ClaimedAlert): void {
    this.#database.run('DELETE FROM alerts_waiting WHERE position = ?', position);
  }
}
