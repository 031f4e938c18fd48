import { toNanoUsd, type NanoUsd } from '../budget/money.ts';
import type { Upstream } from './snapshot.ts';

/** What the operator says one call of a tool costs; undefined where nothing is said. */
export function toolCost(upstream: Upstream, tool: string): NanoUsd | undefined {
  const usd = upstream.tool_cost_usd?.[tool] ?? upstream.tool_cost_usd?.['*'];
  return usd === undefined ? undefined : toNanoUsd(Math.round(usd * 1e9));
}
