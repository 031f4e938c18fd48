// What is remembered of an upstream's health, how an observation changes it, and how it is reported.
import { closedBreaker, transition } from './circuit-breaker.ts';
import type { Breaker } from './circuit-breaker.ts';
import type { DefinitionCounts, FailureStage, HealthReport, HealthState, LastError } from './report.ts';

const MESSAGE_LENGTH = 500;

export interface Condition {
  readonly breaker: Breaker;
  readonly needsAuth: boolean;
  /** Failures in a row, of probes and calls alike. */
  readonly failures: number;
  /** Failed probes in a row: what probing backs off by. */
  readonly failedProbes: number;
  /** Kept after recovery, for the operator to read. */
  readonly lastError?: LastError;
  /** The last probe's end. */
  readonly checkedAt?: number;
  readonly latencyMs?: number;
}

export const unknownCondition: Condition = { breaker: closedBreaker, needsAuth: false, failures: 0, failedProbes: 0 };

export type Observation =
  | { readonly source: 'probe' | 'call'; readonly ok: true; readonly latencyMs: number }
  | {
      readonly source: 'probe' | 'call';
      readonly ok: false;
      readonly stage: FailureStage;
      readonly message: string;
      readonly needsAuth: boolean;
      /** As in `backoffDelay`. */
      readonly jitter: number;
    };

export function observe(condition: Condition, observation: Observation, now: number): Condition {
  const probed = observation.source === 'probe';
  if (observation.ok) {
    return {
      ...condition,
      breaker: transition(condition.breaker, { kind: 'success' }, now),
      needsAuth: false,
      failures: 0,
      failedProbes: 0,
      ...(probed ? { checkedAt: now, latencyMs: observation.latencyMs } : {}),
    };
  }
  const since = condition.failures === 0 ? now : (condition.lastError?.since ?? now);
  return {
    ...condition,
    breaker: transition(condition.breaker, { kind: 'failure', jitter: observation.jitter }, now),
    needsAuth: observation.needsAuth || (!probed && condition.needsAuth),
    failures: condition.failures + 1,
    failedProbes: condition.failedProbes + (probed ? 1 : 0),
    lastError: { stage: observation.stage, message: shorten(observation.message), at: now, since },
    ...(probed ? { checkedAt: now } : {}),
  };
}

/** The end is kept rather than the beginning: there stand the last words of a process that died. */
function shorten(message: string): string {
  if (message.length <= MESSAGE_LENGTH) return message;
  const [first = ''] = message.split('\n', 1);
  const head = first.slice(0, MESSAGE_LENGTH / 2);
  return `${head}\n…${message.slice(head.length).slice(-(MESSAGE_LENGTH - head.length - 2))}`;
}

export interface ReportContext {
  readonly disabled: boolean;
  /** Absent when probing sleeps. */
  readonly nextCheckAt?: number | undefined;
  readonly era?: 'modern' | 'legacy' | undefined;
  readonly toolCount: number;
  readonly resourceCount?: number;
  readonly resourceTemplateCount?: number;
  readonly promptCount?: number;
  readonly definitions?: DefinitionCounts;
  readonly note?: string | undefined;
}

export function healthReport(condition: Condition, context: ReportContext, now: number): HealthReport {
  const breaker = transition(condition.breaker, { kind: 'tick' }, now);
  const { checkedAt, latencyMs, lastError, failures } = condition;
  const { toolCount, resourceCount, resourceTemplateCount, promptCount } = context;
  return {
    state: stateOf(condition, context),
    breaker: breaker.state,
    ...(breaker.state === 'open' ? { retryAt: breaker.retryAt } : {}),
    ...(context.era === undefined ? {} : { era: context.era }),
    ...(checkedAt === undefined ? {} : { checkedAt }),
    ...(context.nextCheckAt === undefined ? {} : { nextCheckAt: context.nextCheckAt }),
    ...(latencyMs === undefined ? {} : { latencyMs }),
    ...(lastError === undefined ? {} : { lastError }),
    ...(context.note === undefined ? {} : { note: context.note }),
    consecutiveFailures: failures,
    toolCount,
    ...(resourceCount !== undefined && { resourceCount }),
    ...(resourceTemplateCount !== undefined && { resourceTemplateCount }),
    ...(promptCount !== undefined && { promptCount }),
    ...(context.definitions !== undefined && { definitions: context.definitions }),
  };
}

function stateOf(condition: Condition, { disabled, nextCheckAt }: ReportContext): HealthState {
  if (disabled) return 'disabled';
  if (condition.needsAuth) return 'needs_auth';
  if (condition.failures > 0) return 'failing';
  if (condition.checkedAt === undefined) return 'unknown';
  return nextCheckAt === undefined ? 'idle' : 'healthy';
}
