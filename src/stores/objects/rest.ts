// How an isolate ends in peace: nothing of it is left at any ledger, and nothing in its memory that belongs there.
import type { Env } from '../../env.ts';
import { flushAll } from './audit-recorder.ts';
import { ISOLATE_LEASES } from './ledger-admission.ts';
import { surrender } from './lease-keeper.ts';

/** For requests that go on although their callers have left. */
const REQUESTS_MS = 1_000;
const RECORDS_MS = 500;

/** @returns whether nothing is left */
export async function comeToRest(env: Pick<Env, 'BUDGET_LEDGER'>): Promise<boolean> {
  const { now } = ISOLATE_LEASES;
  const returned = await surrender(env, now() + REQUESTS_MS, ISOLATE_LEASES);
  const recorded = await flushAll(env, now() + RECORDS_MS);
  return returned && recorded;
}
