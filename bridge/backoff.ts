// When a server that keeps failing may be started again. No clock and no dice of its own.

const BACKOFF_FIRST_MS = 500;
const BACKOFF_LAST_MS = 30_000;
/** A server that ran this long was healthy: its next failure is the first of a new run. */
const SUSTAINED_UPTIME_MS = 60_000;

export class Backoff {
  #failures = 0;
  #retryAt = 0;

  /** Milliseconds until a start is allowed; 0 when it is. */
  remaining(now: number): number {
    return Math.max(0, this.#retryAt - now);
  }

  /** `dice` in [0, 1) spreads the delay over its upper half, so that servers that fell together do not rise together. */
  failed(now: number, uptimeMs: number, dice: number): void {
    if (uptimeMs >= SUSTAINED_UPTIME_MS) this.#failures = 0;
    const ceiling = Math.min(BACKOFF_LAST_MS, BACKOFF_FIRST_MS * 2 ** this.#failures);
    this.#failures += 1;
    this.#retryAt = now + ceiling * (0.5 + dice / 2);
  }
}
