/** Time that passes only when told to. */
export class TestClock {
  now = 1_000_000;
  #sleepers: { at: number; wake: () => void }[] = [];

  get sleeping(): number {
    return this.#sleepers.length;
  }

  sleep = (ms: number): Promise<void> =>
    new Promise((wake) => void this.#sleepers.push({ at: this.now + ms, wake: () => wake() }));

  /** Nobody wakes any more who sleeps now. */
  stop(): void {
    this.#sleepers = [];
  }

  /** The wall clock is set; who sleeps does so as long as before. */
  jump(ms: number): void {
    this.now += ms;
    for (const sleeper of this.#sleepers) sleeper.at += ms;
  }

  async advance(ms: number): Promise<void> {
    const until = this.now + ms;
    for (;;) {
      const next = this.#sleepers.toSorted((left, right) => left.at - right.at)[0];
      if (next === undefined || next.at > until) break;
      this.#sleepers = this.#sleepers.filter((sleeper) => sleeper !== next);
      this.now = next.at;
      next.wake();
      await settle();
    }
    this.now = until;
    await settle();
  }
}

/** Lets everything run that waits for nothing but its turn. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
}
