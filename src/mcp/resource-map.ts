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

type Found = ResourceTarget | 'several' | undefined;

export async function resourceMap(scope: Scope, views: UpstreamViews): Promise<ResourceMap> {
  const [sole] = scope.grants.values();
  if (scope.naming === 'wire') return new WireResources(sole);
  const catalogs = await Promise.all(
    [...scope.grants.values()].map(async (grant) => {
      const { catalog } = await views.view(grant.upstream, DISCOVERY_DEADLINE_MS);
      return [grant, catalog] as const;
    }),
  );
  return new SharedResources(catalogs);
}

/** Where the URI itself says which server it is of, whether or not anything of it is granted. */
export function addressedResource({ naming, grants }: Scope, shownUri: string): ResourceTarget | undefined {
  const [sole] = grants.values();
  if (naming === 'wire') return sole && { grant: sole, uri: shownUri };
  const parsed = parseQualifiedUri(shownUri);
  const grant = grants.get(parsed?.upstream ?? '');
  return parsed && grant && { grant, uri: parsed.uri };
}

/** One server under its own URIs. */
export class WireResources implements ResourceMap {
  readonly #sole: Grant | undefined;

  constructor(sole: Grant | undefined) {
    this.#sole = sole;
  }

  find(uri: string): ResourceTarget | undefined {
    const grant = this.#sole;
    return grant !== undefined && isGranted(grant, 'resources', uri) ? { grant, uri } : undefined;
  }

  findTemplate(uriTemplate: string): ResourceTarget | undefined {
    return this.find(uriTemplate);
  }

  show(_upstream: string, uri: string): string {
    return uri;
  }

  showTemplate(_upstream: string, uriTemplate: string): string {
    return uriTemplate;
  }
}

/** Several servers in one list. */
export class SharedResources implements ResourceMap {
  readonly #claimants: ReadonlyMap<string, Claimant>;

  constructor(catalogs: Iterable<readonly [Grant, Catalog | undefined]>) {
    this.#claimants = new Map(
      Array.from(catalogs, ([grant, catalog]) => [grant.upstream.name, claimantOf(grant, catalog)]),
    );
  }

  find(shownUri: string): ResourceTarget | undefined {
    const found =
      this.#named(shownUri) ??
      this.#only(shownUri, (claimant) => claims(claimant, shownUri)) ??
      this.#only(shownUri, ({ hasResources }) => hasResources);
    return granted(found);
  }

  findTemplate(shownTemplate: string): ResourceTarget | undefined {
    const found =
      this.#named(shownTemplate) ?? this.#only(shownTemplate, ({ templates }) => templates.has(shownTemplate));
    return granted(found);
  }

  show(upstream: string, uri: string): string {
    const found = this.find(uri);
    // A server without resources names things that nobody can read anyway.
    if (found === undefined && this.#claimants.get(upstream)?.hasResources !== true) return uri;
    return leadsTo(found, upstream, uri) ? uri : qualifyUri(upstream, uri);
  }

  showTemplate(upstream: string, uriTemplate: string): string {
    const literals = literalsOf(uriTemplate);
    const isContested = [...this.#claimants].some(
      ([name, { templates }]) =>
        name !== upstream && [...templates.values()].some((other) => mayOverlap(literals, other)),
    );
    const leadsBack = !isContested && leadsTo(this.findTemplate(uriTemplate), upstream, uriTemplate);
    return leadsBack ? uriTemplate : qualifyUri(upstream, uriTemplate);
  }

  /** Where the URI names its server itself. */
  #named(shown: string): ResourceTarget | undefined {
    const parsed = parseQualifiedUri(shown);
    const claimant = this.#claimants.get(parsed?.upstream ?? '');
    return parsed === undefined || claimant === undefined ? undefined : { grant: claimant.grant, uri: parsed.uri };
  }

  #only(uri: string, isCandidate: (claimant: Claimant) => boolean): Found {
    let found: ResourceTarget | undefined;
    for (const claimant of this.#claimants.values()) {
      if (!isGranted(claimant.grant, 'resources', uri) || !isCandidate(claimant)) continue;
      if (found !== undefined) return 'several';
      found = { grant: claimant.grant, uri };
    }
    return found;
  }
}

function granted(found: Found): ResourceTarget | undefined {
  if (found === undefined || found === 'several') return undefined;
  return isGranted(found.grant, 'resources', found.uri) ? found : undefined;
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
