// Hands audit events to the ledger of whoever pays, at once or in batches.
import { boundedEvent, inChunks } from '../../audit/bounded-event.ts';
import type { AuditEvent } from '../../audit/event.ts';
import type { Recorder } from '../../audit/recorder.ts';
import type { Env } from '../../env.ts';
import { describeFault, log } from '../../lib/log.ts';
import { AuditBuffer, FLUSH_AFTER_MS, type Claim } from './audit-buffer.ts';

/** Of one call to a ledger; far below the 32 MiB that a call may carry. */
const CALL = { events: 1_000, characters: 4_000_000 };
/** How long a request stays to retry; the platform ends it after 30 s. */
const KEEP_MS = 25_000;

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

/**
 * One per request: what leaves the isolate leaves in the name of the request that flushes. A request that finds events
 * left over from one that has ended takes them along, whatever itself is about.
 */
export function createRecorder(
  env: Pick<Env, 'BUDGET_LEDGER'>,
  waitUntil: (promise: Promise<unknown>) => void,
  options: RecorderOptions = ISOLATE,
): Recorder {
  const { buffer, now } = options;
  const flushSoon = (): void => {
    if (buffer.claimFlush(now())) waitUntil(flush(env, options));
  };
  if (!buffer.isEmpty) flushSoon();
  return {
    async durable(payer, event) {
      const recorded = recordOnce(env, payer, boundedEvent(event));
      // The record is kept although the caller may hang up while it is written.
      waitUntil(recorded.catch(() => {}));
      await recorded;
    },
    batched(payer, event) {
      buffer.append(payer, boundedEvent(event));
      flushSoon();
    },
  };
}

/** A repeated event is recognised by its id, so one that may have been committed is sent again without harm. */
async function recordOnce(env: Pick<Env, 'BUDGET_LEDGER'>, payer: string, event: AuditEvent): Promise<void> {
  try {
    await env.BUDGET_LEDGER.getByName(payer).record([event]);
  } catch (fault) {
    if (!isTransient(fault)) throw fault;
    await env.BUDGET_LEDGER.getByName(payer).record([event]);
  }
}

/** The object moved or was restarted; one that says it is overloaded is not asked again. */
function isTransient(fault: unknown): boolean {
  if (typeof fault !== 'object' || fault === null) return false;
  const { retryable, durableObjectReset, overloaded } = fault as Record<string, unknown>;
  return (retryable === true || durableObjectReset === true) && overloaded !== true;
}

async function flush(env: Pick<Env, 'BUDGET_LEDGER'>, options: RecorderOptions): Promise<void> {
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

async function sendAll(env: Pick<Env, 'BUDGET_LEDGER'>, options: RecorderOptions): Promise<void> {
  const claims = options.buffer.claimEvents(options.now());
  await Promise.all(claims.map((claim) => send(env, claim, options)));
}

async function send(env: Pick<Env, 'BUDGET_LEDGER'>, claim: Claim, { buffer, now }: RecorderOptions): Promise<void> {
  try {
    for (const chunk of inChunks(claim.events, CALL)) {
      await env.BUDGET_LEDGER.getByName(claim.payer).record(chunk);
      buffer.acknowledge(claim, chunk.length, now());
    }
  } catch (fault) {
    buffer.giveBack(claim, now());
    log('error', 'audit.batch_failed', { waiting: claim.events.length, fault: describeFault(fault) });
  }
}
