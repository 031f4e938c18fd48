// What a request is charged to: the limits over it, as one plan for each ledger that keeps them.
import type { ChargePlan, Limit } from '../budget/limits.ts';
import { remembered } from '../lib/remembered.ts';
import { mostSpecific } from './patterns.ts';
import type { Upstream, VirtualKey } from './snapshot.ts';
import { toolCost } from './tool-cost.ts';

type LimitedKey = Pick<VirtualKey, 'principal' | 'limits'>;
type Plans = readonly ChargePlan[];

const NONE: readonly never[] = [];

// A key and a server are compiled anew with every change of the configuration, and what is made of them with them.
const ofModels = new WeakMap<LimitedKey, Map<string, Plans>>();
const ofTools = new WeakMap<LimitedKey, WeakMap<Upstream, Map<string, Plans>>>();

/** Of a call of a model; empty where nothing bounds it. */
export function modelPlans(key: LimitedKey, provider: string): Plans {
  const { limits } = key;
  if (limits === undefined) return NONE;
  const made = remembered(ofModels, key, () => new Map<string, Plans>());
  return remembered(made, provider, () =>
    plansOf([[key.principal.payer, [...limits.own, ...(limits.providers.get(provider) ?? NONE)]]]),
  );
}

/**
 * Of a call of a tool, or of another request to an MCP server, which has no `tool`. Of limits on tools that of the most
 * specific pattern counts, at the key's entry and at the server each; budgets bound what costs something.
 */
export function toolPlans(key: LimitedKey, upstream: Upstream, tool?: string): Plans {
  const ofClient = key.limits?.mcpClients.get(upstream.name) ?? NONE;
  const ofServer = upstream.limits ?? NONE;
  const own = key.limits?.own ?? NONE;
  if (own.length === 0 && ofClient.length === 0 && ofServer.length === 0) return NONE;

  const clientPattern = tool === undefined ? undefined : patternOf(ofClient, tool);
  const serverPattern = tool === undefined ? undefined : patternOf(ofServer, tool);
  const isFree = tool === undefined || (toolCost(upstream, tool) ?? 0) === 0;
  const made = remembered(
    remembered(ofTools, key, () => new WeakMap<Upstream, Map<string, Plans>>()),
    upstream,
    () => new Map<string, Plans>(),
  );
  return remembered(made, JSON.stringify([isFree, clientPattern, serverPattern]), () =>
    plansOf([
      [serverLedger(upstream.name), applying(ofServer, isFree, serverPattern)],
      [key.principal.payer, [...applying(own, isFree), ...applying(ofClient, isFree, clientPattern)]],
    ]),
  );
}

/** Name of the ledger that keeps the limits of an MCP server. */
export function serverLedger(name: string): string {
  return `server:${name}`;
}

/** Tools use no LLM tokens, and of a budget only what costs something takes. */
function applying(limits: readonly Limit[], isFree: boolean, pattern?: string): readonly Limit[] {
  return limits.filter(
    ({ metric, tool }) =>
      metric !== 'tokens' && !(isFree && metric === 'cost') && (tool === undefined || tool === pattern),
  );
}

function patternOf(limits: readonly Limit[], tool: string): string | undefined {
  return mostSpecific(
    limits.flatMap((limit) => limit.tool ?? NONE),
    tool,
  );
}

function plansOf(parts: readonly (readonly [ledger: string, limits: readonly Limit[]])[]): Plans {
  return parts
    .filter(([, limits]) => limits.length > 0)
    .map(([ledger, limits]) => ({ id: planId(ledger, limits), ledger, limits }));
}

/** Made of what the plan is: keys of one payer that are bounded alike draw on the same leases. */
function planId(ledger: string, limits: readonly Limit[]): string {
  return JSON.stringify([ledger, ...limits.flatMap(({ id, amount, alertAt = NONE }) => [id, amount, ...alertAt])]);
}
