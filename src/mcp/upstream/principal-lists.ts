// A principal's own lists at legacy servers, as one isolate knows them: asked of the object that has the session, kept
// as plain data, so that most listings are answered from memory.
import { describeFault, log } from '../../lib/log.ts';
import type { Upstream } from '../../policy/snapshot.ts';
import type { Catalog, UpstreamView, UpstreamViews } from '../ports.ts';
import { vouchedFor } from './own-lists.ts';

/** Where there are lists of its own: another isolate may have been told of a change that this one was not. */
const FRESH_MS = 10_000;
const MOST_KNOWN = 10_000;

interface Known {
  readonly catalog: Catalog | undefined;
  readonly until: number;
}

/** By name of the object and fingerprint of the upstream. */
const known = new Map<string, Known>();

export interface PrincipalListsOptions {
  /** The name of the object that has the principal's session at this upstream. */
  readonly nameOf: (upstream: Upstream) => Promise<string>;
  /** Asks it. @param have the fingerprint of what is known already, whose answer is `unchanged` */
  readonly ask: (
    name: string,
    upstream: Upstream,
    have: string | undefined,
  ) => Promise<{ readonly catalog?: Catalog; readonly unchanged?: true }>;
  readonly now: () => number;
}

export class PrincipalLists {
  readonly #options: PrincipalListsOptions;

  constructor(options: PrincipalListsOptions) {
    this.#options = options;
  }

  /** What is known may not hold any more. */
  async changed(upstream: Upstream): Promise<void> {
    const key = keyOf(await this.#options.nameOf(upstream), upstream);
    const held = known.get(key);
    if (held?.catalog === undefined) known.delete(key);
    else known.set(key, { catalog: held.catalog, until: 0 });
  }

  /** Where the principal's lists stand in the place of what all see. */
  over(base: UpstreamViews): UpstreamViews {
    const withOwn = async (upstream: Upstream, view: UpstreamView): Promise<UpstreamView> => {
      // Servers of 2026-07-28 list the same in every connection, and what is not known yet has no session.
      if (view.catalog?.era !== 'legacy') return view;
      const own = await this.#own(upstream);
      return own === undefined ? view : { ...view, catalog: vouchedFor(upstream, own, view.catalog) };
    };
    return {
      view: async (upstream, deadlineMs) => withOwn(upstream, await base.view(upstream, deadlineMs)),
      refresh: async (upstream, deadlineMs) => {
        await this.changed(upstream);
        return withOwn(upstream, await base.refresh(upstream, deadlineMs));
      },
      relist: (upstream) => base.relist(upstream),
      report: (upstream, outcome) => base.report(upstream, outcome),
    };
  }

  async #own(upstream: Upstream): Promise<Catalog | undefined> {
    const { nameOf, ask, now } = this.#options;
    const name = await nameOf(upstream);
    const key = keyOf(name, upstream);
    const held = known.get(key);
    if (held !== undefined && now() < held.until) return held.catalog;
    try {
      const { catalog, unchanged } = await ask(name, upstream, held?.catalog?.fingerprint);
      const current = unchanged === true ? held?.catalog : catalog;
      // Without lists of its own it is told of the first change by the call or the listener that brings it.
      remember(key, { catalog: current, until: current === undefined ? Infinity : now() + FRESH_MS });
      return current;
    } catch (fault) {
      log('warn', 'principal.unlisted', { upstream: upstream.name, fault: describeFault(fault) });
      return held?.catalog;
    }
  }
}

function keyOf(name: string, { fingerprint }: Upstream): string {
  return JSON.stringify([name, fingerprint]);
}

function remember(key: string, entry: Known): void {
  known.delete(key);
  known.set(key, entry);
  const [oldest] = known.keys();
  if (known.size > MOST_KNOWN && oldest !== undefined) known.delete(oldest);
}
