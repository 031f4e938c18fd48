// What the isolate knows of upstreams: plain data, asked of each `UpstreamHealth` object about once a second.
import type { HealthSubject } from '../../../durable-objects/contracts.ts';
import type { Env } from '../../env.ts';
import { healthReport, unknownCondition } from '../../health/condition.ts';
import { describeFault, log } from '../../lib/log.ts';
import type { CallOutcome, UpstreamView, UpstreamViews } from '../../mcp/ports.ts';
import type { PolicySnapshot, Upstream } from '../../policy/snapshot.ts';
import { shareRefresh } from './shared-refresh.ts';
import { upstreamHealth } from './upstream-health.ts';

const FRESH_MS = 1_000;
const REPORT_INTERVAL_MS = 1_000;
/** How often at most an upstream that does not tell of changed lists is asked for them. */
const RELIST_INTERVAL_MS = 10_000;
const RELIST_DEADLINE_MS = 10_000;

interface Known {
  readonly fingerprint: string;
  readonly view: UpstreamView;
  /** Also moved on by who goes to ask, so that the others meanwhile use what is here. */
  freshUntil: number;
}
const known = new Map<string, Known>();
/** When a success was last reported; a failure clears it, so that the next success is told at once. */
const reported = new Map<string, number>();
/** When a listing behind a request was last begun. */
const relisted = new Map<string, number>();

interface ViewDependencies {
  readonly snapshot: () => Promise<Pick<PolicySnapshot, 'settings'>>;
  readonly now: () => number;
  readonly waitUntil: (work: Promise<unknown>) => void;
}

export function createUpstreamViews(env: Pick<Env, 'UPSTREAM_HEALTH'>, dependencies: ViewDependencies): UpstreamViews {
  const { snapshot, now, waitUntil } = dependencies;

  async function ask(upstream: Upstream, deadlineMs: number, refresh: boolean): Promise<UpstreamView> {
    const last = heldView(upstream);
    try {
      const answer = await upstreamHealth(env, upstream.name).view(await subjectOf(upstream, snapshot), {
        deadlineMs,
        refresh,
        ...(last?.catalog === undefined ? {} : { knownCatalog: last.catalog.fingerprint }),
      });
      const catalog = answer.catalogUnchanged ? last?.catalog : answer.catalog;
      const { health, listedAt } = answer;
      const view: UpstreamView =
        catalog === undefined ? { health } : { health, catalog, ...(listedAt !== undefined && { listedAt }) };
      known.set(upstream.name, { fingerprint: upstream.fingerprint, view, freshUntil: now() + FRESH_MS });
      return view;
    } catch (fault) {
      // Health fails open: without a verdict an upstream counts as well.
      log('error', 'health.unreadable', { upstream: upstream.name, fault: describeFault(fault) });
      return last ?? { health: healthReport(unknownCondition, { disabled: false, toolCount: 0 }, now()) };
    }
  }

  return {
    async view(upstream, deadlineMs) {
      const held = known.get(upstream.name);
      // What was never tried is always asked for: the object waits for the first discovery, which may just have ended.
      if (held?.fingerprint === upstream.fingerprint && held.view.health.state !== 'unknown') {
        if (now() < held.freshUntil) return held.view;
        held.freshUntil = now() + FRESH_MS;
      }
      return ask(upstream, deadlineMs, false);
    },
    refresh: (upstream, deadlineMs) =>
      shareRefresh({
        upstream: upstream.name,
        deadlineMs,
        now,
        run: () => ask(upstream, deadlineMs, true),
        held: () => heldView(upstream),
      }),
    relist(upstream) {
      const view = known.get(upstream.name)?.view;
      const since = Math.max(relisted.get(upstream.name) ?? 0, view?.listedAt ?? 0);
      // One that fails is asked again when its probes come round to it.
      if (now() - since < RELIST_INTERVAL_MS || view?.health.state === 'failing') return;
      relisted.set(upstream.name, now());
      waitUntil(ask(upstream, RELIST_DEADLINE_MS, true));
    },
    report(upstream, outcome) {
      if (outcome.ok && now() - (reported.get(upstream.name) ?? 0) < REPORT_INTERVAL_MS) return;
      if (outcome.ok) reported.set(upstream.name, now());
      else expireView(upstream.name);
      waitUntil(send(upstream, outcome));
    },
  };

  async function send(upstream: Upstream, outcome: CallOutcome): Promise<void> {
    try {
      await upstreamHealth(env, upstream.name).report(await subjectOf(upstream, snapshot), outcome);
    } catch (fault) {
      log('warn', 'health.unreported', { upstream: upstream.name, fault: describeFault(fault) });
    }
  }
}

function heldView(upstream: Upstream): UpstreamView | undefined {
  const held = known.get(upstream.name);
  return held?.fingerprint === upstream.fingerprint ? held.view : undefined;
}

/** The next view asks the object, which may have opened the breaker or released a tool. */
export function expireView(name: string): void {
  reported.delete(name);
  const held = known.get(name);
  if (held !== undefined) held.freshUntil = 0;
}

async function subjectOf(upstream: Upstream, snapshot: ViewDependencies['snapshot']): Promise<HealthSubject> {
  const { interval, timeout, idle_after: idleAfter } = (await snapshot()).settings.health;
  return {
    name: upstream.name,
    fingerprint: upstream.fingerprint,
    disabled: upstream.disabled === true,
    intervalMs: interval,
    timeoutMs: timeout,
    idleAfterMs: idleAfter,
  };
}
