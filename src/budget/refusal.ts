// What a caller is told whose request a limit leaves no room for: in words for people and models, in members for programs.
import { toTimeText } from '../lib/time.ts';
import { failure, type Failure, type FailureLimit } from '../policy/failure.ts';
import type { Refusal } from './admission.ts';
import type { Limit, LimitTier, LimitWindow, Metric } from './limits.ts';
import { toNanoUsd, toUsdText } from './money.ts';
import { openWindow, parsePeriod, type Period } from './window.ts';

/** Sooner than any window ends that somebody would wait for. */
const SOON_SECONDS = 2;
/** Until somebody may have raised a limit that lets nothing pass. */
const HOPELESS_WAIT_SECONDS = 60;

/**
 * `budget_exceeded` for money, `rate_limited` for everything else. It speaks of no one but the owner of the limit.
 * @param now milliseconds since the epoch
 */
export function refusalFailure(refusal: Refusal, now: number): Failure {
  const { limit, resetsAt } = refusal;
  const isBudget = limit.metric === 'cost';
  const waitSeconds = resetsAt === undefined ? undefined : Math.max(1, Math.ceil((resetsAt - now) / 1000));
  const retryAfterSeconds = waitSeconds ?? timelessWait(refusal);
  return failure(isBudget ? 'budget_exceeded' : 'rate_limited', messageOf(refusal, waitSeconds), {
    limit: failureLimit(refusal),
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  });
}

/**
 * Where no time makes room. A rate limit asks to wait all the same, as 429 has it: its whole period, in which somebody
 * may raise it, so that who waits and tries again does so seldom.
 */
function timelessWait(refusal: Refusal): number | undefined {
  const { metric, window } = refusal.limit;
  if (isOnlyHeld(refusal)) return 1;
  if (metric === 'cost') return undefined;
  return window === undefined ? HOPELESS_WAIT_SECONDS : openWindow(window).lengthMs / 1000;
}

/** The limit of a failure as every dialect shows it to programs; `resets_at` is absent where waiting does not help. */
export function limitMembers(limit: FailureLimit): Readonly<Record<string, string | number>> {
  const { tier, name, tool, amount, unit, period, resetsAt } = limit;
  return {
    tier,
    name,
    ...(tool !== undefined && { tool }),
    limit: amount,
    unit,
    ...(period !== undefined && { period }),
    ...(resetsAt !== undefined && { resets_at: resetsAt }),
  };
}

export const UNITS = {
  cost: 'usd',
  requests: 'requests',
  tokens: 'tokens',
  concurrent: 'concurrent_requests',
} as const satisfies Record<Metric, FailureLimit['unit']>;

/** As people and programs read it: money in dollars, exact to the nano-dollar below eight million of them. */
export function shownAmount(metric: Metric, amount: number): number {
  return metric === 'cost' ? amount / 1e9 : amount;
}

function failureLimit({ limit, resetsAt }: Refusal): FailureLimit {
  const { tier, name, tool, metric, amount, window } = limit;
  return {
    tier,
    name,
    ...(tool !== undefined && { tool }),
    amount: shownAmount(metric, amount),
    unit: UNITS[metric],
    ...(window !== undefined && { period: window.period }),
    ...(resetsAt !== undefined && { resetsAt: toTimeText(resetsAt) }),
  };
}

function messageOf(refusal: Refusal, waitSeconds: number | undefined): string {
  const { limit, need } = refusal;
  if (limit.metric === 'concurrent') return concurrencyMessage(refusal);
  const subject = `The ${limit.metric === 'cost' ? 'budget' : 'rate limit'} of ${ownerOf(limit)}`;
  const whole = `${amountText(limit, limit.amount)} ${periodText(limit.window)}`;
  if (need > limit.amount) {
    return `${subject} is ${whole}, and this request alone may take ${needText(refusal)}: it never fits. ${remedy(limit)}.`;
  }
  const taken = `${amountText(limit, refusal.spent)} ${limit.metric === 'cost' ? 'spent' : 'used'}`;
  const held = refusal.reserved > 0 ? `, ${amountText(limit, refusal.reserved)} reserved` : '';
  return `${subject} has no room: of ${whole}, ${taken}${held}; this request may take ${needText(refusal)}. ${advice(refusal, waitSeconds)}`;
}

function concurrencyMessage({ limit, reserved }: Refusal): string {
  const cap = `${counted(limit.amount, 'request')} at once`;
  const text = `The rate limit of ${ownerOf(limit)} is ${cap}`;
  if (limit.amount === 0) return `${text}. ${remedy(limit)}.`;
  return `${text}, and ${reserved} ${reserved === 1 ? 'is' : 'are'} running. Try again when one has ended.`;
}

/** Whether the request would fit if what is reserved for others turned out not to be needed. */
function isOnlyHeld({ limit, spent, need }: Refusal): boolean {
  return spent + need <= limit.amount;
}

function advice(refusal: Refusal, waitSeconds: number | undefined): string {
  const { limit, resetsAt } = refusal;
  // What gateways that are gone had reserved stays so for longer, and then the time is told.
  if (isOnlyHeld(refusal) && (waitSeconds ?? 1) <= SOON_SECONDS) return 'Try again when requests under way have ended.';
  if (resetsAt === undefined || waitSeconds === undefined) return `${remedy(limit)}.`;
  return `Try again at ${toTimeText(resetsAt)}, in ${durationText(waitSeconds)}. ${remedy(limit)}.`;
}

/** What helps besides waiting. A call of a tool has no size that the caller could choose. */
function remedy({ tier, metric }: Limit): string {
  const raise = `whoever runs the gateway can raise the ${metric === 'cost' ? 'budget' : 'limit'}`;
  const hasSize = (metric === 'cost' || metric === 'tokens') && tier !== 'mcp_client' && tier !== 'server';
  return hasSize
    ? `A model call needs less with a lower max_tokens or a shorter input; ${raise}`
    : `W${raise.slice(1)}`;
}

const OWNERS: Readonly<Record<LimitTier, string>> = {
  server: 'server',
  customer: 'customer',
  team: 'team',
  virtual_key: 'key',
  provider_config: 'key and provider',
  mcp_client: 'key and server',
};

function ownerOf({ tier, name, tool }: Limit): string {
  return `${OWNERS[tier]} "${name}"${tool === undefined ? '' : ` for the tool "${tool}"`}`;
}

function needText({ limit, need }: Refusal): string {
  return limit.metric === 'requests' ? amountText(limit, need) : `up to ${amountText(limit, need)}`;
}

function amountText({ metric }: Limit, amount: number): string {
  if (metric === 'cost') return `$${toUsdText(toNanoUsd(amount))}`;
  return counted(amount, metric === 'tokens' ? 'token' : 'request');
}

const UNIT_NOUNS: Readonly<Record<Period['unit'], string>> = {
  m: 'minute', h: 'hour', d: 'day', w: 'week', M: 'month', Y: 'year',
}; // prettier-ignore

function periodText(window: LimitWindow | undefined): string {
  const period = parsePeriod(window?.period ?? '');
  if (window === undefined || period === undefined) return 'in all';
  const noun = UNIT_NOUNS[period.unit];
  return `per ${window.calendar ? 'calendar ' : ''}${period.count === 1 ? noun : counted(period.count, noun)}`;
}

function durationText(seconds: number): string {
  if (seconds < 120) return counted(seconds, 'second');
  if (seconds < 7_200) return counted(Math.ceil(seconds / 60), 'minute');
  if (seconds < 172_800) return counted(Math.ceil(seconds / 3_600), 'hour');
  return counted(Math.ceil(seconds / 86_400), 'day');
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
