// What a session's streams carried, for a client that comes back and names the last event it saw.
import { randomUUID } from 'node:crypto';

/** Satisfies the event store of both SDK lines, whose message types differ in name alone. */
export class EventLog<Message> {
  readonly #events: { readonly id: string; readonly streamId: string; readonly message: Message }[] = [];

  async storeEvent(streamId: string, message: Message): Promise<string> {
    const id = randomUUID();
    this.#events.push({ id, streamId, message });
    return id;
  }

  async getStreamIdForEventId(eventId: string): Promise<string | undefined> {
    return this.#events.find((event) => event.id === eventId)?.streamId;
  }

  async replayEventsAfter(
    lastEventId: string,
    { send }: { send: (eventId: string, message: Message) => Promise<void> },
  ): Promise<string> {
    const at = this.#events.findIndex((event) => event.id === lastEventId);
    const streamId = this.#events[at]?.streamId;
    if (streamId === undefined) throw new Error('no such event');
    for (const event of this.#events.slice(at + 1)) {
      if (event.streamId === streamId && !isPriming(event.message)) await send(event.id, event.message);
    }
    return streamId;
  }
}

/** The event without a message that gives a new stream its first id. */
function isPriming(message: unknown): boolean {
  return typeof message === 'object' && message !== null && Object.keys(message).length === 0;
}
