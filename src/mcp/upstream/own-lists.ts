// What one client sees of servers that change what they offer within a session: once a server said in its session that
// a list changed, what it lists there is this client's alone.
import { ProtocolError } from '@modelcontextprotocol/client';
import { canonicalJson } from '../../lib/canonical-json.ts';
import { describeFault, log } from '../../lib/log.ts';
import type { Upstream } from '../../policy/snapshot.ts';
import type { Catalog, UpstreamView, UpstreamViews } from '../ports.ts';
import { listCatalog, type CatalogLimits, type Lister } from './list-catalog.ts';
import type { LegacyLink } from './legacy-link.ts';
import { fingerprintOf } from './probe.ts';
import type { SessionStore } from './session-store.ts';

const PAGE_MS = 10_000;

export interface OwnListsOptions {
  readonly store: SessionStore;
  readonly limits: () => Promise<CatalogLimits>;
  readonly link: (upstream: Upstream) => LegacyLink | Promise<LegacyLink>;
  readonly now: () => number;
}

interface Own {
  /** Undefined until first listed. */
  catalog?: Catalog;
  isStale: boolean;
  listing?: Promise<void>;
}

export class OwnLists {
  readonly #options: OwnListsOptions;
  /** By fingerprint of the upstream's definition. */
  readonly #own = new Map<string, Own>();
  /** Those of which the store said at the beginning that they have none; only this object changes that. */
  readonly #without = new Set<string>();

  constructor(options: OwnListsOptions) {
    this.#options = options;
  }

  /** The server said so in this client's session. */
  changed({ fingerprint }: Upstream): void {
    const own = this.#own.get(fingerprint);
    if (own === undefined) this.#own.set(fingerprint, { isStale: true });
    else own.isStale = true;
  }

  /** Where this client's lists stand in the place of what all clients see. */
  over(base: UpstreamViews): UpstreamViews {
    const withOwn = async (upstream: Upstream, deadlineMs: number, view: UpstreamView): Promise<UpstreamView> => {
      const own = await this.catalog(upstream, deadlineMs);
      if (own === undefined || view.catalog === undefined) return view;
      return { ...view, catalog: vouchedFor(upstream, own, view.catalog) };
    };
    return {
      view: async (upstream, deadlineMs) => withOwn(upstream, deadlineMs, await base.view(upstream, deadlineMs)),
      refresh: async (upstream, deadlineMs) => {
        if (this.#has(upstream)) this.changed(upstream);
        return withOwn(upstream, deadlineMs, await base.refresh(upstream, deadlineMs));
      },
      relist: (upstream) => base.relist(upstream),
      report: (upstream, outcome) => base.report(upstream, outcome),
    };
  }

  /** Waits for a listing that is due, at most `deadlineMs`; what was listed before serves meanwhile. */
  async catalog(upstream: Upstream, deadlineMs: number): Promise<Catalog | undefined> {
    if (!this.#has(upstream)) return undefined;
    const own = this.#own.get(upstream.fingerprint) ?? { isStale: true };
    this.#own.set(upstream.fingerprint, own);
    // What is being listed is newer than what is held, and may yet be older than the change that led here.
    if (own.listing !== undefined) await Promise.race([own.listing, scheduler.wait(deadlineMs)]);
    if (own.isStale) {
      own.listing ??= this.#list(upstream, own).finally(() => {
        delete own.listing;
      });
      await Promise.race([own.listing, scheduler.wait(deadlineMs)]);
    }
    return own.catalog;
  }

  /** After a restart the session kept says whether it had lists of its own. */
  #has(upstream: Upstream): boolean {
    const { fingerprint } = upstream;
    if (this.#own.has(fingerprint)) return true;
    if (this.#without.has(fingerprint)) return false;
    if (this.#options.store.get(upstream)?.hasOwnLists === true) return true;
    this.#without.add(fingerprint);
    return false;
  }

  async #list(upstream: Upstream, own: Own): Promise<void> {
    const { link, limits, now } = this.#options;
    own.isStale = false;
    try {
      const { session } = await (await link(upstream)).open();
      const { capabilities, serverInfo, instructions } = session.known;
      const signal = AbortSignal.timeout(PAGE_MS);
      const lister: Lister = {
        request: async ({ method, params }, page) => {
          const answer = await session.request({ method, params, signal, wantsProgress: false }, PAGE_MS);
          if (!('error' in answer)) return page.parse(answer.result);
          throw ProtocolError.fromError(answer.error.code, answer.error.message, answer.error.data);
        },
      };
      const options = { signal, timeout: PAGE_MS };
      const offered = await listCatalog(lister, { capabilities, era: 'legacy' }, await limits(), options);
      const described = {
        ...offered,
        era: 'legacy' as const,
        capabilities,
        ...(serverInfo !== undefined && { serverInfo }),
        ...(instructions !== undefined && { instructions }),
      };
      own.catalog = { ...described, fingerprint: await fingerprintOf(described), at: now() };
    } catch (error) {
      // What was listed before, or what all clients see, serves until the server can be asked again.
      own.isStale = true;
      log('warn', 'upstream.not_listed', { upstream: upstream.name, fault: describeFault(error) });
    }
  }
}

/** Where definitions wait for approval, or may be withheld, a session brings none that the others do not see. */
export function vouchedFor(upstream: Upstream, own: Catalog, shared: Catalog): Catalog {
  if (upstream.trust !== 'pinned' && upstream.scan !== 'block') return own;
  const seen = new Map(shared.tools.map((tool) => [tool.name, canonicalJson(tool)]));
  return { ...own, tools: own.tools.filter((tool) => seen.get(tool.name) === canonicalJson(tool)) };
}
