// Which tools of which upstreams a virtual key may see and call. What is not granted does not exist for the key.
import { ALLOW, deny, type Decision } from './decision.ts';
import { matchesAny } from './patterns.ts';
import type { VirtualKey } from './snapshot.ts';

/** @param tool wire name at the upstream */
export function decideTool(key: Pick<VirtualKey, 'tools'>, upstream: string, tool: string): Decision {
  const patterns = key.tools.get(upstream);
  if (patterns === undefined) return deny('upstream_not_granted');
  return matchesAny(patterns, tool) ? ALLOW : deny('tool_not_granted');
}

/** The upstreams from which a key may call anything at all, in the order of its grants. */
export function upstreamsInScope(key: Pick<VirtualKey, 'tools'>): string[] {
  return [...key.tools].filter(([, patterns]) => patterns.length > 0).map(([upstream]) => upstream);
}
