// Bounds what a client is told unasked, however fast an upstream speaks. What only says that something changed, or how
// far something is, loses nothing by being told once for many times; of log messages the surplus is left out, and that is
// said.
import type { Spoken } from './protocol/message.ts';

const UPDATED = 'notifications/resources/updated';
const WINDOW_MS = 100;
/** Notifications per window. */
const BURST = 100;
/** Of different ones that wait for the next window. */
const MAX_WAITING = 1_000;

export interface PacedOptions {
  readonly emit: (notification: Spoken) => void;
  /** False while the client takes nothing more. */
  readonly ready?: () => boolean;
}

export class PacedNotifications {
  readonly #emit: (notification: Spoken) => void;
  readonly #ready: () => boolean;
  /** What was told in this window and need not be told in it again. */
  readonly #told = new Set<unknown>();
  #count = 0;
  /** To be told in the next, the latest of each key. */
  #waiting = new Map<unknown, Spoken>();
  #leftOut = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor({ emit, ready = () => true }: PacedOptions) {
    this.#emit = emit;
    this.#ready = ready;
  }

  /** At once where there is room; else, and where it says again what was just said, with the next window. */
  offer(notification: Spoken): void {
    const key = keyOf(notification);
    const fits = this.#count < BURST && this.#ready();
    if (fits && !this.#told.has(key) && !this.#waiting.has(key)) {
      this.#count++;
      if (saysOnlyThat(notification)) this.#told.add(key);
      this.#emit(notification);
    } else if (notification.method === 'notifications/message') this.#leftOut++;
    else if (this.#waiting.has(key) || this.#waiting.size < MAX_WAITING) this.#waiting.set(key, notification);
    this.#timer ??= setTimeout(() => this.#turn(), WINDOW_MS);
  }

  /** Tells at once what waits, before an answer after which nothing more may be told. */
  finish(): void {
    const waiting = this.#waiting;
    this.#waiting = new Map();
    for (const notification of waiting.values()) this.#emit(notification);
    this.#sayLeftOut();
    this.close();
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#waiting.clear();
  }

  #turn(): void {
    this.#timer = null;
    this.#told.clear();
    this.#count = 0;
    const waiting = this.#waiting;
    this.#waiting = new Map();
    if (this.#ready()) this.#sayLeftOut();
    for (const notification of waiting.values()) this.offer(notification);
    if (this.#leftOut > 0) this.#timer ??= setTimeout(() => this.#turn(), WINDOW_MS);
  }

  #sayLeftOut(): void {
    if (this.#leftOut === 0) return;
    const data = `${this.#leftOut} log messages came too fast and were left out`;
    this.#leftOut = 0;
    this.#emit({ method: 'notifications/message', params: { level: 'warning', logger: 'sallyport', data } });
  }
}

/** Of notifications with one key the last says what the others said. What has no key is a thing of its own. */
function keyOf(notification: Spoken): unknown {
  const { method, params } = notification;
  if (method === 'notifications/progress') return `${method} ${JSON.stringify(params?.['progressToken'])}`;
  if (method === UPDATED) return `${method} ${String(params?.['uri'])}`;
  return saysOnlyThat(notification) ? method : notification;
}

function saysOnlyThat({ method }: Spoken): boolean {
  return method === UPDATED || method.endsWith('/list_changed');
}
