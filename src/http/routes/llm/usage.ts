// `GET /v1/usage`: what bounds the key that asks, how that stands, and what the key itself has spent.
import type { Context } from 'hono';
import type { SpendReader } from '../../../audit/spend-query.ts';
import type { LimitStanding } from '../../../budget/admission.ts';
import { shownAmount, UNITS } from '../../../budget/refusal.ts';
import { describeFault, log } from '../../../lib/log.ts';
import { DAY_MS, monthOf, toTimeText } from '../../../lib/time.ts';
import { failure } from '../../../policy/failure.ts';
import { limitsOver } from '../../../policy/key-limits.ts';
import type { AppEnv } from '../../app-env.ts';
import { errorResponse } from '../../error-response.ts';
import { shownSums } from '../../spend-sums.ts';

type Json = Readonly<Record<string, unknown>>;

/** Runs behind `authenticate('openai')`. */
export async function serveUsage(c: Context<AppEnv>): Promise<Response> {
  const { services, snapshot, virtualKey, requestId } = c.var;
  const { keyId, keyName } = virtualKey.principal;
  const now = services.now();
  const today = Math.floor(now / DAY_MS) * DAY_MS;
  try {
    const [standings, day, month] = await Promise.all([
      services.limitReader.standings(limitsOver(virtualKey, snapshot)),
      spendOf(services.spendReader, keyId, today, today + DAY_MS),
      spendOf(services.spendReader, keyId, monthOf(now, 0), monthOf(now, 1)),
    ]);
    return c.json({ key: keyName, limits: standings.map(shownStanding), spend: { day, month } });
  } catch (fault) {
    log('error', 'usage.unreadable', { request_id: requestId, fault: describeFault(fault) });
    const text = 'What was spent cannot be read at present. Try again shortly.';
    return errorResponse(failure('overloaded', text, { retryAfterSeconds: 1 }), 'openai', requestId);
  }
}

/** Of calls that have left the ledgers, which takes a second. */
async function spendOf(reader: SpendReader, keyId: string, from: number, to: number): Promise<Json> {
  const { items } = await reader.read({ groups: [], key: keyId, from, to, limit: 1, offset: 0 });
  return { since: toTimeText(from), ...shownSums(items[0]?.sums ?? {}) };
}

function shownStanding({ limit, resetsAt, ...standing }: LimitStanding): Json {
  const { tier, name, tool, metric, amount, window } = limit;
  const shown = (value: number): number => shownAmount(metric, value);
  return {
    tier,
    name,
    ...(tool !== undefined && { tool }),
    metric,
    limit: shown(amount),
    unit: UNITS[metric],
    ...(window !== undefined && { period: window.period, calendar: window.calendar }),
    spent: shown(standing.spent),
    reserved: shown(standing.reserved),
    presumed: shown(standing.presumed),
    over: shown(standing.over),
    remaining: shown(Math.max(0, amount - standing.spent - standing.reserved)),
    ...(resetsAt !== undefined && { resets_at: toTimeText(resetsAt) }),
  };
}
