// Sees to it that what an isolate leased and does not use goes back. One request of the isolate does so for all.
import type { LeasePool, Report } from '../../budget/lease-pool.ts';
import type { Env } from '../../env.ts';
import { describeFault, log } from '../../lib/log.ts';
import { budgetLedger } from './budget-ledger.ts';

const LOOK_EVERY_MS = 250;
/** Between two looks while nothing else is waited for. */
const SURRENDER_EVERY_MS = 20;

export interface KeeperOptions {
  readonly pool: LeasePool;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

type Ledgers = Pick<Env, 'BUDGET_LEDGER'>;

/** Keeps watch in the name of this request, until nothing is held, unless another does. */
export function keepWatch(env: Ledgers, waitUntil: (work: Promise<unknown>) => void, options: KeeperOptions): void {
  const token = options.pool.claimKeeping(options.now());
  if (token !== undefined) waitUntil(watch(env, token, options));
}

async function watch(env: Ledgers, token: number, options: KeeperOptions): Promise<void> {
  const { pool, now, sleep } = options;
  const underWay = new Set<Promise<void>>();
  do {
    await sleep(LOOK_EVERY_MS);
    // Not waited for yet: a ledger that is slow must not hold up the others.
    for (const report of pool.look(now())) {
      const told = tell(env, report, options);
      underWay.add(told);
      void told.then(() => underWay.delete(told));
    }
  } while (pool.keepOn(token, now()));
  // Another may have taken over, and what ends with this request would be neither heard nor unheard.
  await Promise.all(underWay);
}

/** Gives back all that is not under way, and waits for what is. @returns whether nothing is held any more */
export async function surrender(env: Ledgers, until: number, options: KeeperOptions): Promise<boolean> {
  const { pool, now, sleep } = options;
  for (;;) {
    await Promise.all(pool.surrender(now()).map((report) => tell(env, report, options)));
    if (pool.isAtRest) return true;
    if (now() >= until) return false;
    await sleep(SURRENDER_EVERY_MS);
  }
}

/** Never rejects: what was not heard is said again. */
export async function tell(env: Ledgers, report: Report, { pool, now }: KeeperOptions): Promise<void> {
  try {
    await budgetLedger(env, report.ledger).report(report.report);
    pool.heard(report, now());
  } catch (fault) {
    pool.unheard(report, now());
    log('warn', 'lease.report_failed', { ledger: report.ledger, fault: describeFault(fault) });
  }
}
