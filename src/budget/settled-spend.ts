// What committed audit events add to spend: settlement and audit event travel together, so this is all a ledger has to
// keep. Pure.
import type { AuditEvent } from '../audit/event.ts';
import { HOUR_MS } from '../lib/time.ts';

export type SpendTier = 'customer' | 'team' | 'virtual_key' | 'provider_config';

/** One row of settled spend, or what is to be added to it. */
export interface SettledSpend {
  readonly tier: SpendTier;
  /** Customer and team by name, the virtual key by id, a provider config as `<key id>/<provider>`. */
  readonly name: string;
  /** Whole hours since the epoch, UTC, of the requests' arrival. */
  readonly hour: number;
  /** That were sent. */
  readonly calls: number;
  /** Calls whose price is not known: they add nothing to the cost, and that is not the same as costing nothing. */
  readonly unpriced: number;
  /** What budgets were charged: more than the cost where not all of the usage is known. */
  readonly cost_nano_usd: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
}

/** Sums the events by scope and hour. A call that policy denied was not made, and counts for nothing. */
export function settledSpend(events: readonly AuditEvent[]): SettledSpend[] {
  const sums = new Map<string, SettledSpend>();
  for (const event of events) {
    if (!isCall(event)) continue;
    const hour = Math.floor(event.at / HOUR_MS);
    for (const [tier, name] of scopesOf(event)) {
      const at = `${tier} ${hour} ${name}`;
      sums.set(at, add(sums.get(at) ?? { tier, name, hour, ...NOTHING }, event));
    }
  }
  return [...sums.values()];
}

const NOTHING = { calls: 0, unpriced: 0, cost_nano_usd: 0, input_tokens: 0, output_tokens: 0 };

function isCall(event: AuditEvent): boolean {
  return (event.kind === 'llm.call' || event.kind === 'tool.call') && event.outcome !== 'denied';
}

function* scopesOf(event: AuditEvent): Generator<readonly [SpendTier, string]> {
  if (event.customer !== undefined) yield ['customer', event.customer];
  if (event.team !== undefined) yield ['team', event.team];
  if (event.key_id === undefined) return;
  yield ['virtual_key', event.key_id];
  if (event.provider !== undefined) yield ['provider_config', `${event.key_id}/${event.provider}`];
}

function add(sum: SettledSpend, event: AuditEvent): SettledSpend {
  return {
    ...sum,
    calls: sum.calls + (event.upstream_ms === undefined ? 0 : 1),
    unpriced: sum.unpriced + (event.cost_nano_usd === undefined ? 1 : 0),
    cost_nano_usd: sum.cost_nano_usd + (event.charged_nano_usd ?? event.cost_nano_usd ?? 0),
    input_tokens: sum.input_tokens + (event.input_tokens ?? 0),
    output_tokens: sum.output_tokens + (event.output_tokens ?? 0),
  };
}
