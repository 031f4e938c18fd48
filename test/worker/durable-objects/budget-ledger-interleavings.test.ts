import { env } from 'cloudflare:workers';
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import * as fc from 'fast-check';
import { beforeAll, expect, it, vi } from 'vitest';
import type { AuditEvent } from '../../../src/audit/event.ts';
import { migrate } from '../../../src/stores/d1/migrate.ts';
import {
  crashingDatabase, entriesOf, failingDatabase, ledger, makeEvent, outboxIds, runAlarm, spend, storedIds, useDatabase,
} from './ledger-rig.ts'; // prettier-ignore

beforeAll(() => migrate(env.DB));

const STEPS = ['record', 'repeat', 'refuse', 'drain', 'outage', 'unsaid', 'crash', 'evict'] as const;
type Step = (typeof STEPS)[number];

/** One ledger, and what its callers were told. */
class History {
  readonly payer: string;
  readonly offered: AuditEvent[] = [];
  readonly confirmed = new Set<string>();

  constructor(payer: string) {
    this.payer = payer;
  }

  async take(step: Step, size: number): Promise<void> {
    if (step === 'record') await this.#record(this.#fresh(size));
    else if (step === 'repeat') await this.#record(this.offered.slice(-size));
    else if (step === 'refuse') await this.#refuse(this.#fresh(size));
    else if (step === 'drain') await this.#drain(env.DB);
    else if (step === 'outage') await this.#drain(failingDatabase('before'));
    else if (step === 'unsaid') await this.#drain(failingDatabase('after'));
    else if (step === 'crash') await this.#crash();
    else await this.#evict();
  }

  async finish(): Promise<void> {
    await useDatabase(this.payer, env.DB);
    // Alarms run by themselves too; an outbox without one would stay as it is.
    const drained = async (): Promise<string[]> => {
      await runAlarm(this.payer);
      return outboxIds(this.payer);
    };
    await expect.poll(drained, { timeout: 10_000 }).toEqual([]);
  }

  #fresh(size: number): AuditEvent[] {
    const events = Array.from({ length: size }, (_, index) =>
      makeEvent({ cost_nano_usd: 2 ** (this.offered.length + index) }),
    );
    this.offered.push(...events);
    return events;
  }

  async #record(events: readonly AuditEvent[]): Promise<void> {
    const calls = events.map((event) => ledger(this.payer).record(entriesOf([event])));
    await Promise.all([...calls, ledger(this.payer).record(entriesOf(events))]);
    for (const { id } of events) this.confirmed.add(id);
  }

  /** The disk is full for one commit. */
  async #refuse(events: readonly AuditEvent[]): Promise<void> {
    await runInDurableObject(ledger(this.payer), async (object, state) => {
      const transaction = vi.spyOn(state.storage, 'transactionSync').mockImplementationOnce(() => {
        throw new Error('disk full');
      });
      await expect(object.record(entriesOf(events))).rejects.toThrow('disk full');
      transaction.mockRestore();
    });
  }

  async #drain(database: D1Database): Promise<void> {
    await useDatabase(this.payer, database);
    await runAlarm(this.payer);
  }

  async #evict(): Promise<void> {
    await outboxIds(this.payer); // an object that is not running cannot be evicted
    await evictDurableObject(ledger(this.payer));
  }

  async #crash(): Promise<void> {
    await useDatabase(this.payer, crashingDatabase);
    // Rejects when there was an event to crash on.
    await Promise.allSettled([runAlarm(this.payer)]);
  }
}

it('ends with one row and one settlement per event, whatever came in between', async () => {
  const complaint = vi.spyOn(console, 'error').mockImplementation(() => {});
  let runs = 0;
  const steps = fc.array(fc.tuple(fc.constantFrom(...STEPS), fc.integer({ min: 1, max: 3 })), { maxLength: 14 });
  const property = fc.asyncProperty(steps, async (taken) => {
    const history = new History(`key:run-${runs++}`);
    for (const [step, size] of taken) await history.take(step, size);
    await history.finish();

    const ids = history.offered.map(({ id }) => id);
    const stored = await storedIds(ids);
    expect(new Set(stored).size, 'each at most once').toBe(stored.length);
    expect(stored, 'each that was confirmed').toEqual(expect.arrayContaining([...history.confirmed]));
    const cost = history.offered
      .filter(({ id }) => stored.includes(id))
      .reduce((sum, event) => sum + (event.cost_nano_usd ?? 0), 0);
    const [settled] = await spend(history.payer);
    expect([settled?.calls ?? 0, settled?.cost_nano_usd ?? 0]).toEqual([stored.length, cost]);
  });
  await fc.assert(property, { numRuns: 40, endOnFailure: true });
  complaint.mockRestore();
}, 60_000);
