import { DurableObject } from 'cloudflare:workers';
import type { Env } from '../src/env.ts';
import type { McpSessionRpc, SessionRegisterRpc } from './contracts.ts';
import { sessionName } from './session-name.ts';
import { ObjectDatabase } from './sqlite.ts';

const MIGRATIONS = [
  'CREATE TABLE slots (slot INTEGER PRIMARY KEY, nonce TEXT, taken_at INTEGER NOT NULL) STRICT; CREATE INDEX slots_free ON slots (nonce);',
];

/** A session unused for so long may be ended to make room. */
const EXPENDABLE_AFTER_MS = 60_000;
/** Of those that are oldest, how many are asked whether they can go. */
const ASKED_TO_GO = 20;

/**
 * One per virtual key. Hands out the objects in which its sessions live, by number and over and over: an object that was
 * ever used leaves a file behind.
 */
export class SessionRegister extends DurableObject<Env> implements SessionRegisterRpc {
  readonly #database: ObjectDatabase;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    this.#database = new ObjectDatabase(state.storage, MIGRATIONS);
  }

  async take(keyId: string, nonce: string, most: number): Promise<number | undefined> {
    return this.#takeFree(nonce, most) ?? ((await this.#makeRoom(keyId)) ? this.#takeFree(nonce, most) : undefined);
  }

  async release(slot: number, nonce: string): Promise<void> {
    this.#database.run('UPDATE slots SET nonce = NULL WHERE slot = ? AND nonce = ?', slot, nonce);
  }

  #takeFree(nonce: string, most: number): number | undefined {
    const free = this.#database.first<{ slot: number }>(
      'SELECT min(slot) AS slot FROM slots WHERE nonce IS NULL AND slot < ?',
      most,
    );
    const { taken = 0 } = this.#database.first<{ taken: number }>('SELECT count(*) AS taken FROM slots') ?? {};
    const slot = free?.slot ?? (taken < most ? taken : undefined);
    if (slot === undefined) return undefined;
    this.#database.run('INSERT OR REPLACE INTO slots VALUES (?, ?, ?)', slot, nonce, Date.now());
    return slot;
  }

  async #makeRoom(keyId: string): Promise<boolean> {
    const oldest = this.#database.all<{ slot: number; nonce: string }>(
      'SELECT slot, nonce FROM slots WHERE nonce IS NOT NULL ORDER BY taken_at LIMIT ?',
      ASKED_TO_GO,
    );
    for (const { slot, nonce } of oldest) {
      const { MCP_SESSION } = this.env;
      const session = MCP_SESSION.getByName(sessionName(keyId, slot)) as unknown as McpSessionRpc;
      if (await session.endIfUnused(nonce, EXPENDABLE_AFTER_MS)) {
        await this.release(slot, nonce);
        return true;
      }
      // To the end of the line: those behind it are asked the next time.
      this.#database.run('UPDATE slots SET taken_at = ? WHERE slot = ? AND nonce = ?', Date.now(), slot, nonce);
    }
    return false;
  }
}
