// What is known of a server's definitions, and the port by which it is read and approved. Types only.
import type { DefinitionDiff } from './diff.ts';
import type { Finding } from './finding.ts';
import type { ToolNames } from './name-rules.ts';
import type { Approval, Change, TrustPolicy } from './standing.ts';

export interface PinnedDefinition {
  readonly name: string;
  readonly hash: string;
  readonly approval: Approval;
  /** Milliseconds since the epoch, as are all times here. */
  readonly firstSeenAt: number;
  readonly approvedAt: number;
  /** Since when the server does not list it any more; null while it does. */
  readonly goneSince: number | null;
}

/** A definition that clients do not have. */
export interface WithheldDefinition {
  readonly name: string;
  readonly hash: string;
  readonly since: number;
  readonly reason: Change | 'finding';
  /** Against the pinned one; of a new definition, all of it. Empty where a finding is the reason. */
  readonly diff: DefinitionDiff;
}

export interface DefinitionsReport {
  /** As the last listing was judged; absent before the first. */
  readonly policy?: TrustPolicy;
  readonly pinned: readonly PinnedDefinition[];
  readonly withheld: readonly WithheldDefinition[];
  readonly findings: readonly Finding[];
}

export interface ApprovalRequest {
  /** Everything that waits for approval when absent. A hash, where given, must be the one listed. */
  readonly tools?: readonly { readonly name: string; readonly hash?: string }[];
  readonly requestId: string;
}

/** Why a tool cannot be approved; none of the request then is. */
export interface ApprovalConflict {
  readonly name: string;
  readonly reason: 'not_listed' | 'changed';
}

export type ApprovalOutcome =
  | { readonly ok: true; readonly approved: readonly { readonly name: string; readonly hash: string }[] }
  | { readonly ok: false; readonly conflicts: readonly ApprovalConflict[] };

export interface DefinitionRecords {
  /** The tools of the given servers, as they were at most a minute ago; none of a server that cannot be asked. */
  toolNames(upstreams: readonly string[]): Promise<ToolNames>;
  read(upstream: string): Promise<DefinitionsReport>;
  /** Lasting, and on the audit's way, when it resolves. */
  approve(upstream: string, request: ApprovalRequest): Promise<ApprovalOutcome>;
}
