// A child that is kept running: started again when it ends by itself, until it is stopped.
import type { Leashed } from '../../bridge/leash.ts';

const FIRST_DELAY_MS = 100;
const LAST_DELAY_MS = 5_000;
/** A child that ran this long was well: its next failure is the first of a new run. */
const SUSTAINED_UPTIME_MS = 30_000;

export interface SupervisedOptions {
  readonly spawn: () => Leashed;
  /** Told of every end that nobody asked for, with the pause before the next start. */
  readonly onFailure: (ending: Ending, restartInMs: number) => void;
}

interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class Supervised {
  readonly #options: SupervisedOptions;
  #leashed: Leashed | undefined;
  #restart: NodeJS.Timeout | undefined;
  #failures = 0;
  #stopping = false;

  constructor(options: SupervisedOptions) {
    this.#options = options;
  }

  /** Ends in a row that nobody asked for. */
  get failures(): number {
    return this.#failures;
  }

  /** Of the child, while there is one. */
  get pid(): number | undefined {
    return this.#leashed?.child.pid;
  }

  start(): void {
    if (this.#stopping) return;
    const leashed = this.#options.spawn();
    this.#leashed = leashed;
    void this.#awaitEnd(leashed, performance.now());
  }

  async #awaitEnd(leashed: Leashed, startedAt: number): Promise<void> {
    await leashed.gone;
    this.#leashed = undefined;
    if (this.#stopping) return;
    if (performance.now() - startedAt >= SUSTAINED_UPTIME_MS) this.#failures = 0;
    const delayMs = Math.min(LAST_DELAY_MS, FIRST_DELAY_MS * 2 ** this.#failures);
    this.#failures += 1;
    this.#restart = setTimeout(() => this.start(), delayMs);
    const { exitCode, signalCode } = leashed.child;
    this.#options.onFailure({ code: exitCode, signal: signalCode }, delayMs);
  }

  /** Ends the child at once, to be started again: for one that no longer answers. */
  kill(): void {
    void this.#leashed?.stop(0);
  }

  /** Asks the child to end, kills it after `graceMs`, and starts it no more. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#restart);
    await this.#leashed?.stop(graceMs);
  }
}
