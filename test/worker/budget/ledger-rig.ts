// One ledger on a clock of its own, and short ways to say things to it.
import type { Charge, LimitStanding, Refusal } from '../../../src/budget/admission.ts';
import type { LeaseAnswer, LeaseRequest } from '../../../src/budget/lease.ts';
import type { Settlement } from '../../../src/budget/ledger.ts';
import type { Amounts, Limit } from '../../../src/budget/limits.ts';
import { CoreLedger } from './ledger-memory.ts';

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
export const NOON = Date.UTC(2026, 10, 22, 12);

export function amounts(cost: number, tokens = 0, requests = 1): Amounts {
  return { cost: cost as Amounts['cost'], tokens, requests };
}

export function costLimit(amount: number, period = '1d', more: Partial<Limit> = {}): Limit {
  const { tier = 'customer', name = 'acme' } = more;
  const window = { period, calendar: more.window?.calendar ?? false };
  return {
    id: `${tier} ${name} cost ${period} ${window.calendar}`,
    tier,
    name,
    metric: 'cost',
    amount,
    window,
    ...more,
  };
}

export function calendar(period: string): Pick<Limit, 'window'> {
  return { window: { period, calendar: true } };
}

export class Rig {
  readonly clock = { wall: NOON };
  readonly ledger = new CoreLedger(this.clock);
  #names = 0;

  pass(ms: number): void {
    this.clock.wall += ms;
  }

  acquire(limits: readonly Limit[], need: Amounts, more: Partial<LeaseRequest> = {}): Promise<LeaseAnswer> {
    const name = this.#names++;
    return this.ledger.acquire({
      lease: `lease ${name}`,
      holder: 'one',
      sequence: name,
      plan: JSON.stringify(limits),
      limits,
      need,
      trims: [],
      slots: {},
      ...more,
    });
  }

  /** @throws when it is refused */
  async granted(
    limits: readonly Limit[],
    need: Amounts,
    more: Partial<LeaseRequest> = {},
  ): Promise<Extract<LeaseAnswer, { ok: true }>> {
    const answer = await this.acquire(limits, need, more);
    if (!answer.ok) throw new Error(`refused: ${JSON.stringify(answer.refusal)}`);
    return answer;
  }

  /** @throws when it is granted */
  async refused(limits: readonly Limit[], need: Amounts, more: Partial<LeaseRequest> = {}): Promise<Refusal> {
    const answer = await this.acquire(limits, need, more);
    if (answer.ok) throw new Error('granted');
    return answer.refusal;
  }

  async charge(
    lease: string,
    draw: number,
    release: Amounts,
    actual: Amounts,
    more: Partial<Charge> = {},
  ): Promise<Settlement> {
    await this.ledger.record([{ charge: { lease, draw, at: this.clock.wall, release, actual, ...more } }]);
    return this.ledger.last;
  }

  /** Spends exactly so much, with nothing left over. */
  async spend(limits: readonly Limit[], used: Amounts): Promise<void> {
    const lease = `spent ${this.#names++}`;
    await this.granted(limits, used, { lease });
    await this.charge(lease, 1, used, used);
    await this.trim(lease, used);
  }

  trim(lease: string, drawn: Amounts): Promise<void> {
    return this.ledger.report({
      holder: 'one',
      sequence: this.#names++,
      renew: [],
      trims: [{ lease, drawn }],
      slots: {},
    });
  }

  report(
    holder: string,
    sequence: number,
    more: { renew?: string[]; slots?: Record<string, number> } = {},
  ): Promise<void> {
    return this.ledger.report({ holder, sequence, renew: [], trims: [], slots: {}, ...more });
  }

  async standing(limit: Limit): Promise<LimitStanding> {
    const [standing] = await this.ledger.standings([limit]);
    if (standing === undefined) throw new Error('no standing');
    return standing;
  }
}
