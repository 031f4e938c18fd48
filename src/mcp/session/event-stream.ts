// One stream of a session as its client knows it: it outlives the connections over which it is read, one at a time.
import type { RpcId } from '../protocol/message.ts';
import { eventId } from './event-id.ts';
import type { EventLog } from './event-log.ts';
import { answerText, messageText } from './message-text.ts';
import { sseEvent, SseSocket } from './sse-socket.ts';

/** How long a client that lost a stream lets pass before it comes back. */
const RETRY_MS = 1_000;

export interface EventStreamOptions {
  readonly name: string;
  readonly log: EventLog;
  /** Put before each event's id. */
  readonly idPrefix: string;
  /** The client understands events without data, and so can resume what has brought it nothing yet. */
  readonly primes: boolean;
  /** Of the last event before it, in an earlier life. */
  readonly position: number;
  /** A connection came or went, or the stream ended. */
  readonly onChange: () => void;
}

export class EventStream {
  readonly name: string;
  readonly #options: EventStreamOptions;
  #position: number;
  #socket: SseSocket | undefined;
  #ended = false;

  constructor(options: EventStreamOptions) {
    this.name = options.name;
    this.#options = options;
    this.#position = options.position;
  }

  get attached(): boolean {
    return this.#socket !== undefined;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Of the last event. */
  get position(): number {
    return this.#position;
  }

  /** False while its reader lags behind. */
  get ready(): boolean {
    return this.#socket?.ready ?? true;
  }

  /** Sends a message, or keeps it for whoever resumes. @param answers the request it is the answer to */
  send(message: unknown, answers?: RpcId): void {
    const data = answers === undefined ? messageText(message) : answerText(answers, message);
    if (data === undefined) return;
    this.#position += 1;
    this.#options.log.append(this.name, this.#position, data, answers);
    this.#socket?.write(sseEvent(this.idAt(this.#position), data));
  }

  /** The request gets no answer. */
  giveUp(request: RpcId): void {
    this.#options.log.settle(this.name, request);
  }

  /** Nothing follows. */
  end(): void {
    this.#ended = true;
    this.#options.log.end(this.name);
    this.#take(undefined);
    this.#options.onChange();
  }

  /**
   * A connection from which to read it, in the place of any other.
   * @param after position of the last event that the client has
   * @param opening sent before all else
   */
  attach(after: number, opening = ''): ReadableStream<Uint8Array> {
    this.#take(undefined);
    const socket = new SseSocket(() => {
      if (this.#socket === socket) this.release();
    });
    const { log, primes } = this.#options;
    if (opening !== '') socket.write(opening);
    // Again at each resumption: a client forgets the position that it came with.
    if (primes) socket.write(sseEvent(this.idAt(after), '', RETRY_MS));
    for (const event of log.after(this.name, after)) socket.write(sseEvent(this.idAt(event.seq), event.data));
    if (this.#ended) socket.close();
    else this.#take(socket);
    return socket.body;
  }

  /** Sends the client away; it comes back when the time has passed. */
  pause(retryMs = RETRY_MS): void {
    this.#socket?.write(sseEvent(this.idAt(this.#position), '', retryMs));
    this.release();
  }

  /** Ends the connection, not the stream. */
  release(): void {
    if (this.#socket === undefined) return;
    this.#take(undefined);
    this.#options.log.makeDurable(this.name);
  }

  keepAlive(): void {
    this.#socket?.keepAlive();
  }

  /** Whether somebody still reads it: a client that is gone is noticed by the second write after that. */
  async probe(pauseMs: number): Promise<boolean> {
    for (let writes = 0; writes < 2; writes++) {
      this.keepAlive();
      await scheduler.wait(pauseMs);
    }
    return this.attached;
  }

  idAt(seq: number): string {
    return this.#options.idPrefix + eventId({ stream: this.name, seq });
  }

  #take(socket: SseSocket | undefined): void {
    const before = this.#socket;
    if (before === socket) return;
    this.#socket = socket;
    before?.close();
    if (socket !== undefined) this.#options.log.makePassing(this.name);
    this.#options.onChange();
  }
}
