// What of which upstreams a virtual key may see and use. What is not granted does not exist for the key.
import { ALLOW, deny, type Decision } from './decision.ts';
import { matchesAny } from './patterns.ts';
import type { McpGrants } from './snapshot.ts';

const REASONS = {
  tools: 'tool_not_granted',
  resources: 'resource_not_granted',
  prompts: 'prompt_not_granted',
} as const;

/** @param name as the upstream has it: a tool's or prompt's name, a resource's URI */
export function decideMcp(key: McpGrants, kind: keyof McpGrants, upstream: string, name: string): Decision {
  const patterns = key[kind].get(upstream);
  if (patterns === undefined) return deny('upstream_not_granted');
  return matchesAny(patterns, name) ? ALLOW : deny(REASONS[kind]);
}

/**
 * Tasks are tool calls under way. Of the methods of other extensions nothing is known, so that they are for keys that may
 * use all of the server.
 */
export function decideExtension(key: McpGrants, upstream: string, method: string): Decision {
  if (isTaskMethod(method)) {
    const tools = key.tools.get(upstream);
    if (tools === undefined) return deny('upstream_not_granted');
    return tools.length > 0 ? ALLOW : deny('tool_not_granted');
  }
  for (const kind of ['tools', 'resources', 'prompts'] as const) {
    const patterns = key[kind].get(upstream);
    if (patterns === undefined) return deny('upstream_not_granted');
    if (!patterns.includes('*')) return deny(REASONS[kind]);
  }
  return ALLOW;
}

export function isTaskMethod(method: string): boolean {
  return method.startsWith('tasks/');
}

/** The upstreams of which a key may use anything at all, in the order of its grants. */
export function upstreamsInScope({ tools, resources, prompts }: McpGrants): string[] {
  const upstreams = new Set<string>();
  for (const granted of [tools, resources, prompts])
    for (const [upstream, patterns] of granted) if (patterns.length > 0) upstreams.add(upstream);
  return [...upstreams];
}
