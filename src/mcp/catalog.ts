// What all upstreams in a scope offer as one list of each kind, under the names by which the client asks for it.
import type { Prompt, Resource, ResourceTemplateType as ResourceTemplate, Tool } from '@modelcontextprotocol/server';
import { matchesAny } from '../policy/patterns.ts';
import { DISCOVERY_DEADLINE_MS } from './limits.ts';
import { withoutPlan } from './openapi/plan.ts';
import type { Catalog, UpstreamViews } from './ports.ts';
import { SharedResources, WireResources, type ResourceMap } from './resource-map.ts';
import { isGranted, type Grant, type ItemKind, type Scope } from './scope.ts';
import { namePrefix, qualifyNames } from './tool-name.ts';

/** A tool or prompt. */
export interface Shown<T> {
  /** Wire name at its upstream. */
  readonly wireName: string;
  /** The upstream's definition whole, under the name shown. */
  readonly definition: T;
}
export type ShownTool = Shown<Tool>;

interface ShownList<T> {
  /** In the order of their names: an order that stays keeps a model's prompt cache. */
  readonly items: readonly Shown<T>[];
  readonly byShownName: ReadonlyMap<string, Shown<T>>;
  readonly byWireName: ReadonlyMap<string, Shown<T>>;
}

type NamedKind = 'tools' | 'prompts';
interface Named {
  readonly tools: Tool;
  readonly prompts: Prompt;
}

/** All tools in the scope, in one order whatever upstreams answer first. Who has no catalog adds nothing. */
export function toolsInScope(scope: Scope, views: UpstreamViews): Promise<ShownTool[]> {
  return namedInScope('tools', scope, views);
}

export function promptsInScope(scope: Scope, views: UpstreamViews): Promise<Shown<Prompt>[]> {
  return namedInScope('prompts', scope, views);
}

/** In the order of upstreams and, of each, in its own. */
export async function resourcesInScope(scope: Scope, views: UpstreamViews): Promise<Resource[]> {
  const catalogs = await catalogsOf('resources', scope, views);
  const map = mapOf(scope, catalogs);
  const shown = (upstream: string, resource: Resource): Resource => {
    const uri = map.show(upstream, resource.uri);
    return uri === resource.uri ? resource : { ...resource, uri };
  };
  return catalogs.flatMap(([grant, catalog]) =>
    firstOfEach(catalog?.resources ?? [], ({ uri }) => uri)
      .filter(({ uri }) => isGranted(grant, 'resources', uri))
      .map((resource) => shown(grant.upstream.name, resource)),
  );
}

export async function resourceTemplatesInScope(scope: Scope, views: UpstreamViews): Promise<ResourceTemplate[]> {
  const catalogs = await catalogsOf('resources', scope, views);
  const map = mapOf(scope, catalogs);
  const shown = (upstream: string, template: ResourceTemplate): ResourceTemplate => {
    const uriTemplate = map.showTemplate(upstream, template.uriTemplate);
    return uriTemplate === template.uriTemplate ? template : { ...template, uriTemplate };
  };
  return catalogs.flatMap(([grant, catalog]) =>
    firstOfEach(catalog?.resourceTemplates ?? [], ({ uriTemplate }) => uriTemplate)
      .filter(({ uriTemplate }) => isGranted(grant, 'resources', uriTemplate))
      .map((template) => shown(grant.upstream.name, template)),
  );
}

function mapOf({ naming }: Scope, catalogs: readonly (readonly [Grant, Catalog | undefined])[]): ResourceMap {
  return naming === 'wire' ? new WireResources(catalogs[0]?.[0]) : new SharedResources(catalogs);
}

/** What a scope shows of one upstream's tools or prompts. */
export function visibleNamed<K extends NamedKind>(
  kind: K,
  catalog: Catalog,
  grant: Grant,
  naming: Scope['naming'],
): readonly Shown<Named[K]>[] {
  const { items } = showNamed(kind, catalog, grant.upstream.name, naming);
  return items.filter((item) => isVisible(kind, item, grant));
}

