// The leases of one ledger, from their grant until nothing can come of them any more.
import type { GrantedLease, StoredLease } from './granted-lease.ts';
import { LEASE_LIFETIME_MS } from './lease.ts';
import type { Amounts } from './limits.ts';

export class LeaseBook {
  readonly #leases = new Map<string, GrantedLease>();
  /** When those ended that did lately: a message about them is late, and not of a stranger. */
  readonly #endedAt = new Map<string, number>();
  #changed = new Set<GrantedLease>();
  #ended = new Set<string>();
  /** Nothing happens by itself before. */
  #nextAt = -Infinity;

  get(id: string): GrantedLease | undefined {
    return this.#leases.get(id);
  }

  hasEnded(id: string): boolean {
    return this.#endedAt.has(id);
  }

  /** One that is stored already. */
  restore(lease: GrantedLease): void {
    this.#leases.set(lease.id, lease);
  }

  add(lease: GrantedLease): void {
    this.restore(lease);
    this.changed(lease);
    this.#nextAt = Math.min(this.#nextAt, lease.expiresAt);
  }

  /** Something happened to the lease; it may have been the last thing. */
  changed(lease: GrantedLease, now?: number): void {
    this.#changed.add(lease);
    if (now !== undefined && lease.isOver) this.#end(lease, now);
  }

  renew(id: string, now: number): void {
    const lease = this.#leases.get(id);
    if (lease?.renew(now) === true) this.#changed.add(lease);
  }

  trim(id: string, drawn: Amounts, now: number): void {
    const lease = this.#leases.get(id);
    if (lease === undefined) this.#remember(id, now);
    else if (lease.trim(drawn)) this.changed(lease, now);
  }

  /** Leases expire, and those that expired leave the last of their windows. */
  advance(now: number): void {
    if (now < this.#nextAt) return;
    this.#nextAt = Infinity;
    for (const lease of this.#leases.values()) {
      if (!lease.isDead && lease.expiresAt <= now) lease.die();
      const nextAt = lease.isDead ? lease.forgetAt : lease.expiresAt;
      if (nextAt <= now) this.#end(lease, now);
      else this.#nextAt = Math.min(this.#nextAt, nextAt);
    }
  }

  /** What is to be written, and which rows are to go; each told once. */
  takeChanges(): { readonly leases: readonly StoredLease[]; readonly endedLeases: readonly string[] } {
    const changes = { leases: [...this.#changed].map((lease) => lease.stored()), endedLeases: [...this.#ended] };
    this.#changed = new Set();
    this.#ended = new Set();
    return changes;
  }

  #end(lease: GrantedLease, now: number): void {
    lease.end();
    this.#leases.delete(lease.id);
    this.#changed.delete(lease);
    this.#ended.add(lease.id);
    this.#remember(lease.id, now);
  }

  #remember(id: string, now: number): void {
    this.#endedAt.set(id, now);
    for (const [earlier, endedAt] of this.#endedAt) {
      if (now < endedAt + LEASE_LIFETIME_MS) break;
      this.#endedAt.delete(earlier);
    }
  }
}
