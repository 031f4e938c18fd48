// The composition root: the only file that constructs adapters and joins ports to them.
import type { Recorder } from './audit/recorder.ts';
import type { Env } from './env.ts';
import type { UpstreamNetwork, UpstreamSessions, UpstreamViews } from './mcp/ports.ts';
import type { PolicySnapshot } from './policy/snapshot.ts';

/** What the routes are given, made per request: I/O objects of workerd belong to the request that made them. */
export interface Services {
  readonly now: () => number;
  /** Keeps work going after the response. */
  readonly waitUntil: (promise: Promise<unknown>) => void;
  /** The configuration, at most a second old. @throws when it cannot be read: fail closed. */
  readonly snapshot: () => Promise<PolicySnapshot>;
  readonly recorder: Recorder;
  readonly upstreamViews: UpstreamViews;
  readonly upstreamSessions: UpstreamSessions;
  readonly upstreamNetwork: UpstreamNetwork;
}

export function createServices(_env: Env, _context: Pick<ExecutionContext, 'waitUntil'>): Services {
  throw new Error('not composed yet');
}
