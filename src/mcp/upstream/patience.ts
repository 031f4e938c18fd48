// How long a request is waited for.
import { SdkError, SdkErrorCode } from '@modelcontextprotocol/client';

/** Progress restarts the clock of a long request, which takes no more than this many timeouts in all. */
export const MOST_TIMEOUTS = 10;

/** Gives up a request that takes too long or whose caller went away. While somebody thinks, the clock stands. */
export class Patience {
  readonly #lost = Promise.withResolvers<never>();
  readonly #timeoutMs: number;
  readonly #signal: AbortSignal;
  readonly #onAbort = (): void => this.#lose(String(this.#signal.reason));
  /** What the upstream may still take in all. */
  #budgetMs: number;
  #startedAt = Date.now();
  #timer: ReturnType<typeof setTimeout>;
  #pauses = 0;
  #reason: string | undefined;

  /** @throws SdkError when the signal is aborted already */
  constructor(timeoutMs: number, signal: AbortSignal) {
    if (signal.aborted) throw new SdkError(SdkErrorCode.RequestTimeout, String(signal.reason));
    this.#timeoutMs = timeoutMs;
    this.#budgetMs = MOST_TIMEOUTS * timeoutMs;
    this.#signal = signal;
    // Nobody may be waiting when it is lost.
    this.#lost.promise.catch(() => {});
    this.#timer = this.#start();
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Rejects with an `SdkError` when the request is given up. */
  get lost(): Promise<never> {
    return this.#lost.promise;
  }

  /** Why it was given up. */
  get reason(): string | undefined {
    return this.#reason;
  }

  restart(): void {
    if (this.#pauses > 0) return;
    this.#spend();
    if (this.#budgetMs > 0) this.#timer = this.#start();
    else this.#lose('Maximum total timeout exceeded');
  }

  /** The upstream waits for somebody else now; `resume` as often as this. */
  pause(): void {
    this.#pauses += 1;
    if (this.#pauses === 1) this.#spend();
  }

  resume(): void {
    this.#pauses -= 1;
    if (this.#pauses === 0 && this.#reason === undefined) this.#timer = this.#start();
  }

  stop(): void {
    clearTimeout(this.#timer);
    // A pause that ends later must not start it again.
    this.#pauses = Infinity;
    this.#signal.removeEventListener('abort', this.#onAbort);
  }

  #start(): ReturnType<typeof setTimeout> {
    this.#startedAt = Date.now();
    return setTimeout(() => this.#lose('Request timed out'), this.#timeoutMs);
  }

  #spend(): void {
    clearTimeout(this.#timer);
    this.#budgetMs -= Date.now() - this.#startedAt;
  }

  #lose(reason: string): void {
    this.#reason ??= reason;
    this.#lost.reject(new SdkError(SdkErrorCode.RequestTimeout, reason));
  }
}
