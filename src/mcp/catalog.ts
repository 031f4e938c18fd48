// The tools of all upstreams in a scope as one list, under the names by which they are called.
import type { Tool } from '@modelcontextprotocol/server';
import { DISCOVERY_DEADLINE_MS } from './limits.ts';
import { withoutPlan } from './openapi/plan.ts';
import type { Catalog, UpstreamViews } from './ports.ts';
import { isGranted, type Grant, type Scope } from './scope.ts';
import { namePrefix, qualifyTools } from './tool-name.ts';

export interface ShownTool {
  /** Wire name at its upstream. */
  readonly wireName: string;
  /** The upstream's definition whole, under the name shown. */
  readonly definition: Tool;
}

interface ShownCatalog {
  /** In the order of their names: an order that stays keeps a model's prompt cache. */
  readonly tools: readonly ShownTool[];
  readonly byShownName: ReadonlyMap<string, ShownTool>;
  readonly byWireName: ReadonlyMap<string, ShownTool>;
}

/** All tools in the scope, in one order whatever upstreams answer first. Who has no catalog adds nothing. */
export async function toolsInScope(scope: Scope, views: UpstreamViews): Promise<ShownTool[]> {
  const lists = await Promise.all(
    [...scope.grants].map(async ([name, grant]) => {
      const { catalog } = await views.view(grant.upstream, DISCOVERY_DEADLINE_MS);
      const tools = catalog === undefined ? [] : visible(showCatalog(catalog, name, scope.naming).tools, grant);
      return { prefix: namePrefix(name), tools };
    }),
  );
  return lists.toSorted((one, other) => (one.prefix < other.prefix ? -1 : 1)).flatMap(({ tools }) => tools);
}

// A catalog is plain data that outlives requests, and so may what is derived from it.
const shownCatalogs = {
  qualified: new WeakMap<Catalog, ShownCatalog>(),
  wire: new WeakMap<Catalog, ShownCatalog>(),
};

export function showCatalog(catalog: Catalog, upstream: string, naming: Scope['naming']): ShownCatalog {
  const known = shownCatalogs[naming].get(catalog);
  if (known !== undefined) return known;
  const definitions = new Map<string, Tool>();
  // Of two tools with one name the first is the one that is called.
  for (const tool of catalog.tools) if (!definitions.has(tool.name)) definitions.set(tool.name, tool);
  const names =
    naming === 'qualified'
      ? qualifyTools(upstream, definitions.keys())
      : new Map([...definitions.keys()].map((name) => [name, name]));
  const byShownName = new Map<string, ShownTool>();
  const byWireName = new Map<string, ShownTool>();
  for (const [shownName, wireName] of [...names].toSorted(([one], [other]) => (one < other ? -1 : 1))) {
    const definition = definitions.get(wireName);
    if (definition === undefined) continue;
    const tool = { wireName, definition: { ...withoutPlan(definition), name: shownName } };
    byShownName.set(shownName, tool);
    byWireName.set(wireName, tool);
  }
  const shown = { tools: [...byShownName.values()], byShownName, byWireName };
  shownCatalogs[naming].set(catalog, shown);
  return shown;
}

function visible(tools: readonly ShownTool[], grant: Grant): readonly ShownTool[] {
  return tools.filter((tool) => isGranted(grant, 'tools', tool.wireName));
}
