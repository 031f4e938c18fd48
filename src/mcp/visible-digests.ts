// What a scope shows of each kind, as a text that changes when it does. An unchanged world costs next to nothing: a
// catalog is plain data that outlives requests, and so is what it looks like through the same grants.
import { encodeBase64Url } from '../lib/base64url.ts';
import { keepFresh, visibleNamed } from './catalog.ts';
import { DISCOVERY_DEADLINE_MS } from './limits.ts';
import type { Catalog, UpstreamViews } from './ports.ts';
import { isGranted, type Grant, type ItemKind, type Scope } from './scope.ts';

/** `resources` tells of templates too. */
export type VisibleDigests = Readonly<Record<ItemKind, string>>;

const KINDS = ['tools', 'resources', 'prompts'] as const satisfies readonly ItemKind[];
/** Of one catalog: how many different grants are remembered. Many keys share one. */
const MOST_GRANTS = 64;
/** Of a digest, enough that no two lists share one by chance. */
const DIGEST_BYTES = 16;

/** By catalog, and by kind and grants. */
const known = new WeakMap<Catalog, Map<string, string>>();

interface Look {
  readonly catalogs: readonly (Catalog | undefined)[];
  readonly digests: VisibleDigests;
}
/** Whoever looks again has the scope it had. */
const lastLooks = new WeakMap<Scope, Look>();

export async function visibleDigests(scope: Scope, views: UpstreamViews): Promise<VisibleDigests> {
  const grants = [...scope.grants.values()];
  const catalogs = await Promise.all(
    grants.map(async (grant) => {
      const { catalog } = await views.view(grant.upstream, DISCOVERY_DEADLINE_MS);
      for (const kind of KINDS) keepFresh(kind, catalog, grant, views);
      return catalog;
    }),
  );
  const last = lastLooks.get(scope);
  if (last?.catalogs.every((catalog, index) => catalog === catalogs[index]) === true) return last.digests;
  const [tools, resources, prompts] = await Promise.all([
    joinedDigests('tools', scope, catalogs),
    joinedDigests('resources', scope, catalogs),
    joinedDigests('prompts', scope, catalogs),
  ]);
  const digests = { tools, resources, prompts };
  lastLooks.set(scope, { catalogs, digests });
  return digests;
}

async function joinedDigests(kind: ItemKind, { grants, naming }: Scope, catalogs: Look['catalogs']): Promise<string> {
  const digests = await Promise.all(
    Array.from(grants.values(), async (grant, index) => {
      const catalog = catalogs[index];
      const digest = catalog === undefined ? '' : await digestOf(kind, catalog, grant, naming);
      // Who shows nothing is as good as not there.
      return digest === '' ? [] : [`${grant.upstream.name}:${digest}`];
    }),
  );
  return digests.flat().join(' ');
}

function digestOf(kind: ItemKind, catalog: Catalog, grant: Grant, naming: Scope['naming']): string | Promise<string> {
  const digests = known.get(catalog) ?? new Map<string, string>();
  known.set(catalog, digests);
  const key = JSON.stringify([kind, naming, grant[kind], kind === 'tools' ? grant.shownTools : undefined]);
  return digests.get(key) ?? computeDigest(digests, key, visibleItems(kind, catalog, grant, naming));
}

function visibleItems(kind: ItemKind, catalog: Catalog, grant: Grant, naming: Scope['naming']): readonly unknown[] {
  if (kind !== 'resources') return visibleNamed(kind, catalog, grant, naming).map(({ definition }) => definition);
  const { resources = [], resourceTemplates = [] } = catalog;
  return [
    ...resources.filter(({ uri }) => isGranted(grant, kind, uri)),
    ...resourceTemplates.filter(({ uriTemplate }) => isGranted(grant, kind, uriTemplate)),
  ];
}

/** What is kept is the text, not its promise: a promise belongs to the request that made it. */
async function computeDigest(digests: Map<string, string>, key: string, items: readonly unknown[]): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(items));
  const hash = items.length === 0 ? undefined : await crypto.subtle.digest('SHA-256', bytes);
  const digest = hash === undefined ? '' : encodeBase64Url(new Uint8Array(hash, 0, DIGEST_BYTES));
  if (digests.size >= MOST_GRANTS) digests.clear();
  digests.set(key, digest);
  return digest;
}
