// Listeners on the far side of a call between objects: whoever takes what is told may be gone without a word.
import type { Listener } from '../links.ts';
import type { UpstreamCallFailure } from '../ports.ts';
import type { Spoken } from '../protocol/message.ts';
import type { Hear } from './principal-port.ts';

/** Told when the listening begins, and now and then to find out who is still there. */
export const STILL_THERE: Spoken = { method: 'still-there' };
const CHECK_MS = 15_000;
const MOST_UNTAKEN = 256;

interface Entry {
  readonly listener: Listener;
  readonly over: PromiseWithResolvers<void>;
  readonly check: ReturnType<typeof setInterval>;
}

export class PrincipalListeners {
  readonly #entries = new Map<string, Entry>();

  /** Resolves when it has ended. */
  async add(
    id: string,
    hear: Hear,
    listen: (onNotification: (notification: Spoken) => void) => Listener,
  ): Promise<void> {
    let untaken = 0;
    const tell = (notification: Spoken): void => {
      // Whoever listens compares lists, so that one word of a change says as much as many.
      if (untaken >= MOST_UNTAKEN) return;
      untaken += 1;
      void this.#taken(id, hear(notification)).then(() => (untaken -= 1));
    };
    const over = Promise.withResolvers<void>();
    const check = setInterval(() => tell(STILL_THERE), CHECK_MS);
    const listener = listen(tell);
    this.#entries.set(id, { listener, over, check });
    void Promise.resolve(listener.opened).then(() => tell(STILL_THERE));
    await over.promise;
  }

  async resubscribe(id: string, uris: readonly string[]): Promise<UpstreamCallFailure | undefined> {
    return this.#entries.get(id)?.listener.resubscribe(uris);
  }

  end(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    clearInterval(entry.check);
    entry.listener.close();
    entry.over.resolve();
  }

  async #taken(id: string, taking: void | Promise<void>): Promise<void> {
    try {
      await taking;
    } catch {
      // Whoever listened is gone.
      this.end(id);
    }
  }
}
