// Reads and approves tool definitions at the objects that keep them.
import type { Env } from '../../env.ts';
import { describeFault, log } from '../../lib/log.ts';
import type { DefinitionRecords } from '../../trust/ports.ts';
import { upstreamHealth } from './upstream-health.ts';
import { expireView } from './upstream-views.ts';

const NAMES_FRESH_MS = 60_000;

interface Names {
  readonly names: readonly string[];
  /** Milliseconds since the epoch. */
  readonly askedAt: number;
}

/** Of this isolate. Every server's names are wanted by every other's listing. */
const held = new Map<string, Names>();

export function createDefinitionRecords(env: Pick<Env, 'UPSTREAM_HEALTH'>, now: () => number): DefinitionRecords {
  async function namesOf(upstream: string): Promise<readonly string[]> {
    const known = held.get(upstream);
    if (known !== undefined && now() - known.askedAt < NAMES_FRESH_MS) return known.names;
    try {
      const names = await upstreamHealth(env, upstream).toolNames();
      // A server that has none may be about to be discovered.
      if (names.length > 0) held.set(upstream, { names, askedAt: now() });
      return names;
    } catch (fault) {
      log('warn', 'trust.names_unreadable', { upstream, fault: describeFault(fault) });
      return known?.names ?? [];
    }
  }

  return {
    async toolNames(upstreams) {
      return new Map(await Promise.all(upstreams.map(async (name) => [name, await namesOf(name)] as const)));
    },
    read: (upstream) => upstreamHealth(env, upstream).definitions(),
    async approve(upstream, request) {
      const outcome = await upstreamHealth(env, upstream).approve(request);
      expireView(upstream);
      return outcome;
    },
  };
}
