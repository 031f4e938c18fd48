// What the MCP engine needs of the rooms it may not import. Adapters live in `stores/`; `services.ts` joins them.
import type {
  Implementation,
  Prompt,
  Resource,
  ResourceTemplateType as ResourceTemplate,
  ServerCapabilities,
  Tool,
} from '@modelcontextprotocol/client';
import type { Failure } from '../policy/failure.ts';
import type { Upstream } from '../policy/snapshot.ts';
import type { FailureStage, HealthReport } from '../health/report.ts';

/** What an upstream offers, as last seen good. */
export interface Catalog {
  /** Changes when anything in it does, `at` apart. */
  readonly fingerprint: string;
  readonly tools: readonly Tool[];
  readonly resources?: readonly Resource[];
  readonly resourceTemplates?: readonly ResourceTemplate[];
  readonly prompts?: readonly Prompt[];
  /** In which it was discovered; a server that speaks both was met in the modern one. */
  readonly era: 'modern' | 'legacy';
  readonly serverInfo?: Implementation;
  readonly capabilities: ServerCapabilities;
  readonly instructions?: string;
  /** What of the server's list is left out, and why. */
  readonly note?: string;
  readonly at: number;
}

export interface UpstreamView {
  readonly health: HealthReport;
  /** Absent when no listing ever succeeded. */
  readonly catalog?: Catalog;
  /** When the catalog was last found to be as it is; its own `at` says since when. Milliseconds since the epoch. */
  readonly listedAt?: number;
}

/** Reads what `UpstreamHealth` knows, through a cache of the isolate; marks the upstream as used. */
export interface UpstreamViews {
  /**
   * The last good view. Where there is no catalog yet, waits for the first discovery, at most `deadlineMs`.
   * Never throws for an upstream's fault: the view says what is wrong.
   */
  view(upstream: Upstream, deadlineMs: number): Promise<UpstreamView>;
  /** Discovers again now (a tool unknown here was asked for, or the upstream said its list changed). */
  refresh(upstream: Upstream, deadlineMs: number): Promise<UpstreamView>;
  /** As `refresh`, but behind the request, and once in a while only; the views to come show what it found. */
  relist(upstream: Upstream): void;
  /** Tells health what a call met; success closes a breaker, failures open it. Returns at once. */
  report(upstream: Upstream, outcome: CallOutcome): void;
}

export type CallOutcome =
  | { readonly ok: true; readonly latencyMs: number }
  | { readonly ok: false; readonly stage: FailureStage; readonly message: string };

/** A session held open at a legacy upstream, as plain data: transports are made per request around it. */
export interface UpstreamSession {
  readonly sessionId: string;
  readonly protocolVersion: string;
  readonly capabilities: ServerCapabilities;
  readonly serverInfo?: Implementation;
  readonly instructions?: string;
}

/** How an engine reaches out: `egress/fetch.ts` for what the operator configured, the bridge for stdio servers. */
export interface UpstreamNetwork {
  /** The URL and `fetch` under which this upstream is spoken to, credentials already applied by the returned `fetch`. */
  endpoint(upstream: Upstream): { readonly url: URL; readonly fetch: typeof fetch };
}

/** One call of a tool, as it is to reach the upstream. */
export interface UpstreamToolCall {
  /** Wire name. */
  readonly name: string;
  /** Absent stays absent on the wire. */
  readonly arguments?: Readonly<Record<string, unknown>>;
  /** Cancels the call at the upstream too. */
  readonly signal: AbortSignal;
}

/** A call without a result. */
export interface UpstreamCallFailure extends Failure {
  readonly stage: FailureStage;
  /** For the operator, where there is more than the caller should read: the last words of a process. */
  readonly detail?: string;
  /** The JSON-RPC error the upstream answered with: it is well, the call was not. */
  readonly answered?: { readonly code: number; readonly data?: unknown };
}
