// One POST that asks something: its requests, their answers, and what is told and asked on the way. Answered as plain
// JSON where that is all there is to say and it is said soon; else as a stream that can be resumed.
import { PacedNotifications } from '../paced-notifications.ts';
import { responseTo, type RpcAnswer, type RpcId, type Spoken } from '../protocol/message.ts';
import type { EventStream } from './event-stream.ts';
import { answerText } from './message-text.ts';
import type { SessionAnswer } from './ports.ts';

/** After which an answer becomes a stream. */
const PATIENCE_MS = 1_000;
/** A longer one does not go through a call between objects whole. */
const MOST_WHOLE_CHARACTERS = 1024 * 1024;

export interface ExchangeOptions {
  readonly isBatch: boolean;
  /** Begins the stream of this exchange, or gives the one that all answers of the session go to. */
  readonly stream: () => EventStream;
  /** The stream is this exchange's own and ends with it. */
  readonly ownStream: boolean;
  /** The client knows how to come back for a stream that ended early. */
  readonly pausable: boolean;
  readonly prefersStream: boolean;
}

export class Exchange {
  readonly #options: ExchangeOptions;
  readonly #paced: PacedNotifications;
  readonly #opened = Promise.withResolvers<ReadableStream<Uint8Array> | undefined>();
  #stream: EventStream | undefined;
  /** Those that are there while no stream is. */
  readonly #answers: [RpcId, RpcAnswer][] = [];
  #over = false;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.#paced = new PacedNotifications({
      emit: (notification) => this.tell({ jsonrpc: '2.0', ...notification }),
      ready: () => this.#stream?.ready ?? true,
    });
  }

  notify(notification: Spoken): void {
    if (!this.#over) this.#paced.offer(notification);
  }

  tell(message: unknown): void {
    this.#open().send(message);
  }

  pause(retryMs: number | undefined): void {
    if (this.#options.pausable) this.#open().pause(retryMs);
  }

  /** @param answer undefined for a request that its client cancelled */
  settle(id: RpcId, answer: RpcAnswer | undefined): void {
    // What was told of a request comes before its answer.
    this.#paced.finish();
    if (answer === undefined) this.#stream?.giveUp(id);
    else if (this.#stream === undefined) this.#answers.push([id, answer]);
    else this.#stream.send(responseTo(id, answer), id);
  }

  /** @param served resolves when all requests are settled; never rejects */
  async answer(served: Promise<unknown>): Promise<SessionAnswer> {
    const over = served.then(() => this.#end());
    if (!this.#options.ownStream) return { kind: 'accepted' };
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, PATIENCE_MS);
    await Promise.race([over, this.#opened.promise, late.promise]);
    clearTimeout(timer);
    if (this.#over && this.#stream === undefined) return this.#whole();
    this.#open();
    const events = await this.#opened.promise;
    return events === undefined ? { kind: 'accepted' } : { kind: 'stream', events };
  }

  #open(): EventStream {
    if (this.#stream !== undefined) return this.#stream;
    const stream = this.#options.stream();
    this.#stream = stream;
    this.#opened.resolve(this.#options.ownStream ? stream.attach(0) : undefined);
    for (const [id, answer] of this.#answers.splice(0)) stream.send(responseTo(id, answer), id);
    return stream;
  }

  #end(): void {
    this.#over = true;
    this.#paced.close();
    if (this.#options.ownStream) this.#stream?.end();
    else this.#open();
  }

  #whole(): SessionAnswer {
    const answers = Array.from(this.#answers, ([id, answer]) => answerText(id, responseTo(id, answer)));
    if (answers.length === 0) return { kind: 'accepted' };
    if (this.#options.prefersStream) {
      const events = answers.map((answer) => `event: message\ndata: ${answer}\n\n`).join('');
      return { kind: 'stream', events: bytesOf(events) };
    }
    const json = this.#options.isBatch ? `[${answers.join(',')}]` : (answers[0] ?? '');
    return { kind: 'json', json: json.length > MOST_WHOLE_CHARACTERS ? bytesOf(json) : json };
  }
}

function bytesOf(text: string): ReadableStream<Uint8Array> {
  return new Blob([text]).stream();
}
