// The SQLite of one client session.
import type {
  SessionState,
  SessionStore,
  StoredEvent,
  StoredEvents,
  StoredStream,
  Subscription,
} from '../src/mcp/session/ports.ts';
import type { KeptSession, SessionStore as UpstreamSessions } from '../src/mcp/upstream/session-store.ts';
import type { ObjectDatabase } from './sqlite.ts';

export const SESSION_MIGRATIONS = [
  `
  CREATE TABLE session (id INTEGER PRIMARY KEY CHECK (id = 1), state TEXT NOT NULL, used_at INTEGER NOT NULL) STRICT;
  CREATE TABLE subscriptions (
    upstream TEXT NOT NULL, uri TEXT NOT NULL, shown_uri TEXT NOT NULL, PRIMARY KEY (upstream, uri)
  ) STRICT;
  CREATE TABLE streams (name TEXT PRIMARY KEY, open TEXT NOT NULL) STRICT;
  CREATE TABLE events (
    position INTEGER PRIMARY KEY, stream TEXT NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL, data TEXT NOT NULL
  ) STRICT;
  CREATE INDEX events_by_stream ON events (stream, seq);
  CREATE TABLE upstream_sessions (upstream TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, session TEXT NOT NULL) STRICT;
`,
];

const TABLES = ['session', 'subscriptions', 'streams', 'events', 'upstream_sessions'];

type EventRow = { stream: string; seq: number; at: number; data: string };

export class SessionRecord implements SessionStore {
  readonly #database: ObjectDatabase;
  readonly events: StoredEvents;
  readonly upstreamSessions: UpstreamSessions;

  constructor(database: ObjectDatabase) {
    this.#database = database;
    this.events = {
      setStream: (stream) => this.#setStream(stream),
      stream: (name) => this.#stream(name),
      append: (events, bounds) => this.#append(events, bounds),
    };
    this.upstreamSessions = upstreamSessions(database);
  }

  /** Undefined while no session is here. */
  find(): { readonly state: SessionState; readonly usedAt: number } | undefined {
    const row = this.#database.first<{ state: string; used_at: number }>('SELECT state, used_at FROM session');
    return row === undefined ? undefined : { state: JSON.parse(row.state) as SessionState, usedAt: row.used_at };
  }

  state(): SessionState {
    const found = this.find();
    if (found === undefined) throw new Error('no session is here');
    return found.state;
  }

  /** @param usedAt milliseconds since the epoch */
  begin(state: SessionState, usedAt: number): void {
    this.#database.run('INSERT INTO session (id, state, used_at) VALUES (1, ?, ?)', JSON.stringify(state), usedAt);
  }

  setState(state: SessionState): void {
    this.#database.run('UPDATE session SET state = ?', JSON.stringify(state));
  }

  setUsedAt(usedAt: number): void {
    this.#database.run('UPDATE session SET used_at = ?', usedAt);
  }

  /** The session is over; what its end still needs stays. */
  end(): void {
    this.#database.run('DELETE FROM session');
  }

  /** Nothing of the session is left. */
  clear(): void {
    for (const table of TABLES) this.#database.run(`DELETE FROM ${table}`);
  }

  subscriptions(): readonly Subscription[] {
    const rows = this.#database.all<{ upstream: string; uri: string; shown_uri: string }>(
      'SELECT upstream, uri, shown_uri FROM subscriptions',
    );
    return rows.map(({ upstream, uri, shown_uri: shownUri }) => ({ upstream, uri, shownUri }));
  }

  subscribe({ upstream, uri, shownUri }: Subscription): void {
    this.#database.run('INSERT OR REPLACE INTO subscriptions VALUES (?, ?, ?)', upstream, uri, shownUri);
  }

  unsubscribe(upstream: string, uri: string): void {
    this.#database.run('DELETE FROM subscriptions WHERE upstream = ? AND uri = ?', upstream, uri);
  }

  #setStream({ name, open }: StoredStream): void {
    this.#database.run('INSERT OR REPLACE INTO streams VALUES (?, ?)', name, JSON.stringify(open));
  }

  #stream(name: string): ReturnType<StoredEvents['stream']> {
    const row = this.#database.first<{ open: string }>('SELECT open FROM streams WHERE name = ?', name);
    const events = this.#database.all<EventRow>(
      'SELECT stream, seq, at, data FROM events WHERE stream = ? ORDER BY seq',
      name,
    );
    if (row === undefined && events.length === 0) return undefined;
    return { open: row === undefined ? [] : (JSON.parse(row.open) as StoredStream['open']), events };
  }

  #append(events: readonly StoredEvent[], { keptSince, most }: { keptSince: number; most: number }): void {
    for (const { stream, seq, at, data } of events)
      this.#database.run('INSERT INTO events (stream, seq, at, data) VALUES (?, ?, ?, ?)', stream, seq, at, data);
    this.#database.run(
      'DELETE FROM events WHERE at < ? OR position <= (SELECT max(position) FROM events) - ?',
      keptSince,
      most,
    );
    this.#database.run(
      "DELETE FROM streams WHERE open = '[]' AND NOT EXISTS (SELECT 1 FROM events WHERE stream = streams.name)",
    );
  }
}

function upstreamSessions(database: ObjectDatabase): UpstreamSessions {
  return {
    get({ name, fingerprint }) {
      const row = database.first<{ session: string }>(
        'SELECT session FROM upstream_sessions WHERE upstream = ? AND fingerprint = ?',
        name,
        fingerprint,
      );
      return row === undefined ? undefined : (JSON.parse(row.session) as KeptSession);
    },
    put({ name, fingerprint }, session) {
      database.run(
        'INSERT OR REPLACE INTO upstream_sessions VALUES (?, ?, ?)',
        name,
        fingerprint,
        JSON.stringify(session),
      );
    },
    drop({ name }, sessionId) {
      database.run(
        "DELETE FROM upstream_sessions WHERE upstream = ? AND session ->> '$.sessionId' = ?",
        name,
        sessionId,
      );
    },
  };
}
