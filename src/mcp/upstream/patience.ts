// How long a call is waited for.
import { SdkError, SdkErrorCode } from '@modelcontextprotocol/client';

/** Progress restarts the clock of a long call, which takes no more than this many timeouts in all. */
export const MOST_TIMEOUTS = 10;

/** Gives up a call that takes too long or whose caller went away. */
export class Patience {
  readonly #lost = Promise.withResolvers<never>();
  readonly #timeoutMs: number;
  readonly #signal: AbortSignal;
  readonly #startedAt = Date.now();
  readonly #onAbort = (): void => this.#lose(String(this.#signal.reason));
  #timer: ReturnType<typeof setTimeout>;
  #reason: string | undefined;

  /** @throws SdkError when the signal is aborted already */
  constructor(timeoutMs: number, signal: AbortSignal) {
    if (signal.aborted) throw new SdkError(SdkErrorCode.RequestTimeout, String(signal.reason));
    this.#timeoutMs = timeoutMs;
    this.#signal = signal;
    this.#timer = this.#start();
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Rejects with an `SdkError` when the call is given up. */
  get lost(): Promise<never> {
    return this.#lost.promise;
  }

  /** Why it was given up. */
  get reason(): string | undefined {
    return this.#reason;
  }

  restart(): void {
    clearTimeout(this.#timer);
    if (Date.now() - this.#startedAt < MOST_TIMEOUTS * this.#timeoutMs) this.#timer = this.#start();
    else this.#lose('Maximum total timeout exceeded');
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#signal.removeEventListener('abort', this.#onAbort);
  }

  #start(): ReturnType<typeof setTimeout> {
    return setTimeout(() => this.#lose('Request timed out'), this.#timeoutMs);
  }

  #lose(reason: string): void {
    this.#reason ??= reason;
    this.#lost.reject(new SdkError(SdkErrorCode.RequestTimeout, reason));
  }
}
