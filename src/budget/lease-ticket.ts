// What an admitted request holds until it is over.
import type { SettledCharge, Ticket } from './admission.ts';
import { NOTHING, toAmounts } from './amounts.ts';
import type { Draw } from './drawn-lease.ts';
import type { Amounts } from './limits.ts';

export class LeaseTicket implements Ticket {
  readonly need: Amounts;
  #draws: readonly Draw[] | undefined;

  constructor(need: Amounts, draws: readonly Draw[]) {
    this.need = need;
    this.#draws = draws;
  }

  /** @throws RangeError for what is no amount; the ticket is as it was. @throws Error when it is over */
  settle(actual: Amounts): readonly SettledCharge[] {
    const used = toAmounts(actual);
    const draws = this.#draws;
    if (draws === undefined) throw new Error('a request is settled or cancelled once');
    this.#draws = undefined;
    return settleAll(draws, used);
  }

  cancel(): readonly SettledCharge[] {
    return this.settle(NOTHING);
  }
}

export function settleAll(draws: readonly Draw[], used: Amounts): readonly SettledCharge[] {
  return draws.flatMap((draw) => {
    const charge = draw.lease.settle(draw, used);
    return charge === undefined ? [] : { ledger: draw.lease.of.plan.ledger, charge };
  });
}
