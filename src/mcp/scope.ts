// What one endpoint lets one key see and call. Nothing outside a scope exists for whoever holds it.
import { upstreamsInScope } from '../policy/mcp-scope.ts';
import { matchesAny } from '../policy/patterns.ts';
import type { McpGrants, NamePatterns, PolicySnapshot, Upstream, VirtualKey } from '../policy/snapshot.ts';

/** What an upstream's items are of; the resources are those of its templates too. */
export type ItemKind = keyof McpGrants;

/** Of each kind every list must allow an item, by the upstream's own name or URI. */
export interface Grant extends Readonly<Record<ItemKind, readonly NamePatterns[]>> {
  readonly upstream: Upstream;
  /** Allows what of the tools the request itself asked for, by the names shown; all when absent. */
  readonly shownTools?: NamePatterns;
}

export interface Scope {
  /** `wire` where the endpoint serves one upstream under its own names. */
  readonly naming: 'qualified' | 'wire';
  /** By upstream name, in an order that configuration and time do not change. */
  readonly grants: ReadonlyMap<string, Grant>;
}

/** Those of the keys that were lately used, by endpoint. Nothing in a snapshot changes. */
const known = new WeakMap<PolicySnapshot, Map<VirtualKey, EndpointScopes>>();
type EndpointScopes = Map<string | undefined, Scope>;
const MOST_KEYS = 1_000;

/**
 * @param endpoint an upstream or a tool group; all that the key may use when absent
 * @returns undefined where the endpoint is not there for this key, whether or not it exists
 */
export function scopeOf(snapshot: PolicySnapshot, key: VirtualKey, endpoint?: string): Scope | undefined {
  const keys = known.get(snapshot);
  const found = keys?.get(key)?.get(endpoint);
  if (found !== undefined) return found;
  const scope = makeScope(snapshot, key, endpoint);
  // Any number of endpoints that are not there can be asked for.
  if (scope === undefined) return undefined;
  const kept = keys === undefined || keys.size >= MOST_KEYS ? new Map<VirtualKey, EndpointScopes>() : keys;
  const scopes: EndpointScopes = kept.get(key) ?? new Map();
  known.set(snapshot, kept.set(key, scopes.set(endpoint, scope)));
  return scope;
}

function makeScope(snapshot: PolicySnapshot, key: VirtualKey, endpoint: string | undefined): Scope | undefined {
  const granted = grantsOf(snapshot, key);
  if (endpoint === undefined) return { naming: 'qualified', grants: granted };
  const own = granted.get(endpoint);
  if (own !== undefined) return { naming: 'wire', grants: new Map([[endpoint, own]]) };
  const group = key.toolGroups.includes(endpoint) ? snapshot.toolGroups.get(endpoint) : undefined;
  if (group === undefined) return undefined;
  const grants = new Map<string, Grant>();
  for (const name of upstreamsInScope(group).toSorted()) {
    const grant = granted.get(name);
    if (grant === undefined) continue;
    const both = (kind: ItemKind): readonly NamePatterns[] => [...grant[kind], group[kind].get(name) ?? []];
    grants.set(name, { ...grant, tools: both('tools'), resources: both('resources'), prompts: both('prompts') });
  }
  return { naming: 'qualified', grants };
}

/** Whether the grant allows a thing by the upstream's own name or URI of it. */
export function isGranted(grant: Grant, kind: ItemKind, name: string): boolean {
  return grant[kind].every((patterns) => matchesAny(patterns, name));
}

/** Whether anything of the kind may be allowed at all. */
export function grantsAny(grant: Grant, kind: ItemKind): boolean {
  return grant[kind].every((patterns) => patterns.length > 0);
}

/** Whether there is nothing of the upstream that the grant does not allow. */
export function grantsAll(grant: Grant): boolean {
  const kinds = [grant.tools, grant.resources, grant.prompts];
  return grant.shownTools === undefined && kinds.flat().every((patterns) => patterns.includes('*'));
}

function grantsOf(snapshot: PolicySnapshot, key: VirtualKey): Map<string, Grant> {
  const grants = new Map<string, Grant>();
  for (const name of upstreamsInScope(key).toSorted()) {
    const upstream = snapshot.upstreams.get(name);
    if (upstream === undefined || upstream.disabled === true) continue;
    const own = (kind: ItemKind): readonly NamePatterns[] => [key[kind].get(name) ?? []];
    grants.set(name, { upstream, tools: own('tools'), resources: own('resources'), prompts: own('prompts') });
  }
  return grants;
}
