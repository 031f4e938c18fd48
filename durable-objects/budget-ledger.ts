import { DurableObject } from 'cloudflare:workers';
import type { AuditEvent } from '../src/audit/event.ts';
import type { Charge, LimitStanding } from '../src/budget/admission.ts';
import type { HolderReport, LeaseAnswer, LeaseRequest } from '../src/budget/lease.ts';
import { Ledger } from '../src/budget/ledger.ts';
import type { Limit } from '../src/budget/limits.ts';
import type { Env } from '../src/env.ts';
import { describeFault, log } from '../src/lib/log.ts';
import { insertAuditEvents } from '../src/stores/d1/audit-event-insert.ts';
import { auditRetentionLimits, deleteExpiredAuditEvents } from '../src/stores/d1/audit-retention.ts';
import { migrate } from '../src/stores/d1/migrate.ts';
import { deleteExpiredSpend } from '../src/stores/d1/spend-retention.ts';
import { AlertDelivery } from './alert-delivery.ts';
import { ALERT_TABLES, AlertOutbox } from './alert-outbox.ts';
import { AUDIT_TABLES, AuditOutbox } from './audit-outbox.ts';
import type { AlertSenderRpc, BudgetLedgerRpc, LedgerEntry } from './contracts.ts';
import { LEASE_TABLES, LeaseStore } from './lease-store.ts';
import { ObjectDatabase } from './sqlite.ts';

const MIGRATIONS = [AUDIT_TABLES, LEASE_TABLES, ALERT_TABLES];

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
 * One per payer, and one per MCP server that is limited. Keeps limits and leases; commits audit events with what they
 * settle, and moves the events on to D1. An event is in the outbox until D1 has acknowledged it; a crash in between sends
 * it again, which D1 recognises by its id.
 */
export class BudgetLedger extends DurableObject<Env> implements BudgetLedgerRpc {
  readonly #database: ObjectDatabase;
  readonly #outbox: AuditOutbox;
  readonly #store: LeaseStore;
  readonly #alerts: AlertOutbox;
  readonly #delivery: AlertDelivery;
  /** What the store holds, in memory: changed and written in one turn. */
  #ledger: Ledger;
  #waiting: LedgerEntry[] = [];
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
    this.#database = new ObjectDatabase(state.storage, MIGRATIONS);
    this.#outbox = new AuditOutbox(this.#database);
    this.#store = new LeaseStore(this.#database);
    this.#ledger = this.#load();
    this.#alerts = new AlertOutbox(this.#database);
    this.#delivery = new AlertDelivery({
      outbox: this.#alerts,
      sender: {
        send: (alert) => (state.exports as unknown as { AlertSender: AlertSenderRpc }).AlertSender.send(alert),
      },
      record: (event, settle) => this.#recordOwn(event, settle),
      wakeBy: (at) => this.#wakeBy(at),
    });
    void state.blockConcurrencyWhile(async () => {
      this.#alarmAt = await state.storage.getAlarm();
      // The runtime gives up on an alarm whose handler keeps dying.
      if (!this.#outbox.isEmpty) await this.#wakeBy(Date.now() + DRAIN_INTERVAL_MS);
      const alertAt = this.#alerts.nextAttemptAt;
      if (alertAt !== undefined) await this.#wakeBy(alertAt);
    });
  }

  async acquire(request: LeaseRequest): Promise<LeaseAnswer> {
    return this.#change(() => this.#ledger.acquire(request, Date.now()));
  }

  async report(report: HolderReport): Promise<void> {
    this.#change(() => this.#ledger.report(report, Date.now()));
  }

  async standings(limits: readonly Limit[]): Promise<readonly LimitStanding[]> {
    return this.#ledger.standings(limits, Date.now());
  }

  async record(entries: readonly LedgerEntry[]): Promise<void> {
    if (entries.length === 0) return;
    for (const entry of entries) this.#waiting.push(entry);
    this.#commit ??= this.#commitSoon();
    await this.#commit;
  }

  async #commitSoon(): Promise<void> {
    await scheduler.wait(this.#commitIn());
    const entries = this.#waiting;
    this.#waiting = [];
    this.#commit = undefined;
    this.#committedAt = Date.now();
    const events = entries.flatMap(({ event }) => event ?? []);
    const alertsWait = this.#change(() => {
      // Before the events: a counter that is new begins with what had been spent until now.
      const alerted = this.#settle(entries.flatMap(({ charge }) => charge ?? []));
      this.#outbox.add(events);
      return alerted;
    });
    // In the same turn as the rows, hence in the same commit: there is no outbox without its alarm.
    if (alertsWait) await this.#wakeBy(Date.now());
    else if (events.length > 0) await this.#wakeBy(this.#drainAt());
  }

  /** A clock that was set back must not hold a commit up. */
  #commitIn(): number {
    return Math.max(0, Math.min(COMMIT_INTERVAL_MS, this.#committedAt + COMMIT_INTERVAL_MS - Date.now()));
  }

  /** @returns whether alerts wait now */
  #settle(charges: readonly Charge[]): boolean {
    if (charges.length === 0) return false;
    const now = Date.now();
    const { spent, unknown } = this.#ledger.record(charges, now);
    for (const { lease, draw } of unknown) log('warn', 'ledger.charge_without_lease', { lease, draw });
    const alerted = spent.filter(({ limit, standing }) => this.#alerts.consider(limit, standing, now));
    return alerted.length > 0;
  }

  async #recordOwn(event: AuditEvent, settle: () => void): Promise<void> {
    this.#change(() => {
      settle();
      this.#outbox.add([event]);
    });
    await this.#wakeBy(this.#drainAt());
  }

  /** One transaction of what is changed in memory and in storage; where it fails, memory is what storage was before. */
  #change<T>(work: () => T): T {
    try {
      return this.#database.transaction(() => {
        const outcome = work();
        this.#store.write(this.#ledger.takeChanges());
        return outcome;
      });
    } catch (fault) {
      this.#ledger = this.#load();
      throw fault;
    }
  }

  #load(): Ledger {
    const now = Date.now();
    return new Ledger(this.#store.load(now), this.#store, now);
  }

  #drainAt(): number {
    return Math.max(Date.now() + DRAIN_INTERVAL_MS, this.#drainNotBefore);
  }

  async #wakeBy(at: number): Promise<void> {
    if (this.#alarmAt !== null && this.#alarmAt <= at) return;
    this.#alarmAt = at;
    await this.ctx.storage.setAlarm(at);
  }

  override async alarm(): Promise<void> {
    this.#alarmAt = null;
    // Not waited for: a webhook that hangs is not to hold up the events.
    this.ctx.waitUntil(this.#delivery.deliver());
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
      await deleteExpiredSpend(this.env.DB, now);
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
