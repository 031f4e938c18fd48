import { DurableObject } from 'cloudflare:workers';
import type { AuditEvent } from '../src/audit/event.ts';
import type { Env } from '../src/env.ts';
import { describeFault, log } from '../src/lib/log.ts';
import { insertAuditEvents } from '../src/stores/d1/audit-event-insert.ts';
import { auditRetentionLimits, deleteExpiredAuditEvents } from '../src/stores/d1/audit-retention.ts';
import { migrate } from '../src/stores/d1/migrate.ts';
import { AuditOutbox } from './audit-outbox.ts';
import type { BudgetLedgerRpc } from './contracts.ts';

/** A commit is an fsync on the only thread: under load, calls this close together share one. A lone call does not wait. */
const COMMIT_INTERVAL_MS = 4;
const DRAIN_INTERVAL_MS = 1_000;
const MAX_DRAIN_BACKOFF_MS = 60_000;
/** Of one alarm, so that a long outage is worked off in turns. */
const MAX_PAGES = 20;
/** While there is traffic; an idle ledger looks once a day, and not at all once every event is gone. */
const RETENTION_INTERVAL_MS = 10 * 60_000;
const IDLE_RETENTION_INTERVAL_MS = 24 * 3_600_000;

/**
 * One per payer. Commits audit events with the spend they settle, and moves the events on to D1. An event is in the
 * outbox until D1 has acknowledged it; a crash in between sends it again, which D1 recognises by its id.
 */
export class BudgetLedger extends DurableObject<Env> implements BudgetLedgerRpc {
  readonly #outbox: AuditOutbox;
  #waiting: AuditEvent[] = [];
  /** Settles with the commit that will take what is waiting. Requests of one object may share a promise. */
  #commit: Promise<void> | undefined;
  #committedAt = 0;
  /** As the runtime has it, so that a commit need not ask. */
  #alarmAt: number | null = null;
  #failedDrains = 0;
  #drainNotBefore = 0;
  #retentionDueAt = 0;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    this.#outbox = new AuditOutbox(state.storage);
    void state.blockConcurrencyWhile(async () => {
      this.#alarmAt = await state.storage.getAlarm();
      // The runtime gives up on an alarm whose handler keeps dying.
      if (!this.#outbox.isEmpty) await this.#wakeBy(Date.now() + DRAIN_INTERVAL_MS);
    });
  }

  async record(events: readonly AuditEvent[]): Promise<void> {
    if (events.length === 0) return;
    for (const event of events) this.#waiting.push(event);
    this.#commit ??= this.#commitSoon();
    await this.#commit;
  }

  async #commitSoon(): Promise<void> {
    await scheduler.wait(Math.max(0, this.#committedAt + COMMIT_INTERVAL_MS - Date.now()));
    const events = this.#waiting;
    this.#waiting = [];
    this.#commit = undefined;
    this.#committedAt = Date.now();
    this.#outbox.add(events);
    // In the same turn as the rows, hence in the same commit: there is no outbox without its alarm.
    await this.#wakeBy(Math.max(Date.now() + DRAIN_INTERVAL_MS, this.#drainNotBefore));
  }

  async #wakeBy(at: number): Promise<void> {
    if (this.#alarmAt !== null && this.#alarmAt <= at) return;
    this.#alarmAt = at;
    await this.ctx.storage.setAlarm(at);
  }

  override async alarm(): Promise<void> {
    this.#alarmAt = null;
    const drained = await this.#drain();
    if (!drained) return this.#wakeBy(Math.max(Date.now(), this.#drainNotBefore));
    const retentionAt = await this.#applyRetention();
    if (retentionAt !== undefined) await this.#wakeBy(retentionAt);
  }

  /** Moves events on, oldest first. @returns whether none was left */
  async #drain(): Promise<boolean> {
    try {
      await migrate(this.env.DB);
      for (let pages = 0; pages < MAX_PAGES; pages++) {
        const page = this.#outbox.page();
        if (page === undefined) return true;
        await insertAuditEvents(this.env.DB, page.events);
        this.#outbox.delivered(page, Date.now());
        this.#failedDrains = 0;
        this.#drainNotBefore = 0;
      }
    } catch (fault) {
      // Not thrown on: the runtime gives up on an alarm that keeps failing, and the outbox must not be forgotten.
      this.#failedDrains++;
      const delayMs = Math.min(DRAIN_INTERVAL_MS * 2 ** this.#failedDrains, MAX_DRAIN_BACKOFF_MS);
      this.#drainNotBefore = Date.now() + delayMs;
      log('error', 'audit.drain_failed', { retry_in_ms: delayMs, fault: describeFault(fault) });
    }
    return false;
  }

  /**
   * Every ledger sees to the retention of all events. That needs neither a scheduler, which a self-hosted gateway does
   * not have, nor an election: where nothing is due it costs two look-ups in an index, and deleting twice is harmless.
   * @returns when to look again; `undefined` when there is nothing left to expire
   */
  async #applyRetention(): Promise<number | undefined> {
    const now = Date.now();
    if (now < this.#retentionDueAt) return this.#retentionDueAt;
    try {
      const limits = await auditRetentionLimits(this.env.DB);
      const progress = await deleteExpiredAuditEvents(this.env.DB, limits, now);
      this.#retentionDueAt = progress === 'more' ? now : now + RETENTION_INTERVAL_MS;
      if (progress === 'empty') return undefined;
      return progress === 'more' ? now + DRAIN_INTERVAL_MS : now + IDLE_RETENTION_INTERVAL_MS;
    } catch (fault) {
      log('error', 'audit.retention_failed', { fault: describeFault(fault) });
      this.#retentionDueAt = now + RETENTION_INTERVAL_MS;
      return this.#retentionDueAt;
    }
  }
}
