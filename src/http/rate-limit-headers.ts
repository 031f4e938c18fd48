// How the vendors tell callers what is left of their rate limits, told of the gateway's own.
import type { LimitStanding } from '../budget/admission.ts';
import { toTimeText } from '../lib/time.ts';
import type { Dialect } from './error-response.ts';

export type HeaderEntry = readonly [name: string, value: string];

const NOTHING: readonly HeaderEntry[] = [];
const COUNTED = ['requests', 'tokens'] as const;

/**
 * For an answer of the LLM surface, to be set over headers of the same names from the provider, which speak of the
 * operator's account. Empty where no limit on requests or tokens applies.
 * @param now milliseconds since the epoch
 */
export function rateLimitHeaders(
  standings: readonly LimitStanding[],
  dialect: Dialect,
  now: number,
): readonly HeaderEntry[] {
  if (standings.length === 0) return NOTHING;
  const entries: HeaderEntry[] = [];
  for (const metric of COUNTED) {
    const tightest = tightestOf(standings, metric);
    if (tightest === undefined) continue;
    const limit = String(tightest.limit.amount);
    const remaining = String(remainingOf(tightest));
    const resetsAt = Math.max(now, tightest.resetsAt ?? now);
    entries.push(
      [`x-ratelimit-limit-${metric}`, limit],
      [`x-ratelimit-remaining-${metric}`, remaining],
      [`x-ratelimit-reset-${metric}`, durationText(resetsAt - now)],
    );
    if (dialect !== 'anthropic') continue;
    entries.push(
      [`anthropic-ratelimit-${metric}-limit`, limit],
      [`anthropic-ratelimit-${metric}-remaining`, remaining],
      [`anthropic-ratelimit-${metric}-reset`, toTimeText(Math.ceil(resetsAt / 1000) * 1000)],
    );
  }
  return entries;
}

/** That of which the least is left. */
function tightestOf(standings: readonly LimitStanding[], metric: LimitStanding['limit']['metric']) {
  let tightest: LimitStanding | undefined;
  for (const standing of standings) {
    if (standing.limit.metric !== metric) continue;
    if (tightest === undefined || remainingOf(standing) < remainingOf(tightest)) tightest = standing;
  }
  return tightest;
}

function remainingOf({ limit, spent, reserved }: LimitStanding): number {
  return Math.max(0, limit.amount - spent - reserved);
}

/** As OpenAI writes it: `1s`, `6m0s`, `24h0m0s`. */
function durationText(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / 1000);
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  if (h > 0) return `${h}h${m}m${s}s`;
  return m > 0 ? `${m}m${s}s` : `${s}s`;
}
