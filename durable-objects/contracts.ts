// The RPC faces of the Durable Objects: flat methods, plain structured values in and out.
import type { AuditEvent } from '../src/audit/event.ts';
import type { Charge, LimitStanding } from '../src/budget/admission.ts';
import type { ThresholdAlert } from '../src/budget/alert-message.ts';
import type { HolderReport, LeaseAnswer, LeaseRequest } from '../src/budget/lease.ts';
import type { Limit } from '../src/budget/limits.ts';
import type { WebhookReceipt } from '../src/egress/webhook.ts';
import type { HealthReport } from '../src/health/report.ts';
import type { ApprovalOutcome, ApprovalRequest, DefinitionsReport } from '../src/trust/ports.ts';
import type { Vetting } from '../src/trust/vetting.ts';
import type { SessionAnswer, SessionListen, SessionPost, SessionState } from '../src/mcp/session/ports.ts';
import type { CallOutcome, Catalog, UpstreamSession, UpstreamView } from '../src/mcp/ports.ts';

/** What is committed as one: an event, the charge it settles, or both. A ledger of a server is sent charges alone. */
export interface LedgerEntry {
  readonly event?: AuditEvent;
  readonly charge?: Charge;
}

/** The part of `BudgetLedger` that keeps limits. Everything resolves after its commit. */
export interface LeaseLedgerRpc {
  /** All limits of the request or none. */
  acquire(request: LeaseRequest): Promise<LeaseAnswer>;
  report(report: HolderReport): Promise<void>;
  /** Reads; counters that were never used stand at zero. */
  standings(limits: readonly Limit[]): Promise<readonly LimitStanding[]>;
}

export interface BudgetLedgerRpc extends LeaseLedgerRpc {
  /** Commits each event once by its id and each charge once by its draw; resolves after the commit, which calls share. */
  record(entries: readonly LedgerEntry[]): Promise<void>;
}

/** Statuses and headers are the worker's matter, and so is who may use the session. */
export interface McpSessionRpc {
  /** @param first the `initialize` request */
  begin(state: SessionState, first: SessionPost): Promise<SessionAnswer>;
  /** Of a client of the old transport. @param messagesUrl where it is to send its messages */
  beginStream(state: SessionState, first: SessionListen, messagesUrl: string): Promise<SessionAnswer>;
  /** The same client, come back. */
  stream(listen: SessionListen, messagesUrl: string): Promise<SessionAnswer>;
  post(post: SessionPost): Promise<SessionAnswer>;
  /** The session's own stream, or another that is taken up again. */
  listen(listen: SessionListen): Promise<SessionAnswer>;
  end(nonce: string): Promise<SessionAnswer>;
  /** Ends it when nobody used it for so long. @returns whether it is over */
  endIfUnused(nonce: string, unusedMs: number): Promise<boolean>;
}

export interface SessionRegisterRpc {
  /** @returns the slot for a new session of the key; undefined when it has as many as it may */
  take(keyId: string, nonce: string, most: number): Promise<number | undefined>;
  release(slot: number, nonce: string): Promise<void>;
}

/** What the object needs to know of its upstream; no secrets. The prober looks the rest up by name. */
export interface HealthSubject {
  readonly name: string;
  readonly fingerprint: string;
  readonly disabled: boolean;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly idleAfterMs: number;
}

export interface UpstreamHealthRpc {
  /**
   * The present view; marks the upstream as used and (re)starts probing. When no probe has finished yet for this
   * fingerprint, waits for one, at most `deadlineMs`. `knownCatalog` spares sending a catalog the caller has.
   */
  view(
    subject: HealthSubject,
    options: { readonly deadlineMs: number; readonly refresh: boolean; readonly knownCatalog?: string },
  ): Promise<UpstreamView & { readonly catalogUnchanged: boolean }>;
  /** Reads without marking use or starting anything: for the admin API. */
  peek(): Promise<HealthReport>;
  /** Looks now whether the upstream is still configured, and forgets everything when it is not. */
  retire(): Promise<void>;
  report(subject: HealthSubject, outcome: CallOutcome): Promise<void>;
  /** Wire names of the tools that clients have; marks no use. */
  toolNames(): Promise<readonly string[]>;
  /** What is pinned, withheld and found; marks no use. */
  definitions(): Promise<DefinitionsReport>;
  /** Committed, with its audit events, when it resolves; clients have what was released from then on. */
  approve(request: ApprovalRequest): Promise<ApprovalOutcome>;
}

export interface ProbeRequest {
  readonly name: string;
  /** Lists the tools too; otherwise only finds out whether the server answers. */
  readonly listing: boolean;
  /** Of the last good probe; absent when nothing is known or the last probe failed. */
  readonly known?: { readonly era?: 'modern' | 'legacy'; readonly session?: UpstreamSession };
  /** For each answer of the server. */
  readonly timeoutMs: number;
}

/** Answered by a worker entrypoint, so that the object itself needs neither network nor credentials. */
export type ProbeResult =
  | {
      readonly ok: true;
      /** Of the definition that was probed. */
      readonly fingerprint: string;
      readonly latencyMs: number;
      readonly catalog?: Catalog;
      /** Of the catalog's tools. A catalog that comes without is not taken over. */
      readonly vetting?: Vetting;
      /** Of a legacy server, to be used by the next probe. */
      readonly session?: UpstreamSession;
      /** The process of a stdio server sleeps because nobody used it: it was left alone. */
      readonly asleep?: true;
    }
  | {
      readonly ok: false;
      readonly fingerprint: string;
      readonly stage: 'connect' | 'initialize' | 'list' | 'credential';
      readonly message: string;
      readonly needsAuth: boolean;
    }
  /** The upstream is no longer configured: the object may forget everything. */
  | { readonly ok: false; readonly gone: true };

export interface UpstreamProberRpc {
  /** Rejects only for a fault of the gateway itself. */
  probe(request: ProbeRequest): Promise<ProbeResult>;
}

/** Answered by a worker entrypoint, for the same reason. */
export interface AlertSenderRpc {
  /** One attempt, of some ten seconds at most. Rejects only for a fault of the gateway itself. */
  send(alert: ThresholdAlert): Promise<WebhookReceipt>;
}
