import type { SettledCharge } from '../budget/admission.ts';
import type { AuditEvent } from './event.ts';

/** The payer under which is recorded what nobody in particular caused: changes of the configuration and of servers. */
export const CONFIG_PAYER = 'config';

/**
 * How the engines hand over what happened. `payer` names the ledger object (see `auth/principal.ts`).
 * - `durable` resolves once the event is committed; it rejects when it cannot be, and the caller must then fail closed.
 * - `batched` returns at once; the event leaves the isolate within 50 ms. It throws `AuditOverflow` when the buffer is
 *   full because the ledger has been out of reach, so that traffic stops before records are lost.
 */
export interface Recorder {
  /** @param charges what the event settles: that of the payer's ledger is committed with it, others are batched */
  durable(payer: string, event: AuditEvent, charges?: readonly SettledCharge[]): Promise<void>;
  batched(payer: string, event: AuditEvent, charges?: readonly SettledCharge[]): void;
  /** Batches what was settled without an event. @throws AuditOverflow as `batched` does */
  settled(charges: readonly SettledCharge[]): void;
}

export class AuditOverflow extends Error {
  override readonly name = 'AuditOverflow';
}
