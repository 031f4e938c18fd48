// Hands audit events, and what they settle, to the ledger of whoever pays, at once or in batches.
import type { LedgerEntry } from '../../../durable-objects/contracts.ts';
import { boundedEvent } from '../../audit/bounded-event.ts';
import type { AuditEvent } from '../../audit/event.ts';
import type { Recorder } from '../../audit/recorder.ts';
import type { SettledCharge } from '../../budget/admission.ts';
import type { Env } from '../../env.ts';
import { inChunks } from '../../lib/chunks.ts';
import { describeFault, log } from '../../lib/log.ts';
import { AuditBuffer, entrySize, FLUSH_AFTER_MS, type Claim } from './audit-buffer.ts';
import { budgetLedger } from './budget-ledger.ts';
import { retriedOnce } from './transient-fault.ts';

/** Of one call to a ledger; far below the 32 MiB that a call may carry. */
const CALL = { items: 1_000, characters: 4_000_000 };
/** How long a request stays to retry; the platform ends it after 30 s. */
const KEEP_MS = 25_000;
/** Between two looks at what others are sending. */
const FLUSH_ALL_EVERY_MS = 10;

export interface RecorderOptions {
  readonly buffer: AuditBuffer;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

const ISOLATE: RecorderOptions = {
  buffer: new AuditBuffer(),
  now: Date.now,
  sleep: (ms) => scheduler.wait(ms),
};

type Ledgers = Pick<Env, 'BUDGET_LEDGER'>;

/**
 * One per request: what leaves the isolate leaves in the name of the request that flushes. A request that finds entries
 * left over from one that has ended takes them along, whatever itself is about.
 */
export function createRecorder(
  env: Ledgers,
  waitUntil: (promise: Promise<unknown>) => void,
  options: RecorderOptions = ISOLATE,
): Recorder {
  const { buffer, now } = options;
  const flushSoon = (): void => {
    if (buffer.claimFlush(now())) waitUntil(flush(env, options));
  };
  const settled = (charges: readonly SettledCharge[]): void => {
    if (charges.length === 0) return;
    for (const { ledger, charge } of charges) buffer.append(ledger, { charge });
    flushSoon();
  };
  if (!buffer.isEmpty) flushSoon();
  return {
    async durable(payer, event, charges = []) {
      const { entry, others } = entryOf(payer, event, charges);
      const recorded = recordDurably(env, payer, entry, buffer);
      // The record is kept although the caller may hang up while it is written.
      waitUntil(recorded.catch(() => {}));
      settled(others);
      await recorded;
    },
    batched(payer, event, charges = []) {
      const { entry, others } = entryOf(payer, event, charges);
      buffer.append(payer, entry);
      settled(others);
      flushSoon();
    },
    settled,
  };
}

/** The payer's own charge is committed with the event; those of other ledgers go their own way. */
function entryOf(
  payer: string,
  event: AuditEvent,
  charges: readonly SettledCharge[],
): { readonly entry: LedgerEntry; readonly others: readonly SettledCharge[] } {
  const own = charges.find(({ ledger }) => ledger === payer);
  const entry = { event: boundedEvent(event), ...(own !== undefined && { charge: own.charge }) };
  return { entry, others: charges.filter((charge) => charge !== own) };
}

/** A repeated entry is recognised by its ids, so one that may have been committed is sent again without harm. */
async function recordDurably(env: Ledgers, payer: string, entry: LedgerEntry, buffer: AuditBuffer): Promise<void> {
  buffer.beginDurable();
  try {
    await retriedOnce(() => budgetLedger(env, payer).record([entry]));
  } finally {
    buffer.endDurable();
  }
}

/** Sends all there is, and waits for what others are sending. @returns whether everything is committed */
export async function flushAll(env: Ledgers, until: number, options: RecorderOptions = ISOLATE): Promise<boolean> {
  const { buffer, now, sleep } = options;
  for (;;) {
    await sendAll(env, options);
    if (buffer.isEmpty && !buffer.isRecording) return true;
    if (now() >= until) return false;
    await sleep(FLUSH_ALL_EVERY_MS);
  }
}

async function flush(env: Ledgers, options: RecorderOptions): Promise<void> {
  const { buffer, now, sleep } = options;
  await sleep(FLUSH_AFTER_MS);
  buffer.beginFlush();
  const leaveAt = now() + KEEP_MS;
  do await sendAll(env, options);
  while (buffer.hasPassedOver && now() < leaveAt);

  for (;;) {
    const retryAt = buffer.nextRetryAt();
    if (retryAt === undefined || retryAt > leaveAt || !buffer.claimKeeping(now(), retryAt)) return;
    await sleep(Math.max(0, retryAt - now()));
    buffer.endKeeping();
    await sendAll(env, options);
  }
}

async function sendAll(env: Ledgers, options: RecorderOptions): Promise<void> {
  const claims = options.buffer.claimEntries(options.now());
  await Promise.all(claims.map((claim) => send(env, claim, options)));
}

async function send(env: Ledgers, claim: Claim, { buffer, now }: RecorderOptions): Promise<void> {
  try {
    for (const chunk of inChunks(claim.entries, CALL, entrySize)) {
      await budgetLedger(env, claim.ledger).record(chunk);
      buffer.acknowledge(claim, chunk.length, now());
    }
  } catch (fault) {
    buffer.giveBack(claim, now());
    log('error', 'audit.batch_failed', { waiting: claim.entries.length, fault: describeFault(fault) });
  }
}
