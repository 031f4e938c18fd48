import { fromUsd, type NanoUsd } from '../budget/money.ts';
import { mostSpecific } from './patterns.ts';
import type { Upstream } from './snapshot.ts';

/**
 * What the operator says one call of a tool costs, the most specific entry counting; undefined where nothing is said.
 * @param tool as the upstream has it
 */
export function toolCost({ tool_cost_usd: costs }: Pick<Upstream, 'tool_cost_usd'>, tool: string): NanoUsd | undefined {
  if (costs === undefined) return undefined;
  const pattern = mostSpecific(Object.keys(costs), tool);
  const usd = pattern === undefined ? undefined : costs[pattern];
  return usd === undefined ? undefined : fromUsd(usd);
}
