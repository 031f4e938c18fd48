// What an isolate holds of one `concurrent` counter. Requests of slots and returns of them are under way at the same time,
// and may be lost; what is held here is at no moment more than what the ledger holds for this isolate.
export class SlotHold {
  readonly counter: string;
  /** Requests that run, and those that are being asked for. */
  #running = 0;
  #asking = 0;
  #held = 0;
  /** What came beyond what was asked for. */
  #slack = 0;
  #sinceLook = { peak: 0, isBusy: false };
  #beforeLook = this.#sinceLook;
  /** Of the last message that named this counter. */
  #sequence = -1;
  #reported = -1;
  /** Of the last message after which the ledger may hold more for this isolate than `#held`. */
  #doubted: number | undefined;

  constructor(counter: string) {
    this.counter = counter;
  }

  get isFree(): boolean {
    return this.#running < this.#held;
  }

  /** For how many more requests there is one, or most likely will be when something is asked for. */
  get room(): number {
    return Math.max(this.#held - this.#running, this.#slack);
  }

  /** Whether nothing is held, as far as both sides know. */
  get isAtRest(): boolean {
    return this.#running === 0 && this.#held === 0 && this.#doubted === undefined;
  }

  /** Whether this isolate alone holds so many, and all of them run. */
  isExhausted(amount: number): boolean {
    return this.#held >= amount && !this.isFree;
  }

  take(): void {
    this.#running++;
    this.#sinceLook = { peak: Math.max(this.#sinceLook.peak, this.#running), isBusy: true };
  }

  free(): void {
    this.#running--;
  }

  /** @returns how many run, the one included for which is asked. The ledger takes none away for it. */
  ask(sequence: number): number {
    this.take();
    this.#asking++;
    this.#sequence = sequence;
    return this.#running;
  }

  /**
   * @param asked as `ask` returned it
   * @param slots what the ledger held for this isolate when it answered
   */
  granted(sequence: number, asked: number, slots: number): void {
    this.#asking--;
    // A report since then may have been heard later, and told of as many as run.
    if (sequence < this.#reported) return;
    if (slots > this.#held) this.#slack = slots - asked;
    this.#held = sequence === this.#sequence ? slots : Math.max(this.#held, slots);
    if (this.#doubted !== undefined && sequence > this.#doubted) this.#doubted = undefined;
  }

  /** The ledger holds what it held. */
  refused(): void {
    this.#asking--;
    this.#running--;
  }

  /** It may have been granted, or be so yet. */
  lost(sequence: number): void {
    this.#asking--;
    this.#running--;
    this.#doubted = Math.max(this.#doubted ?? sequence, sequence);
  }

  /**
   * Keeps what ran at once since the look before the last, and the slack while requests begin.
   * @param all also what is as it should be
   * @returns what to tell the ledger; undefined while there is nothing to say, or more to hear of it
   */
  report(sequence: number, all: boolean): number | undefined {
    const looks = [this.#beforeLook, this.#sinceLook];
    const peak = Math.max(...looks.map((look) => look.peak));
    const wanted = looks.some(({ isBusy }) => isBusy) ? peak + this.#slack : peak;
    this.#beforeLook = this.#sinceLook;
    this.#sinceLook = { peak: this.#running, isBusy: false };
    if (this.#held <= wanted) {
      // What is being asked for would be taken away again.
      if (this.#asking > 0 || (this.#doubted === undefined && !(all && this.#held > 0))) return undefined;
    }
    this.#held = Math.min(this.#held, wanted);
    this.#sequence = this.#reported = this.#doubted = sequence;
    return this.#held;
  }

  /** The ledger has heard the report. */
  heard(sequence: number): void {
    if (this.#doubted !== undefined && sequence >= this.#doubted) this.#doubted = undefined;
  }

  /** All that is not in use now is given back by the next report. */
  relax(): void {
    this.#sinceLook = this.#beforeLook = { peak: this.#running, isBusy: false };
  }
}
