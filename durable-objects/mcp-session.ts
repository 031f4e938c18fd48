import { DurableObject } from 'cloudflare:workers';
import type { Env } from '../src/env.ts';
import type { UpstreamSession } from '../src/mcp/ports.ts';
import type { McpSessionRpc } from './contracts.ts';
import { ObjectDatabase } from './sqlite.ts';

const MIGRATIONS = [
  `CREATE TABLE upstream_sessions (
     upstream TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, session TEXT NOT NULL, used_at INTEGER NOT NULL
   ) STRICT;`,
];

/** Servers forget sessions long before this. */
const KEPT_UNUSED_MS = 24 * 3_600_000;
/** A read that is later than this counts as use: writing each one down would cost a commit. */
const USE_LAG_MS = 3_600_000;

/** One per owner of sessions, a principal. Holds the sessions that are open for it at legacy upstreams. */
export class McpSession extends DurableObject<Env> implements McpSessionRpc {
  #database: ObjectDatabase;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    this.#database = new ObjectDatabase(state.storage, MIGRATIONS);
  }

  async getUpstreamSession(upstream: string, fingerprint: string): Promise<UpstreamSession | undefined> {
    const row = this.#database.first<{ session: string; used_at: number }>(
      'SELECT session, used_at FROM upstream_sessions WHERE upstream = ? AND fingerprint = ?',
      upstream,
      fingerprint,
    );
    if (row === undefined) return undefined;
    const now = Date.now();
    if (now - row.used_at > USE_LAG_MS) {
      this.#database.run('UPDATE upstream_sessions SET used_at = ? WHERE upstream = ?', now, upstream);
    }
    return JSON.parse(row.session);
  }

  async putUpstreamSession(upstream: string, fingerprint: string, session: UpstreamSession): Promise<void> {
    this.#database.run(
      'INSERT OR REPLACE INTO upstream_sessions (upstream, fingerprint, session, used_at) VALUES (?, ?, ?, ?)',
      upstream,
      fingerprint,
      JSON.stringify(session),
      Date.now(),
    );
    const alarmAt = await this.ctx.storage.getAlarm();
    if (alarmAt === null) await this.ctx.storage.setAlarm(Date.now() + KEPT_UNUSED_MS);
  }

  async dropUpstreamSession(upstream: string, sessionId: string): Promise<void> {
    this.#database.run(
      "DELETE FROM upstream_sessions WHERE upstream = ? AND session ->> '$.sessionId' = ?",
      upstream,
      sessionId,
    );
  }

  /** Forgets sessions that nobody used for a day, and with the last one the object's storage. */
  override async alarm(): Promise<void> {
    this.#database.run('DELETE FROM upstream_sessions WHERE used_at <= ?', Date.now() - KEPT_UNUSED_MS);
    const oldest = this.#database.first<{ used_at: number | null }>(
      'SELECT min(used_at) AS used_at FROM upstream_sessions',
    );
    if (typeof oldest?.used_at === 'number') {
      await this.ctx.storage.setAlarm(oldest.used_at + KEPT_UNUSED_MS);
      return;
    }
    await this.ctx.storage.deleteAll();
    this.#database = new ObjectDatabase(this.ctx.storage, MIGRATIONS);
  }
}
