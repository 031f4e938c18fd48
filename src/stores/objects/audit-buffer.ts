// Events and charges of one isolate on their way to their ledgers. Holds plain data only, so it may outlive the requests
// that fill and empty it; whatever a request promised to do here lapses by the clock, for it can end at any moment.
import type { LedgerEntry } from '../../../durable-objects/contracts.ts';
import { approximateSize } from '../../audit/bounded-event.ts';
import { AuditOverflow } from '../../audit/recorder.ts';

const MAX_ENTRIES = 50_000;
const MAX_CHARACTERS = 64 * 1024 * 1024;
/** From the first entry to the flush that takes it. */
export const FLUSH_AFTER_MS = 50;
/** A flush this late was lost with its request; at worst two run at once, which is harmless. */
const FLUSH_LOST_AFTER_MS = 500;
const SENDER_LOST_AFTER_MS = 10_000;
const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 5_000;
const CHARGE_CHARACTERS = 300;

/** What one request is sending to one ledger. It stays in the buffer until acknowledged. */
export interface Claim {
  readonly ledger: string;
  readonly entries: readonly LedgerEntry[];
}

interface Queue {
  waiting: LedgerEntry[];
  claim: (Claim & { entries: readonly LedgerEntry[]; until: number }) | undefined;
  /** A flush found events here while earlier ones were on their way: whoever sends those takes them along next. */
  passedOver: boolean;
  failures: number;
  notBefore: number;
}

export class AuditBuffer {
  readonly #queues = new Map<string, Queue>();
  #entries = 0;
  #characters = 0;
  #durable = 0;
  #flushDueAt = -Infinity;
  #keeperUntil = -Infinity;

  get isEmpty(): boolean {
    return this.#entries === 0;
  }

  /** Whether something that does not wait here is being committed. */
  get isRecording(): boolean {
    return this.#durable > 0;
  }

  beginDurable(): void {
    this.#durable++;
  }

  endDurable(): void {
    this.#durable--;
  }

  /** @throws AuditOverflow when the ledgers have been out of reach for too long */
  append(ledger: string, entry: LedgerEntry): void {
    const size = entrySize(entry);
    if (this.#entries >= MAX_ENTRIES || this.#characters + size > MAX_CHARACTERS) {
      throw new AuditOverflow(`${this.#entries} audit entries wait for ledgers that are out of reach`);
    }
    this.#entries++;
    this.#characters += size;
    const queue = this.#queues.get(ledger);
    if (queue === undefined) {
      this.#queues.set(ledger, { waiting: [entry], claim: undefined, passedOver: false, failures: 0, notBefore: 0 });
    } else {
      queue.waiting.push(entry);
    }
  }

  /** Whether the caller is to flush, `FLUSH_AFTER_MS` from now; false while another is about to. */
  claimFlush(now: number): boolean {
    const isSoon = this.#flushDueAt - now <= FLUSH_AFTER_MS; // unless the clock was put back
    if (isSoon && now <= this.#flushDueAt + FLUSH_LOST_AFTER_MS) return false;
    this.#flushDueAt = now + FLUSH_AFTER_MS;
    return true;
  }

  /** The flush is here: entries from now on need another. */
  beginFlush(): void {
    this.#flushDueAt = -Infinity;
  }

  /** Everything that may be sent now, by ledger. */
  claimEntries(now: number): Claim[] {
    const claims: Claim[] = [];
    for (const [ledger, queue] of this.#queues) {
      if (queue.claim !== undefined && queue.claim.until > now) {
        queue.passedOver = queue.waiting.length > 0;
        continue;
      }
      if (queue.notBefore > now) continue;
      const entries = queue.claim === undefined ? queue.waiting : [...queue.claim.entries, ...queue.waiting];
      if (entries.length === 0) continue;
      queue.claim = { ledger, entries, until: now + SENDER_LOST_AFTER_MS };
      queue.waiting = [];
      queue.passedOver = false;
      claims.push(queue.claim);
    }
    return claims;
  }

  /** The first `count` entries of the claim are committed. */
  acknowledge(claim: Claim, count: number, now: number): void {
    const queue = this.#queues.get(claim.ledger);
    if (queue?.claim !== claim) return; // given up for lost: another sends these again, and the ledger knows them
    for (const entry of claim.entries.slice(0, count)) this.#characters -= entrySize(entry);
    this.#entries -= count;
    queue.claim.entries = claim.entries.slice(count);
    queue.claim.until = now + SENDER_LOST_AFTER_MS;
    queue.failures = 0;
    if (queue.claim.entries.length > 0) return;
    queue.claim = undefined;
    if (queue.waiting.length === 0) this.#queues.delete(claim.ledger);
  }

  /** What is left of the claim could not be sent; it is first in line, after a pause. */
  giveBack(claim: Claim, now: number): void {
    const queue = this.#queues.get(claim.ledger);
    if (queue?.claim !== claim) return;
    queue.waiting = [...claim.entries, ...queue.waiting];
    queue.claim = undefined;
    queue.passedOver = false; // they are retried with the others
    queue.notBefore = now + Math.min(FIRST_RETRY_MS * 2 ** queue.failures, MAX_RETRY_MS);
    queue.failures++;
  }

  /** Whether entries wait that no flush will come back for. */
  get hasPassedOver(): boolean {
    return [...this.#queues.values()].some((queue) => queue.passedOver && queue.claim === undefined);
  }

  /** When the first ledger that failed may be tried again. */
  nextRetryAt(): number | undefined {
    const failing = [...this.#queues.values()].filter((queue) => queue.failures > 0 && queue.claim === undefined);
    return failing.length === 0 ? undefined : Math.min(...failing.map((queue) => queue.notBefore));
  }

  /** Whether the caller is to stay for a retry at `until`: one is enough, however many flushes have failed. */
  claimKeeping(now: number, until: number): boolean {
    if (now < this.#keeperUntil) return false;
    this.#keeperUntil = until + FLUSH_LOST_AFTER_MS;
    return true;
  }

  /** The keeper is awake, or has left. */
  endKeeping(): void {
    this.#keeperUntil = -Infinity;
  }
}

/** What the entry weighs in memory and on the wire, roughly, in characters. */
export function entrySize({ event, charge }: LedgerEntry): number {
  return (event === undefined ? 0 : approximateSize(event)) + (charge === undefined ? 0 : CHARGE_CHARACTERS);
}
