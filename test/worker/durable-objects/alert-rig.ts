// The alerts of one object on real storage, with a sender, a clock and an alarm that the test holds.
import { env } from 'cloudflare:workers';
import { runInDurableObject } from 'cloudflare:test';
import { vi } from 'vitest';
import { AlertDelivery } from '../../../durable-objects/alert-delivery.ts';
import { ALERT_TABLES, AlertOutbox } from '../../../durable-objects/alert-outbox.ts';
import { ObjectDatabase } from '../../../durable-objects/sqlite.ts';
import type { AuditEvent } from '../../../src/audit/event.ts';
import type { ThresholdAlert } from '../../../src/budget/alert-message.ts';
import type { Limit } from '../../../src/budget/limits.ts';
import type { WebhookReceipt } from '../../../src/egress/webhook.ts';

export const MIDNIGHT = Date.UTC(2026, 10, 22);
export const DAY = 24 * 3_600_000;

export function makeLimit(more: Partial<Limit> = {}): Limit {
  const window = { period: '1d', calendar: true };
  return { id: 'c1', tier: 'team', name: 'eng', metric: 'cost', amount: 100, window, alertAt: [0.8, 0.95], ...more };
}

export class AlertRig {
  readonly outbox: AlertOutbox;
  readonly sent: ThresholdAlert[] = [];
  readonly events: AuditEvent[] = [];
  readonly logged: Readonly<Record<string, unknown>>[] = [];
  alarmAt = Infinity;
  now = MIDNIGHT;
  /** What the webhook does. */
  answer: (alert: ThresholdAlert) => Promise<WebhookReceipt> = async () => ({ outcome: 'delivered' });
  refuseEvents = false;
  readonly #database: ObjectDatabase;
  #delivery: AlertDelivery;

  constructor(storage: DurableObjectStorage) {
    this.#database = new ObjectDatabase(storage, [ALERT_TABLES]);
    this.outbox = new AlertOutbox(this.#database);
    this.#delivery = this.#newDelivery();
  }

  #newDelivery(): AlertDelivery {
    return new AlertDelivery({
      outbox: this.outbox,
      sender: {
        send: (alert) => {
          this.sent.push(alert);
          return this.answer(alert);
        },
      },
      record: async (event, settle) => {
        this.#database.transaction(() => {
          settle();
          if (this.refuseEvents) throw new Error('disk full');
          this.events.push(event);
        });
      },
      wakeBy: async (at) => {
        this.alarmAt = Math.min(this.alarmAt, at);
      },
    });
  }

  /** What is in memory is lost, what is stored is not. */
  crash(): void {
    this.#delivery = this.#newDelivery();
  }

  consider(limit: Limit, spent: number, added = spent): boolean {
    const windowStart = limit.window?.calendar === true ? Math.floor(this.now / DAY) * DAY : this.now - DAY;
    return this.outbox.consider(limit, { spent, added, windowStart, resetsAt: windowStart + DAY }, this.now);
  }

  /** As a transaction of the ledger does it. */
  rolledBack(work: () => void): void {
    this.#database.transaction(work);
  }

  deliver(): Promise<void> {
    this.alarmAt = Infinity;
    return this.#delivery.deliver();
  }

  /** Lets time pass, and rings the alarm whenever it is due, until another attempt was made or there is no alarm. */
  async ring(): Promise<void> {
    const { length } = this.sent;
    while (this.alarmAt !== Infinity && this.sent.length === length) {
      this.now = Math.max(this.now, this.alarmAt);
      await this.deliver();
    }
  }

  get shares(): number[] {
    return this.sent.map(({ share }) => share);
  }
}

let count = 0;

export async function withAlerts(test: (rig: AlertRig) => Promise<void> | void): Promise<void> {
  await runInDurableObject(env.BUDGET_LEDGER.getByName(`alerts-${++count}`), async (_object, state) => {
    await state.storage.deleteAll();
    const rig = new AlertRig(state.storage);
    vi.spyOn(Date, 'now').mockImplementation(() => rig.now);
    for (const level of ['warn', 'error'] as const) {
      vi.spyOn(console, level).mockImplementation((line: string) => void rig.logged.push(JSON.parse(line)));
    }
    try {
      await test(rig);
    } finally {
      vi.restoreAllMocks();
    }
  });
}
