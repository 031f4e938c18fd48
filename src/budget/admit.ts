// Whether a request may go out, as its caller is told.
import { err, type Result } from '../lib/result.ts';
import { failure, type Failure } from '../policy/failure.ts';
import { LimitsUnavailable, type Admission, type Ticket } from './admission.ts';
import type { Amounts, ChargePlan } from './limits.ts';
import { refusalFailure } from './refusal.ts';

export interface LimitPorts {
  readonly now: () => number;
  readonly admission: Admission;
}

/** Fails with `budget_exceeded` and `rate_limited`, and with `overloaded` where a ledger is out of reach. */
export async function admit(
  { admission, now }: LimitPorts,
  plans: readonly ChargePlan[],
  need: Amounts,
): Promise<Result<Ticket, Failure>> {
  try {
    const outcome = await admission.admit(plans, need);
    return outcome.ok ? outcome : err(refusalFailure(outcome.error, now()));
  } catch (fault) {
    if (!(fault instanceof LimitsUnavailable)) throw fault;
    const text = 'The limits over this request cannot be checked at present, and nothing passes unchecked.';
    return err(failure('overloaded', `${text} Try again shortly.`, { retryAfterSeconds: 1 }));
  }
}
