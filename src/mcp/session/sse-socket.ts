// One open HTTP response that carries Server-Sent Events (WHATWG HTML §9.2).

const encoder = new TextEncoder();
const KEEP_ALIVE = encoder.encode(': keepalive\n\n');
/** What may wait for a slow reader before it counts as taking nothing more. */
const BACKLOG_BYTES = 1024 * 1024;

export class SseSocket {
  readonly body: ReadableStream<Uint8Array>;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  readonly #onGone: () => void;

  /** @param onGone the client hung up; not called after `close` */
  constructor(onGone: () => void) {
    this.#onGone = onGone;
    this.body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        cancel: () => this.#lose(),
      },
      new ByteLengthQueuingStrategy({ highWaterMark: BACKLOG_BYTES }),
    );
  }

  get open(): boolean {
    return this.#controller !== undefined;
  }

  /** False while its reader lags behind. */
  get ready(): boolean {
    return (this.#controller?.desiredSize ?? 0) > 0;
  }

  write(text: string): void {
    this.#controller?.enqueue(encoder.encode(text));
  }

  /** Also finds out whether the client is still there: the runtime tells only by a write that fails. */
  keepAlive(): void {
    if (this.ready) this.#controller?.enqueue(KEEP_ALIVE);
  }

  close(): void {
    const controller = this.#controller;
    this.#controller = undefined;
    controller?.close();
  }

  #lose(): void {
    if (this.#controller === undefined) return;
    this.#controller = undefined;
    this.#onGone();
  }
}

/** @param data without line breaks; empty for an event that only gives its id and, in milliseconds, `retry` */
export function sseEvent(id: string, data: string, retryMs?: number): string {
  if (data !== '') return `event: message\nid: ${id}\ndata: ${data}\n\n`;
  return `id: ${id}\n${retryMs === undefined ? '' : `retry: ${retryMs}\n`}data: \n\n`;
}
