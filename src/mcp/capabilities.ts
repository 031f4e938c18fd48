// What an endpoint can do for this key: what the upstreams in its scope declare, as far as the key is granted any of it.
import type { ServerCapabilities } from '@modelcontextprotocol/server';
import { isObject, type JsonObject } from '../lib/json-value.ts';
import type { ClientRequest } from './client-request.ts';
import { DISCOVERY_DEADLINE_MS } from './limits.ts';
import type { Catalog } from './ports.ts';
import { grantsAll, grantsAny, type Grant } from './scope.ts';

export const TASKS_EXTENSION = 'io.modelcontextprotocol/tasks';
const UI_EXTENSION = 'io.modelcontextprotocol/ui';
/** Those whose parts stay with the item they belong to, so that several servers can have them side by side. */
const SHARED_EXTENSIONS: ReadonlySet<string> = new Set([TASKS_EXTENSION, UI_EXTENSION]);
const KINDS = ['tools', 'resources', 'prompts'] as const;

/** Every list that is there is watched for changes, whether or not its server would tell of them. */
export async function offeredCapabilities({
  caller,
  upstreamViews,
}: Pick<ClientRequest, 'caller' | 'upstreamViews'>): Promise<ServerCapabilities> {
  const { naming, grants } = caller.scope;
  const offered = await Promise.all(
    [...grants.values()].map(async (grant) => {
      const { catalog } = await upstreamViews.view(grant.upstream, DISCOVERY_DEADLINE_MS);
      // Who has not come up yet is most likely a server of tools.
      if (catalog === undefined) return grantsAny(grant, 'tools') ? { tools: { listChanged: true } } : {};
      const own = capabilitiesOf(catalog, grant);
      return naming === 'wire' ? own : sharedCapabilities(own);
    }),
  );
  const nothing: JsonObject = naming === 'wire' ? {} : { tools: { listChanged: true } };
  return offered.reduce<JsonObject>(united, nothing);
}

/** Of one server, under its own names. */
export function capabilitiesOf(catalog: Catalog, grant: Grant): JsonObject {
  const declared: JsonObject = { ...catalog.capabilities };
  const offered: Record<string, unknown> = { ...declared };
  for (const kind of KINDS) {
    const capability = declared[kind];
    if (isObject(capability) && grantsAny(grant, kind)) offered[kind] = { ...capability, listChanged: true };
    else delete offered[kind];
  }
  if (!('prompts' in offered) && !('resources' in offered)) delete offered['completions'];
  if (!('tools' in offered)) delete offered['tasks'];
  const extensions = extensionsFor(declared['extensions'], grant);
  delete offered['extensions'];
  return extensions === undefined ? offered : { ...offered, extensions };
}

/** Methods of extensions that nothing is known of are for keys that may use all of a server. */
function extensionsFor(declared: unknown, grant: Grant): JsonObject | undefined {
  if (!isObject(declared)) return undefined;
  const usable = (name: string): boolean =>
    SHARED_EXTENSIONS.has(name) ? grantsAny(grant, 'tools') : grantsAll(grant);
  const kept = Object.entries(declared).filter(([name]) => usable(name));
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

/** Of one server among several: what can be told apart by names. */
function sharedCapabilities({ experimental: _experimental, extensions, tasks, ...rest }: JsonObject): JsonObject {
  const kept = Object.entries(isObject(extensions) ? extensions : {}).filter(([name]) => SHARED_EXTENSIONS.has(name));
  const { list: _list, ...withoutList } = isObject(tasks) ? tasks : {};
  return {
    ...rest,
    ...(isObject(tasks) && { tasks: withoutList }),
    ...(kept.length > 0 && { extensions: Object.fromEntries(kept) }),
  };
}

/** What either has; of what both have, the members of both. */
function united(one: JsonObject, other: JsonObject): JsonObject {
  const both: Record<string, unknown> = { ...one };
  for (const [name, value] of Object.entries(other)) {
    const held = both[name];
    both[name] = isObject(held) && isObject(value) ? united(held, value) : held === true ? true : value;
  }
  return both;
}
