// What an isolate holds of one `concurrent` counter. Requests of slots and returns of them are under way at the same time,
// and may be lost; what is held here is at no moment more than what the ledger holds for this isolate.
export class SlotHold {
  readonly counter: string;
  /** Requests that run, and those that are being asked for. */
  #running = 0;
  #asking = 0;
  #held = 0;
  /** The most that ran since the last look. */
  #peak = 0;
  /** Of the last message that named this counter. */
  #sequence = -1;
  /** The ledger may hold more for this isolate than `#held`. */
  #unsure = false;

  constructor(counter: string) {
    this.counter = counter;
  }

  get isFree(): boolean {
    return this.#running < this.#held;
  }

  /** Whether nothing is held, as far as both sides know. */
  get isAtRest(): boolean {
    return this.#running === 0 && this.#held === 0 && !this.#unsure;
  }

  /** Whether this isolate alone holds so many, and all of them run. */
  isExhausted(amount: number): boolean {
    return this.#held >= amount && !this.isFree;
  }

  take(): void {
    this.#running++;
    if (this.#running > this.#peak) this.#peak = this.#running;
  }

  free(): void {
    this.#running--;
  }

  /** @returns how many run, the one included for which is asked */
  ask(sequence: number): number {
    this.take();
    this.#asking++;
    this.#tell(sequence, this.#running);
    return this.#running;
  }

  /** @param slots what the ledger held for this isolate when it answered */
  granted(sequence: number, slots: number): void {
    this.#asking--;
    if (sequence === this.#sequence) {
      this.#held = slots;
      this.#unsure = false;
    } else {
      // A later message may have lowered it, though never below what ran then.
      this.#held = Math.max(this.#held, this.#running - this.#asking);
    }
  }

  /** Refused, or lost. */
  notGranted(): void {
    this.#asking--;
    this.#running--;
  }

  /**
   * @param all also what is as it should be
   * @returns what to tell the ledger; undefined while there is more to hear of it
   */
  report(sequence: number, all: boolean): number | undefined {
    const wanted = Math.max(this.#running, this.#peak);
    this.#peak = this.#running;
    const surplus = this.#held > wanted;
    if (this.#asking > 0 || !(surplus || this.#unsure || (all && this.#held > 0))) return undefined;
    this.#tell(sequence, Math.min(this.#held, wanted));
    return this.#held;
  }

  /** The ledger has heard the report. */
  heard(sequence: number): void {
    if (sequence === this.#sequence) this.#unsure = false;
  }

  /** From here on the ledger may take it that no more than `slots` are held. */
  #tell(sequence: number, slots: number): void {
    this.#sequence = sequence;
    this.#unsure = true;
    if (slots < this.#held) this.#held = slots;
  }

  /** What would be given back by a report now is given back. */
  relax(): void {
    this.#peak = this.#running;
  }
}
