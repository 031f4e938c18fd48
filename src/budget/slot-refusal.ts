// The refusal of a request because too many run already, as the ledger gives it and as an isolate knows it.
import type { Refusal } from './admission.ts';
import type { Limit } from './limits.ts';

/** Requests under way end at any moment; when, nobody knows. */
export const SOON_MS = 1_000;

export function slotRefusal(limit: Limit, running: number, now: number): Refusal {
  return { limit, spent: 0, reserved: running, need: 1, ...(limit.amount > 0 && { resetsAt: now + SOON_MS }) };
}
