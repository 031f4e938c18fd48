// How many requests each holder may have running at once. Not leased but held: what a holder says of itself is absolute,
// and a holder that is silent has none.
import { remembered } from '../lib/remembered.ts';
import type { SlotCounts } from './lease.ts';
import { LEASE_LIFETIME_MS } from './lease.ts';
import { SLACK_SHARE } from './slack.ts';

export interface StoredSlots {
  readonly holder: string;
  readonly counter: string;
  /** Of the message that said so. */
  readonly sequence: number;
  /** Of `held`, what is not slack. */
  readonly running: number;
  /** What it may have running; more than it asked for where there was plenty. */
  readonly held: number;
}

export class Slots {
  readonly #counters = new Map<string, Map<string, StoredSlots>>();
  readonly #heardAt = new Map<string, number>();
  #changed = new Set<StoredSlots>();
  #gone = new Set<string>();

  /** @param now holders are taken to be heard of now, for they may have been */
  constructor(stored: readonly StoredSlots[], now: number) {
    for (const slots of stored) {
      this.#of(slots.counter).set(slots.holder, slots);
      this.#heardAt.set(slots.holder, now);
    }
  }

  hear(holder: string, now: number): void {
    this.#heardAt.set(holder, now);
  }

  /** Forgets holders that were silent for too long. */
  advance(now: number): void {
    for (const [holder, heardAt] of this.#heardAt) {
      if (now < heardAt + LEASE_LIFETIME_MS) continue;
      this.#heardAt.delete(holder);
      for (const [counter, holders] of this.#counters) {
        const slots = holders.get(holder);
        if (slots !== undefined) this.#changed.delete(slots);
        if (holders.delete(holder)) this.#gone.add(holder);
        if (holders.size === 0) this.#counters.delete(counter);
      }
    }
  }

  /** @param except a holder that does not matter */
  held(counter: string, except?: string): number {
    return this.#sum(counter, except, ({ held }) => held);
  }

  heldBy(counter: string, holder: string): number {
    return this.#counters.get(counter)?.get(holder)?.held ?? 0;
  }

  /** What the holder says it needs, and no more is kept for it. An older message than the last changes nothing. */
  set(holder: string, sequence: number, counts: SlotCounts): void {
    for (const [counter, held] of Object.entries(counts)) {
      const last = this.#counters.get(counter)?.get(holder);
      const slack = last === undefined ? 0 : last.held - last.running;
      this.#put({ holder, counter, sequence, running: Math.max(0, held - slack), held });
    }
  }

  /**
   * The holder has so many running, and gets some more where there is plenty. What it has is not taken away: it may be
   * using it.
   * @param most how many all holders may have together
   */
  grant(holder: string, sequence: number, counter: string, running: number, most: number): void {
    const allowance = Math.floor(most * SLACK_SHARE);
    const others = this.held(counter, holder);
    const othersSlack = others - this.#sum(counter, holder, (slots) => slots.running);
    const left = most - others - running;
    const slack = Math.floor(Math.max(0, Math.min((allowance - othersSlack) / 2, left - 2 * allowance)));
    const held = Math.max(running + slack, this.heldBy(counter, holder));
    this.#put({ holder, counter, sequence, running: held - slack, held });
  }

  /** What is to be written, and the holders whose rows are to go; each told once. */
  takeChanges(): { readonly changed: readonly StoredSlots[]; readonly gone: readonly string[] } {
    const changes = { changed: [...this.#changed], gone: [...this.#gone] };
    this.#changed = new Set();
    this.#gone = new Set();
    return changes;
  }

  #put(slots: StoredSlots): void {
    const holders = this.#of(slots.counter);
    const last = holders.get(slots.holder);
    if (last !== undefined) {
      if (last.sequence >= slots.sequence) return;
      this.#changed.delete(last);
    }
    holders.set(slots.holder, slots);
    this.#changed.add(slots);
  }

  #of(counter: string): Map<string, StoredSlots> {
    return remembered(this.#counters, counter, () => new Map());
  }

  #sum(counter: string, except: string | undefined, of: (slots: StoredSlots) => number): number {
    let sum = 0;
    for (const [holder, slots] of this.#counters.get(counter) ?? []) if (holder !== except) sum += of(slots);
    return sum;
  }
}
