import { DurableObject } from 'cloudflare:workers';
import type { Env } from '../src/env.ts';
import type { PrincipalSessionPort, PrincipalWork } from '../src/mcp/upstream/principal-port.ts';
import type { KeptSession, SessionStore } from '../src/mcp/upstream/session-store.ts';
import { ObjectDatabase } from './sqlite.ts';

const MIGRATIONS = [
  `CREATE TABLE upstream_sessions (
     upstream TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, session TEXT NOT NULL, used_at INTEGER NOT NULL
   ) STRICT;`,
];

/** Its clients never say that they are done. */
const KEPT_UNUSED_MS = 30 * 60_000;
/** A use that is later than this is written down: each one would cost a commit. */
const USE_LAG_MS = 5 * 60_000;

type Rpc = PrincipalSessionPort;

/**
 * One per principal and what its clients of 2026-07-28 can be asked, and one per server whose sessions are shared. Holds
 * the sessions at legacy servers, and the calls there that wait for input.
 */
export abstract class PrincipalSession extends DurableObject<Env> implements PrincipalSessionPort {
  #database: ObjectDatabase;
  #work: Promise<PrincipalWork> | undefined;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    this.#database = new ObjectDatabase(state.storage, MIGRATIONS);
  }

  /** What speaks to the upstreams. */
  protected abstract start(store: SessionStore): Promise<PrincipalWork>;

  async request(...call: Parameters<Rpc['request']>): ReturnType<Rpc['request']> {
    this.#use(call[0].upstream.name);
    return (await this.#running()).request(...call);
  }

  async resume(...call: Parameters<Rpc['resume']>): ReturnType<Rpc['resume']> {
    return (await this.#running()).resume(...call);
  }

  async cancel(callId: string): Promise<void> {
    await (await this.#running()).cancel(callId);
  }

  async keepHeld(handle: string): Promise<void> {
    await (await this.#running()).keepHeld(handle);
  }

  async listen(...call: Parameters<Rpc['listen']>): Promise<void> {
    await (await this.#running()).listen(...call);
  }

  async resubscribe(...call: Parameters<Rpc['resubscribe']>): ReturnType<Rpc['resubscribe']> {
    return (await this.#running()).resubscribe(...call);
  }

  async unlisten(listenerId: string): Promise<void> {
    await (await this.#running()).unlisten(listenerId);
  }

  async ownLists(...call: Parameters<Rpc['ownLists']>): ReturnType<Rpc['ownLists']> {
    return (await this.#running()).ownLists(...call);
  }

  /** Ends sessions that nobody used for long, and with the last one forgets everything. */
  override async alarm(): Promise<void> {
    const unused = this.#database.all<{ upstream: string }>(
      'SELECT upstream FROM upstream_sessions WHERE used_at <= ?',
      Date.now() - KEPT_UNUSED_MS,
    );
    const names = unused.map(({ upstream }) => upstream);
    const kept = names.length > 0 ? await (await this.#running()).endSessions(names) : [];
    for (const name of names) {
      if (kept.includes(name)) this.#use(name);
      else this.#database.run('DELETE FROM upstream_sessions WHERE upstream = ?', name);
    }
    const oldest = this.#database.first<{ used_at: number | null }>(
      'SELECT min(used_at) AS used_at FROM upstream_sessions',
    );
    if (typeof oldest?.used_at === 'number') {
      await this.ctx.storage.setAlarm(Math.max(Date.now(), oldest.used_at) + KEPT_UNUSED_MS);
      return;
    }
    await this.ctx.storage.deleteAll();
    this.#database = new ObjectDatabase(this.ctx.storage, MIGRATIONS);
  }

  #running(): Promise<PrincipalWork> {
    this.#work ??= this.start(this.#store()).catch((fault: unknown) => {
      // The next call may find a configuration that can be read.
      this.#work = undefined;
      throw fault;
    });
    return this.#work;
  }

  #use(upstream: string): void {
    const now = Date.now();
    this.#database.run(
      'UPDATE upstream_sessions SET used_at = ? WHERE upstream = ? AND used_at < ?',
      now,
      upstream,
      now - USE_LAG_MS,
    );
  }

  #store(): SessionStore {
    return {
      get: ({ name, fingerprint }) => this.#get(name, fingerprint),
      put: ({ name, fingerprint }, session) => this.#put(name, fingerprint, session),
      drop: ({ name }, sessionId) =>
        this.#database.run(
          "DELETE FROM upstream_sessions WHERE upstream = ? AND session ->> '$.sessionId' = ?",
          name,
          sessionId,
        ),
    };
  }

  #get(upstream: string, fingerprint: string): KeptSession | undefined {
    const row = this.#database.first<{ session: string }>(
      'SELECT session FROM upstream_sessions WHERE upstream = ? AND fingerprint = ?',
      upstream,
      fingerprint,
    );
    return row === undefined ? undefined : JSON.parse(row.session);
  }

  #put(upstream: string, fingerprint: string, session: KeptSession): void {
    this.#database.run(
      'INSERT OR REPLACE INTO upstream_sessions (upstream, fingerprint, session, used_at) VALUES (?, ?, ?, ?)',
      upstream,
      fingerprint,
      JSON.stringify(session),
      Date.now(),
    );
    this.ctx.waitUntil(this.#watch());
  }

  async #watch(): Promise<void> {
    const alarmAt = await this.ctx.storage.getAlarm();
    if (alarmAt === null) await this.ctx.storage.setAlarm(Date.now() + KEPT_UNUSED_MS);
  }
}