/** @returns undefined where the upstream has no such thing, or the scope does not show it */
export function findByWireName<K extends NamedKind>(
  kind: K,
  catalog: Catalog,
  grant: Grant,
  { naming, name }: { readonly naming: Scope['naming']; readonly name: string },
): Shown<Named[K]> | undefined {
  const item = showNamed(kind, catalog, grant.upstream.name, naming).byWireName.get(name);
  return item !== undefined && isVisible(kind, item, grant) ? item : undefined;
}

export function showNamed<K extends NamedKind>(
  kind: K,
  catalog: Catalog,
  upstream: string,
  naming: Scope['naming'],
): ShownList<Named[K]> {
  const known = shownLists[kind][naming].get(catalog);
  if (known !== undefined) return known;
  const items = (kind === 'tools' ? catalog.tools.map(withoutPlan) : (catalog.prompts ?? [])) as readonly Named[K][];
  const shown = showItems(items, upstream, naming);
  shownLists[kind][naming].set(catalog, shown);
  return shown;
}

/**
 * Where a server does not tell when a list changes, another listing is begun behind whoever looks: what is known serves
 * now, and the next look sees what is new.
 */
export function keepFresh(
  kind: ItemKind,
  catalog: Catalog | undefined,
  { upstream }: Grant,
  views: UpstreamViews,
): void {
  const declared = catalog?.capabilities[kind];
  if (declared !== undefined && declared.listChanged !== true) views.relist(upstream);
}

// A catalog is plain data that outlives requests, and so may what is derived from it.
const shownLists: { readonly [K in NamedKind]: Record<Scope['naming'], WeakMap<Catalog, ShownList<Named[K]>>> } = {
  tools: { qualified: new WeakMap(), wire: new WeakMap() },
  prompts: { qualified: new WeakMap(), wire: new WeakMap() },
};

function showItems<T extends { readonly name: string }>(
  items: readonly T[],
  upstream: string,
  naming: Scope['naming'],
): ShownList<T> {
  const definitions = new Map<string, T>();
  // Of two with one name the first is the one that is called.
  for (const item of items) if (!definitions.has(item.name)) definitions.set(item.name, item);
  const names =
    naming === 'qualified'
      ? qualifyNames(upstream, definitions.keys())
      : new Map([...definitions.keys()].map((name) => [name, name]));
  const byShownName = new Map<string, Shown<T>>();
  const byWireName = new Map<string, Shown<T>>();
  for (const [shownName, wireName] of [...names].toSorted(([one], [other]) => (one < other ? -1 : 1))) {
    const definition = definitions.get(wireName);
    if (definition === undefined) continue;
    const item = { wireName, definition: { ...definition, name: shownName } };
    byShownName.set(shownName, item);
    byWireName.set(wireName, item);
  }
  return { items: [...byShownName.values()], byShownName, byWireName };
}

async function namedInScope<K extends NamedKind>(
  kind: K,
  scope: Scope,
  views: UpstreamViews,
): Promise<Shown<Named[K]>[]> {
  const catalogs = await catalogsOf(kind, scope, views);
  return catalogs.flatMap(([grant, catalog]) =>
    catalog === undefined ? [] : visibleNamed(kind, catalog, grant, scope.naming),
  );
}

/** In the order of what their names begin with. */
async function catalogsOf(
  kind: ItemKind,
  { grants }: Scope,
  views: UpstreamViews,
): Promise<(readonly [Grant, Catalog | undefined])[]> {
  const catalogs = await Promise.all(
    [...grants].map(async ([name, grant]) => {
      const { catalog } = await views.view(grant.upstream, DISCOVERY_DEADLINE_MS);
      keepFresh(kind, catalog, grant, views);
      return [namePrefix(name), [grant, catalog] as const] as const;
    }),
  );
  return catalogs.toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, found]) => found);
}

function isVisible(kind: NamedKind, item: Shown<{ readonly name: string }>, grant: Grant): boolean {
  if (!isGranted(grant, kind, item.wireName)) return false;
  const { shownTools } = grant;
  return kind !== 'tools' || shownTools === undefined || matchesAny(shownTools, item.definition.name);
}

function firstOfEach<T>(items: readonly T[], key: (item: T) => string): T[] {
  const first = new Map<string, T>();
  for (const item of items) if (!first.has(key(item))) first.set(key(item), item);
  return [...first.values()];
}
