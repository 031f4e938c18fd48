import { DurableObject } from 'cloudflare:workers';
import type { Env } from '../src/env.ts';
import { describeFault, log } from '../src/lib/log.ts';
import type { ClientSession } from '../src/mcp/session/client-session.ts';
import type { SessionAnswer, SessionListen, SessionPost, SessionState } from '../src/mcp/session/ports.ts';
import type { McpSessionRpc, SessionRegisterRpc } from './contracts.ts';
import { SESSION_MIGRATIONS, SessionRecord } from './session-record.ts';
import { ObjectDatabase } from './sqlite.ts';

/** How far the stored time of use may lag behind the true one: writing each use down would cost a commit. */
const USE_LAG_MS = 60_000;
/** A file that is deleted is made anew at the next session, which costs several times what emptying it does. */
const KEPT_FILE_BYTES = 256 * 1024;
/** Upstreams get so long to hear that a session is over. */
const FAREWELL_MS = 5_000;

const UNKNOWN: SessionAnswer = { kind: 'refused', refusal: 'unknown_session' };

interface Live {
  readonly state: SessionState;
  readonly session: ClientSession;
}

/** One per slot of a virtual key: the session that is in it, if one is. Who asks has been found to hold it. */
export abstract class McpSession extends DurableObject<Env> implements McpSessionRpc {
  #record: SessionRecord;
  #live: Live | undefined;
  #usedAtStored = 0;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    this.#record = this.#open();
  }

  /** The session that is in the record, come to life. */
  protected abstract revive(record: SessionRecord): ClientSession;

  async begin(state: SessionState, first: SessionPost): Promise<SessionAnswer> {
    await this.#start(state);
    const answer = (await this.#find(first.nonce)?.post(first)) ?? UNKNOWN;
    if (answer.kind === 'refused') await this.#end();
    return answer;
  }

  async beginStream(state: SessionState, first: SessionListen, messagesUrl: string): Promise<SessionAnswer> {
    await this.#start(state);
    return this.stream(first, messagesUrl);
  }

  async stream(listen: SessionListen, messagesUrl: string): Promise<SessionAnswer> {
    return this.#find(listen.nonce)?.open(listen, messagesUrl) ?? UNKNOWN;
  }

  async post(post: SessionPost): Promise<SessionAnswer> {
    return this.#find(post.nonce)?.post(post) ?? UNKNOWN;
  }

  async listen(listen: SessionListen): Promise<SessionAnswer> {
    return this.#find(listen.nonce)?.listen(listen) ?? UNKNOWN;
  }

  async end(nonce: string): Promise<SessionAnswer> {
    if (this.#find(nonce) === undefined) return UNKNOWN;
    this.ctx.waitUntil(this.#end());
    return { kind: 'accepted' };
  }

  async endIfUnused(nonce: string, unusedMs: number): Promise<boolean> {
    const found = this.#record.find();
    if (found === undefined || found.state.nonce !== nonce) return true;
    if (Date.now() - this.#usedAt(found) < unusedMs) return false;
    await this.#end();
    return true;
  }

  override async alarm(): Promise<void> {
    const found = this.#record.find();
    if (found === undefined) return this.#clear();
    const dueAt = this.#usedAt(found) + found.state.idleMs;
    if (dueAt > Date.now()) await this.ctx.storage.setAlarm(dueAt);
    else await this.#end();
  }

  async #start(state: SessionState): Promise<void> {
    // What the slot's last session left behind when the gateway was killed at its end.
    if (this.#record.find() !== undefined) await this.#end();
    const now = Date.now();
    this.#record.begin(state, now);
    this.#usedAtStored = now;
    await this.ctx.storage.setAlarm(now + state.idleMs);
  }

  #find(nonce: string): ClientSession | undefined {
    const live = this.#live ?? this.#revive();
    if (live === undefined || live.state.nonce !== nonce) return undefined;
    const now = Date.now();
    if (now - this.#usedAtStored > lagOf(live.state)) {
      this.#record.setUsedAt(now);
      this.#usedAtStored = now;
    }
    return live.session;
  }

  #revive(): Live | undefined {
    const found = this.#record.find();
    if (found === undefined) return undefined;
    this.#usedAtStored = found.usedAt;
    this.#live = { state: found.state, session: this.revive(this.#record) };
    return this.#live;
  }

  #usedAt({ state, usedAt }: { readonly state: SessionState; readonly usedAt: number }): number {
    return this.#live?.session.activeAt ?? usedAt + lagOf(state);
  }

  async #end(): Promise<void> {
    const live = this.#live ?? this.#revive();
    if (live === undefined) return;
    this.#live = undefined;
    this.#record.end();
    try {
      await Promise.race([live.session.close(), scheduler.wait(FAREWELL_MS)]);
    } catch (fault) {
      log('warn', 'session.farewell_failed', { fault: describeFault(fault) });
    }
    await this.#clear();
    const { keyId, slot, nonce } = live.state;
    const register = this.env.SESSION_REGISTER.getByName(keyId) as unknown as SessionRegisterRpc;
    await register.release(slot, nonce);
  }

  /** The object will be used again: its schema stays, and its file unless that has grown. */
  async #clear(): Promise<void> {
    if (this.ctx.storage.sql.databaseSize <= KEPT_FILE_BYTES) {
      this.#record.clear();
      await this.ctx.storage.deleteAlarm();
      return;
    }
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
    this.#record = this.#open();
  }

  #open(): SessionRecord {
    return new SessionRecord(new ObjectDatabase(this.ctx.storage, SESSION_MIGRATIONS));
  }
}

function lagOf({ idleMs }: SessionState): number {
  return Math.min(USE_LAG_MS, idleMs / 10);
}
