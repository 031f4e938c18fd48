// What a request is charged to: the limits over it, as one plan for each ledger that keeps them.
import type { ChargePlan } from '../budget/limits.ts';
import type { Upstream, VirtualKey } from './snapshot.ts';

/** Of a call of a model; empty where nothing bounds it. */
export function modelPlans(_key: VirtualKey, _provider: string): readonly ChargePlan[] {
  return [];
}

/** Of a call of a tool, or of another request to an MCP server, which has no `tool`. */
export function toolPlans(_key: VirtualKey, _upstream: Upstream, _tool?: string): readonly ChargePlan[] {
  return [];
}
