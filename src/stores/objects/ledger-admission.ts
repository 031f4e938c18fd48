// Asks the ledgers for leases where those that the isolate holds do not reach.
import { LimitsUnavailable, type Admission, type Refusal, type SettledCharge } from '../../budget/admission.ts';
import { NOTHING, toAmounts } from '../../budget/amounts.ts';
import type { Draw } from '../../budget/drawn-lease.ts';
import type { LeaseAnswer } from '../../budget/lease.ts';
import { LeasePool } from '../../budget/lease-pool.ts';
import type { Ask } from '../../budget/ledger-hold.ts';
import { LeaseTicket, settleAll } from '../../budget/lease-ticket.ts';
import type { Amounts, ChargePlan } from '../../budget/limits.ts';
import type { Env } from '../../env.ts';
import { newId } from '../../lib/ids.ts';
import { describeFault, log } from '../../lib/log.ts';
import { err, ok, type Result } from '../../lib/result.ts';
import { budgetLedger } from './budget-ledger.ts';
import { keepWatch, type KeeperOptions } from './lease-keeper.ts';
import { retriedOnce } from './transient-fault.ts';

/** Between two looks whether another request's answer has come: promises of one cannot be awaited by another. */
const JOIN_STEP_MS = 2;

export const ISOLATE_LEASES: KeeperOptions = {
  pool: new LeasePool(),
  now: Date.now,
  sleep: (ms) => scheduler.wait(ms),
};

export interface AdmissionDependencies {
  readonly env: Pick<Env, 'BUDGET_LEDGER'>;
  readonly waitUntil: (work: Promise<unknown>) => void;
  /** Hands on what was settled without an event. */
  readonly settled: (charges: readonly SettledCharge[]) => void;
}

/** One per request: what is asked is asked in its name, and what it leaves to be done is done by it or a later one. */
export function createAdmission(
  { env, waitUntil, settled }: AdmissionDependencies,
  options: KeeperOptions = ISOLATE_LEASES,
): Admission {
  const { pool, now, sleep } = options;
  const names = { holder: () => newId('holder', now()), lease: () => newId('lease', now()) };

  async function answerTo(asked: Ask): Promise<Result<Draw, Refusal>> {
    let answer: LeaseAnswer;
    try {
      answer = await retriedOnce(() => budgetLedger(env, asked.plan.ledger.name).acquire(asked.request));
    } catch (fault) {
      pool.lose(asked);
      const ledger = asked.plan.ledger.name;
      log('error', 'limits.unavailable', { ledger, fault: describeFault(fault) });
      throw new LimitsUnavailable(`the ledger "${ledger}" is out of reach`);
    }
    return pool.answered(asked, answer, now());
  }

  async function awaitOther(other: Ask): Promise<void> {
    do await sleep(JOIN_STEP_MS);
    while (pool.isAwaited(other, now()));
  }

  /** What the isolate holds and cannot use for this is no reason to refuse it. */
  async function drawOrAsk(plan: ChargePlan, need: Amounts): Promise<Result<Draw, Refusal>> {
    const held = (): Draw | undefined => pool.draw([plan], need, now())?.[0];
    let draw = held();
    if (draw !== undefined) return ok(draw);
    const other = pool.join(plan, need, now());
    if (other !== undefined) {
      await awaitOther(other);
      draw = held();
      if (draw !== undefined) return ok(draw);
    }
    const asked = pool.ask(plan, need, names, now(), false);
    let outcome = await answerTo(asked);
    if (outcome.ok) return outcome;
    // Another request may have brought a lease meanwhile.
    draw = held();
    if (draw !== undefined) return ok(draw);
    const { limit, certainUntil } = outcome.error;
    if (certainUntil !== undefined || limit.metric === 'concurrent' || !pool.isWorthAnother(asked)) return outcome;
    outcome = await answerTo(pool.ask(plan, need, names, now(), true));
    if (outcome.ok) return outcome;
    draw = held();
    return draw === undefined ? outcome : ok(draw);
  }

  /** Nothing is sent for them. */
  function giveBack(draws: readonly Draw[]): void {
    const charges = settleAll(draws, NOTHING);
    for (const draw of draws) pool.giveBack(draw);
    settled(charges);
  }

  async function askAll(plans: readonly ChargePlan[], need: Amounts): Promise<Result<readonly Draw[], Refusal>> {
    const draws: Draw[] = [];
    try {
      for (const plan of plans) {
        const outcome = await drawOrAsk(plan, need);
        if (!outcome.ok) {
          giveBack(draws);
          return outcome;
        }
        draws.push(outcome.value);
      }
      return ok(draws);
    } catch (fault) {
      giveBack(draws);
      throw fault;
    }
  }

  return {
    async admit(plans, requested) {
      const need = toAmounts(requested);
      if (plans.length === 0) return ok(new LeaseTicket(need, []));
      const drawn = pool.draw(plans, need, now());
      const refusal = drawn === undefined ? pool.refusal(plans, need, now()) : undefined;
      if (refusal !== undefined) return err(refusal);
      keepWatch(env, waitUntil, options);
      if (drawn !== undefined) return ok(new LeaseTicket(need, drawn));
      const outcome = await askAll(plans, need);
      return outcome.ok ? ok(new LeaseTicket(need, outcome.value)) : outcome;
    },
    standings: (plans) => pool.standings(plans, now()),
  };
}
