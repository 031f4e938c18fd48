// What is told of an alert: to the webhook and to the audit.
import type { AuditEvent } from '../audit/event.ts';
import { toTimeText } from '../lib/time.ts';
import type { Limit, LimitTier, Metric } from './limits.ts';
import type { CounterStanding } from './alert.ts';
import { shownAmount, UNITS } from './refusal.ts';

/** One share of one limit was reached. */
export interface ThresholdAlert {
  /** `alr_…`; the same in every attempt to deliver it. */
  readonly id: string;
  /** When it was reached, milliseconds since the epoch. */
  readonly at: number;
  readonly tier: LimitTier;
  readonly name: string;
  readonly tool?: string;
  readonly metric: Metric;
  /** Of `cost` in NanoUsd, as is `spent`. */
  readonly amount: number;
  readonly period: string;
  readonly calendar: boolean;
  readonly share: number;
  readonly spent: number;
  readonly resetsAt?: number;
}

/** The body of a webhook, in names and units of the configuration. */
export interface WebhookMessage {
  readonly type: string;
  readonly id: string;
  readonly timestamp: string;
  readonly [member: string]: unknown;
}

export function thresholdAlert(
  { tier, name, tool, metric, amount, window }: Limit,
  { spent, resetsAt }: CounterStanding,
  share: number,
  { id, at }: { readonly id: string; readonly at: number },
): ThresholdAlert {
  return {
    id,
    at,
    tier,
    name,
    ...(tool === undefined ? {} : { tool }),
    metric,
    amount,
    period: window?.period ?? '',
    calendar: window?.calendar ?? false,
    share,
    spent,
    ...(resetsAt === undefined ? {} : { resetsAt }),
  };
}

export function alertMessage(alert: ThresholdAlert): WebhookMessage {
  const { id, at, tier, name, tool, metric, amount, period, calendar, share, spent, resetsAt } = alert;
  return {
    type: 'limit.threshold',
    id,
    timestamp: toTimeText(at),
    tier,
    name,
    ...(tool === undefined ? {} : { tool }),
    metric,
    unit: UNITS[metric],
    limit: shownAmount(metric, amount),
    period,
    calendar,
    share,
    spent: shownAmount(metric, spent),
    // A limit of nothing that was passed has no share.
    spent_share: amount === 0 ? null : Math.round((spent / amount) * 1e6) / 1e6,
    resets_at: resetsAt === undefined ? null : toTimeText(resetsAt),
  };
}

/** Sent to try a webhook. */
export function testMessage(id: string, at: number): WebhookMessage {
  return { type: 'alert.test', id, timestamp: toTimeText(at) };
}

/** How an alert ended; `reason` says why nobody was told. */
export type AlertEnd = { readonly reason?: string; readonly attempt: number };

export function alertEvent(alert: ThresholdAlert, { reason, attempt }: AlertEnd, id: string): AuditEvent {
  const { at, tier, name, tool, metric, period, share } = alert;
  return {
    id,
    at,
    kind: 'limit.threshold',
    ...(reason === undefined ? { outcome: 'ok' } : { outcome: 'error', reason }),
    ...(tier === 'customer' && { customer: name }),
    ...(tier === 'team' && { team: name }),
    ...(tier === 'virtual_key' && { key_name: name }),
    ...(tier === 'server' && { server: name }),
    ...(tool === undefined ? {} : { tool }),
    attempt,
    subject: `${tier}/${name} reached ${share} of ${metric} per ${period}`,
  };
}
