import type { LoggingLevel } from '@modelcontextprotocol/client';
import type { Upstream } from '../../policy/snapshot.ts';
import type { UpstreamSession } from '../ports.ts';

/** A session as it outlives the memory of its owner; plain data. */
export interface KeptSession extends UpstreamSession {
  /** What the server was told to log. */
  readonly logLevel?: LoggingLevel;
  /** It said in this session that a list of it changed: what it shows here may be shown to nobody else. */
  readonly hasOwnLists?: true;
}

/** Sessions of one owner, by upstream. A redefined upstream has another fingerprint, hence another session. */
export interface SessionStore {
  get(upstream: Upstream): KeptSession | undefined;
  put(upstream: Upstream, session: KeptSession): void;
  /** Forgets the session if it is still the one given. */
  drop(upstream: Upstream, sessionId: string): void;
}
