// Which server a URI leads to, and under which URI a server's resource is shown, so that one leads back to the other. A
// URI is a server's when it lists it or has a template for it; one that two servers claim leads to neither, so that none
// can take another's place.
import type { Catalog, UpstreamViews } from './ports.ts';
import { DISCOVERY_DEADLINE_MS } from './limits.ts';
import {
  literalsOf,
  mayExpandTo,
  mayOverlap,
  parseQualifiedUri,
  qualifyUri,
  type TemplateLiterals,
} from './resource-uri.ts';
import { isGranted, type Grant, type Scope } from './scope.ts';

export interface ResourceTarget {
  readonly grant: Grant;
  /** The upstream's own. */
  readonly uri: string;
}

export interface ResourceMap {
  /** @returns undefined where the URI leads nowhere within the scope, or might lead to several servers */
  find(shownUri: string): ResourceTarget | undefined;
  /** Under which URI the client reads what the upstream calls so. */
  show(upstream: string, uri: string): string;
  showTemplate(upstream: string, uriTemplate: string): string;
  /** The reverse of `showTemplate`. */
  findTemplate(shownTemplate: string): ResourceTarget | undefined;
}

interface Claimant {
  readonly grant: Grant;
  readonly listed: ReadonlySet<string>;
  readonly templates: ReadonlyMap<string, TemplateLiterals>;
  readonly hasResources: boolean;
}

export async function resourceMap(scope: Scope, views: UpstreamViews): Promise<ResourceMap> {
  const [sole] = scope.grants.values();
  if (scope.naming === 'wire') return wireMap(sole);
  const catalogs = await Promise.all(
    [...scope.grants.values()].map(async (grant) => {
      const { catalog } = await views.view(grant.upstream, DISCOVERY_DEADLINE_MS);
      return [grant, catalog] as const;
    }),
  );
  return sharedMap(catalogs);
}

/** One server under its own URIs. */
function wireMap(sole: Grant | undefined): ResourceMap {
  const find = (uri: string): ResourceTarget | undefined =>
    sole !== undefined && isGranted(sole, 'resources', uri) ? { grant: sole, uri } : undefined;
  const asItIs = (_upstream: string, uri: string): string => uri;
  return { find, findTemplate: find, show: asItIs, showTemplate: asItIs };
}

/** Several servers in one list. */
export function sharedMap(catalogs: Iterable<readonly [Grant, Catalog | undefined]>): ResourceMap {
  const claimants = new Map<string, Claimant>();
  for (const [grant, catalog] of catalogs) claimants.set(grant.upstream.name, claimantOf(grant, catalog));

  const qualified = (shown: string): ResourceTarget | undefined => {
    const parsed = parseQualifiedUri(shown);
    const claimant = claimants.get(parsed?.upstream ?? '');
    return parsed === undefined || claimant === undefined ? undefined : { grant: claimant.grant, uri: parsed.uri };
  };
  const only = (uri: string, claims: (claimant: Claimant) => boolean): ResourceTarget | 'several' | undefined => {
    let found: ResourceTarget | undefined;
    for (const claimant of claimants.values()) {
      if (!isGranted(claimant.grant, 'resources', uri) || !claims(claimant)) continue;
      if (found !== undefined) return 'several';
      found = { grant: claimant.grant, uri };
    }
    return found;
  };
  const granted = (target: ResourceTarget | 'several' | undefined): ResourceTarget | undefined =>
    target !== undefined && target !== 'several' && isGranted(target.grant, 'resources', target.uri)
      ? target
      : undefined;

  const find = (uri: string): ResourceTarget | undefined =>
    granted(
      qualified(uri) ?? only(uri, (claimant) => claims(claimant, uri)) ?? only(uri, ({ hasResources }) => hasResources),
    );
  const findTemplate = (template: string): ResourceTarget | undefined =>
    granted(qualified(template) ?? only(template, ({ templates }) => templates.has(template)));

  return {
    find,
    findTemplate,
    show(upstream, uri) {
      const found = find(uri);
      if (found === undefined && claimants.get(upstream)?.hasResources !== true) return uri;
      return leadsTo(found, upstream, uri) ? uri : qualifyUri(upstream, uri);
    },
    showTemplate(upstream, template) {
      const literals = literalsOf(template);
      const contested = [...claimants].some(
        ([name, { templates }]) =>
          name !== upstream && [...templates.values()].some((other) => mayOverlap(literals, other)),
      );
      const leadsBack = !contested && leadsTo(findTemplate(template), upstream, template);
      return leadsBack ? template : qualifyUri(upstream, template);
    },
  };
}

function leadsTo(target: ResourceTarget | undefined, upstream: string, uri: string): boolean {
  return target?.grant.upstream.name === upstream && target.uri === uri;
}

function claims({ listed, templates }: Claimant, uri: string): boolean {
  if (listed.has(uri)) return true;
  for (const literals of templates.values()) if (mayExpandTo(literals, uri)) return true;
  return false;
}

// A catalog is plain data that outlives requests, and so may what is derived from it.
const indexed = new WeakMap<Catalog, Omit<Claimant, 'grant'>>();

function claimantOf(grant: Grant, catalog: Catalog | undefined): Claimant {
  if (catalog === undefined) return { grant, listed: new Set(), templates: new Map(), hasResources: true };
  const known = indexed.get(catalog);
  if (known !== undefined) return { grant, ...known };
  const index = {
    listed: new Set((catalog.resources ?? []).map(({ uri }) => uri)),
    templates: new Map(
      (catalog.resourceTemplates ?? []).map(({ uriTemplate }) => [uriTemplate, literalsOf(uriTemplate)]),
    ),
    hasResources: catalog.capabilities.resources !== undefined,
  };
  indexed.set(catalog, index);
  return { grant, ...index };
}
