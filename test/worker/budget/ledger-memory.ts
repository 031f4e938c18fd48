// The pure core of a ledger over a storage that is a few maps of JSON text.
import type { LedgerEntry } from '../../../durable-objects/contracts.ts';
import type { CounterSource, StoredCounter, StoredPlan } from '../../../src/budget/counter-book.ts';
import type { StoredLease } from '../../../src/budget/granted-lease.ts';
import { Ledger, type LedgerChanges, type Settlement, type StoredLedger } from '../../../src/budget/ledger.ts';
import type { SettledSpend } from '../../../src/budget/settled-spend.ts';
import type { StoredSlots } from '../../../src/budget/slots.ts';
import type { TestedLedger, WorldClock } from './ledger-gateways.ts';

export class LedgerMemory implements CounterSource {
  readonly counters = new Map<string, string>();
  readonly plans = new Map<string, string>();
  readonly leases = new Map<string, string>();
  readonly slots = new Map<string, string>();
  readonly spent: SettledSpend[] = [];
  #changedAt = 0;

  load(): StoredLedger {
    return {
      leases: [...this.leases.values()].map((lease): StoredLease => JSON.parse(lease)),
      plans: [...this.plans.values()].map((plan): StoredPlan => JSON.parse(plan)),
      slots: [...this.slots.values()].map((slots): StoredSlots => JSON.parse(slots)),
      changedAt: this.#changedAt,
    };
  }

  counter(id: string): ReturnType<CounterSource['counter']> {
    const stored = this.counters.get(id);
    return stored === undefined ? undefined : (JSON.parse(stored) as StoredCounter);
  }

  spend(tier: SettledSpend['tier'], name: string, since: number): readonly SettledSpend[] {
    return this.spent.filter((row) => row.tier === tier && row.name === name && row.hour >= since);
  }

  write(changes: LedgerChanges): void {
    for (const [key, slots] of this.slots) {
      if (changes.goneHolders.includes((JSON.parse(slots) as StoredSlots).holder)) this.slots.delete(key);
    }
    for (const id of changes.endedLeases) this.leases.delete(id);
    for (const id of changes.gonePlans) this.plans.delete(id);
    for (const plan of changes.plans) this.plans.set(plan.id, JSON.stringify(plan));
    for (const lease of changes.leases) this.leases.set(lease.id, JSON.stringify(lease));
    for (const slots of changes.slots) this.slots.set(`${slots.holder}/${slots.counter}`, JSON.stringify(slots));
    for (const counter of changes.counters) {
      this.counters.set(counter.id, JSON.stringify(counter));
      this.#changedAt = Math.max(this.#changedAt, counter.changedAt);
    }
  }
}

/** What it answers is as it would be across a network. */
export class CoreLedger implements TestedLedger {
  readonly memory = new LedgerMemory();
  readonly #clock: WorldClock;
  core: Ledger;
  last: Settlement = { spent: [], unknown: [] };

  constructor(clock: WorldClock) {
    this.#clock = clock;
    this.core = new Ledger(this.memory.load(), this.memory, clock.wall);
  }

  async acquire(...[request]: Parameters<TestedLedger['acquire']>): ReturnType<TestedLedger['acquire']> {
    return this.#written(this.core.acquire(request, this.#clock.wall));
  }

  async record(entries: readonly LedgerEntry[]): Promise<void> {
    const charges = entries.flatMap(({ charge }) => charge ?? []);
    this.last = this.#written(this.core.record(charges, this.#clock.wall));
  }

  async report(...[report]: Parameters<TestedLedger['report']>): Promise<void> {
    this.core.report(report, this.#clock.wall);
    this.#written(undefined);
  }

  async standings(...[limits]: Parameters<TestedLedger['standings']>): ReturnType<TestedLedger['standings']> {
    return structuredClone(this.core.standings(limits, this.#clock.wall));
  }

  async restart(): Promise<void> {
    this.core = new Ledger(this.memory.load(), this.memory, this.#clock.wall);
  }

  #written<T>(answer: T): T {
    this.memory.write(this.core.takeChanges());
    return structuredClone(answer);
  }
}
