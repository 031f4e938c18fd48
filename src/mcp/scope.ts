// What one endpoint lets one key see and call. Nothing outside a scope exists for whoever holds it.
import { upstreamsInScope } from '../policy/tool-scope.ts';
import { matchesAny } from '../policy/patterns.ts';
import type { NamePatterns, PolicySnapshot, Upstream, VirtualKey } from '../policy/snapshot.ts';

export interface Grant {
  readonly upstream: Upstream;
  /** Every list must allow a tool. */
  readonly patterns: readonly NamePatterns[];
}

export interface Scope {
  /** `wire` where the endpoint serves one upstream under its own names. */
  readonly naming: 'qualified' | 'wire';
  /** By upstream name, in an order that configuration and time do not change. */
  readonly grants: ReadonlyMap<string, Grant>;
}

/**
 * @param endpoint an upstream or a tool group; all that the key may use when absent
 * @returns undefined where the endpoint is not there for this key, whether or not it exists
 */
export function scopeOf(snapshot: PolicySnapshot, key: VirtualKey, endpoint?: string): Scope | undefined {
  const granted = grantsOf(snapshot, key);
  if (endpoint === undefined) return { naming: 'qualified', grants: granted };
  const own = granted.get(endpoint);
  if (own !== undefined) return { naming: 'wire', grants: new Map([[endpoint, own]]) };
  const group = key.toolGroups.includes(endpoint) ? snapshot.toolGroups.get(endpoint) : undefined;
  if (group === undefined) return undefined;
  const grants = new Map<string, Grant>();
  for (const [name, grant] of granted) {
    const patterns = group.get(name);
    if (patterns !== undefined) grants.set(name, { ...grant, patterns: [...grant.patterns, patterns] });
  }
  return { naming: 'qualified', grants };
}

export function inScope(grant: Grant, tool: string): boolean {
  return grant.patterns.every((patterns) => matchesAny(patterns, tool));
}

function grantsOf(snapshot: PolicySnapshot, key: VirtualKey): Map<string, Grant> {
  const grants = new Map<string, Grant>();
  for (const name of upstreamsInScope(key).toSorted()) {
    const upstream = snapshot.upstreams.get(name);
    const patterns = key.tools.get(name);
    if (upstream === undefined || patterns === undefined || upstream.disabled === true) continue;
    grants.set(name, { upstream, patterns: [patterns] });
  }
  return grants;
}
