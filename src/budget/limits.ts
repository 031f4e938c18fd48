// What bounds a request: limits, the counters they are held against, and the plan of all that one request is charged to.
import type { NanoUsd } from './money.ts';

/** From the widest to the narrowest; refusals name the widest that has no room. */
export const LIMIT_TIERS = ['server', 'customer', 'team', 'virtual_key', 'provider_config', 'mcp_client'] as const;
/**
 * `customer → team → virtual_key → provider_config` bound calls of models; `mcp_client` is what a key may do with one
 * MCP server, `server` what all keys together may.
 */
export type LimitTier = (typeof LIMIT_TIERS)[number];

export type Metric = 'cost' | 'requests' | 'tokens' | 'concurrent';

/** A span of time over which a limit counts, as configured: `1d`, rolling or by the calendar (UTC). */
export interface LimitWindow {
  readonly period: string;
  readonly calendar: boolean;
}

export interface Limit {
  /**
   * Names the counter. What it is made of is what was spent for: tier, owner, tool, metric and window, and never the
   * amount, so that a changed limit keeps what was spent.
   */
  readonly id: string;
  readonly tier: LimitTier;
  /** As people know it: a customer, a team, a key's name, `<key name>/<provider or server>`, a server. */
  readonly name: string;
  /** As `SettledSpend` knows the same owner, where spend is kept for it; a counter that is new begins with that. */
  readonly spendName?: string;
  /** The tool, or pattern of tools, that alone is bounded. */
  readonly tool?: string;
  readonly metric: Metric;
  /** Of `cost` in NanoUsd, of `tokens` in LLM tokens. */
  readonly amount: number;
  /** Absent for `concurrent` alone. */
  readonly window?: LimitWindow;
  /** Shares of the amount, in (0, 1], at which an alert is due. */
  readonly alertAt?: readonly number[];
}

/** Everything of one ledger that a request is charged to, all at once or not at all. */
export interface ChargePlan {
  /** Made of the ledger, its limits and their amounts: equal ids are equal plans. Keys that are bounded alike share one. */
  readonly id: string;
  /** Name of the ledger object: the payer, or `server:<name>`. */
  readonly ledger: string;
  /** At least one; of each counter at most one. Ordered by tier. */
  readonly limits: readonly Limit[];
}

/** What a request takes of the counters of each metric. `concurrent` is 1 for each request and not counted here. */
export interface Amounts {
  readonly cost: NanoUsd;
  readonly tokens: number;
  readonly requests: number;
}
