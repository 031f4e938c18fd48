// The time by which a ledger counts. It never goes back, for what has left a window must not return to it; and it never
// stands still, for a limit that never resets is none. After the wall clock was set back it runs ahead of it, at half
// speed until they meet again: windows are longer meanwhile, never shorter.

export class LedgerClock {
  #wall: number;
  #ahead: number;

  /** @param newest the latest time by which anything was counted before */
  constructor(wall: number, newest: number) {
    this.#wall = wall;
    this.#ahead = Math.max(0, newest - wall);
  }

  /** @param wall the wall clock @returns the ledger's time */
  read(wall: number): number {
    const elapsed = wall - this.#wall;
    this.#wall = wall;
    this.#ahead = elapsed < 0 ? this.#ahead - elapsed : this.#ahead - Math.min(this.#ahead, Math.floor(elapsed / 2));
    return this.now;
  }

  /** As it was last read. */
  get now(): number {
    return this.#wall + this.#ahead;
  }

  /** What others, who have the wall clock, are told of a time of the ledger's. */
  toWall(at: number): number {
    return at - this.#ahead;
  }

  fromWall(at: number): number {
    return at + this.#ahead;
  }
}
