// The stream on which a legacy server says what belongs to no request, held open for as long as somebody wants it.
import type { LegacySession } from './legacy-session.ts';
import { isSessionLost, refusedWith } from './refusal.ts';
import { pause } from './pause.ts';

/** The next request often follows at once. */
const LINGER_MS = 3_000;
/** Some servers begin the response only with their first message. */
const OPENING_MS = 500;
/** Too many requests; and one stream already, of which the server has yet to notice that it is gone. */
const PASSING: ReadonlySet<number> = new Set([409, 429]);
const PING_MS = 10_000;
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 30_000;

export class PushStream {
  readonly #session: LegacySession;
  readonly #onLost: () => void;
  #holders = 0;
  #closing: AbortController | undefined;
  #opened = Promise.withResolvers<void>();
  #linger: ReturnType<typeof setTimeout> | undefined;
  #isRefused = false;

  /** @param onLost the server does not know the session any more */
  constructor(session: LegacySession, onLost: () => void) {
    this.#session = session;
    this.#onLost = onLost;
  }

  /** Resolves when the stream is open, or there is none to be had. To be followed by one `release`. */
  async hold(): Promise<void> {
    this.#holders += 1;
    if (this.#linger !== undefined) clearTimeout(this.#linger);
    if (this.#isRefused || this.#session.wire.listen === undefined) return;
    if (this.#closing === undefined) {
      this.#closing = new AbortController();
      this.#opened = Promise.withResolvers();
      void this.#run(this.#closing.signal);
      setTimeout(this.#opened.resolve, OPENING_MS);
    }
    await this.#opened.promise;
  }

  release(): void {
    this.#holders -= 1;
    if (this.#holders > 0) return;
    if (this.#linger !== undefined) clearTimeout(this.#linger);
    this.#linger = setTimeout(() => this.stop(), LINGER_MS);
  }

  stop(): void {
    if (this.#linger !== undefined) clearTimeout(this.#linger);
    this.#closing?.abort();
    this.#closing = undefined;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { wire } = this.#session;
    let lastEventId: string | undefined;
    let failures = 0;
    let wasOpen = false;
    const onOpen = (): void => {
      wasOpen = true;
      failures = 0;
      this.#opened.resolve();
    };
    const receive = (message: Parameters<LegacySession['receive']>[0]): 'more' => {
      this.#session.receive(message);
      return 'more';
    };
    while (!signal.aborted) {
      let waitMs: number | undefined;
      try {
        const end = await wire.listen?.(receive, { signal, onOpen, ...(lastEventId !== undefined && { lastEventId }) });
        lastEventId = end?.lastEventId ?? lastEventId;
        waitMs = end?.retryMs;
      } catch (error) {
        if (signal.aborted) return;
        const status = refusedWith(error)?.status ?? 0;
        if (status >= 400 && status < 500 && !PASSING.has(status)) return this.#refused(error, wasOpen);
      }
      this.#opened.resolve();
      await pause(waitMs ?? Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** failures), signal);
      failures += 1;
    }
  }

  /** To a server that never let it open, 404 may mean only that there is no such thing. */
  async #refused(error: unknown, wasOpen: boolean): Promise<void> {
    this.#isRefused = true;
    this.#opened.resolve();
    if (isSessionLost(error) && (wasOpen || (await this.#isLost()))) this.#onLost();
  }

  async #isLost(): Promise<boolean> {
    const { signal } = new AbortController();
    try {
      await this.#session.request({ method: 'ping', signal, wantsProgress: false }, PING_MS);
      return false;
    } catch (error) {
      return isSessionLost(error);
    }
  }
}
