import { NOTHING } from '../../src/budget/amounts.ts';
import type { Admission, Ticket } from '../../src/budget/admission.ts';
import type { Amounts } from '../../src/budget/limits.ts';
import { ok } from '../../src/lib/result.ts';

export interface CountedTickets extends Admission {
  /** What each admitted request was said to have used, in the order of its end; nothing where it was cancelled. */
  readonly used: readonly Amounts[];
  /** How many were admitted. */
  readonly admitted: number;
  /** Of these, how many were neither settled nor cancelled. */
  readonly open: number;
}

/** Admits everything, and has each request say once what became of it. */
export function countedTickets(): CountedTickets {
  const used: Amounts[] = [];
  let admitted = 0;
  return {
    used,
    get admitted() {
      return admitted;
    },
    get open() {
      return admitted - used.length;
    },
    async admit(_plans, need) {
      admitted++;
      let isOver = false;
      const settle = (actual: Amounts): readonly never[] => {
        if (isOver) throw new Error('a request is settled or cancelled once');
        isOver = true;
        used.push(actual);
        return [];
      };
      const ticket: Ticket = { need, settle, cancel: () => settle(NOTHING) };
      return ok(ticket);
    },
    standings: () => [],
  };
}
