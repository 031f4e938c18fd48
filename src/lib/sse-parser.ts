// Reads Server-Sent Events (WHATWG HTML §9.2) out of a byte stream whose chunks end anywhere. For watching a stream go
// by: ids, retry times and lines that end in a bare carriage return are ignored.

export interface SseEvent {
  /** The event's type; empty where the stream names none. */
  readonly type: string;
  readonly data: string;
}

/** Enough for an image in a final event; what is longer is passed over, so that a stream cannot fill the memory. */
const MAX_EVENT_CHARACTERS = 16 * 1024 * 1024;

export class SseParser {
  readonly #decoder = new TextDecoder();
  readonly #onEvent: (event: SseEvent) => void;
  /** The line begun, in the pieces it came in: joined once, however many there are. */
  #pieces: string[] = [];
  #piecesLength = 0;
  #type = '';
  #data: string[] = [];
  #dataLength = 0;
  #overlong = false;

  constructor(onEvent: (event: SseEvent) => void) {
    this.#onEvent = onEvent;
  }

  feed(chunk: Uint8Array): void {
    const text = this.#decoder.decode(chunk, { stream: true });
    let start = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
      const piece = text.slice(start, end);
      this.#line(this.#pieces.length === 0 ? piece : this.#joinWith(piece));
      start = end + 1;
    }
    if (start < text.length) this.#hold(text.slice(start));
  }

  #hold(piece: string): void {
    this.#piecesLength += piece.length;
    if (this.#piecesLength + this.#dataLength <= MAX_EVENT_CHARACTERS) this.#pieces.push(piece);
    else this.#overlong = true;
  }

  #joinWith(piece: string): string {
    this.#pieces.push(piece);
    const line = this.#pieces.join('');
    this.#pieces = [];
    this.#piecesLength = 0;
    return line;
  }

  #line(raw: string): void {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    if (line === '') return this.#dispatch();
    if (line.startsWith('data:')) this.#addData(line.slice(line.charAt(5) === ' ' ? 6 : 5));
    else if (line.startsWith('event:')) this.#type = line.slice(6).trim();
  }

  #addData(data: string): void {
    this.#dataLength += data.length;
    if (this.#dataLength <= MAX_EVENT_CHARACTERS) this.#data.push(data);
    else this.#overlong = true;
  }

  #dispatch(): void {
    const data = this.#data;
    const event = { type: this.#type, data: data.length === 1 ? (data[0] ?? '') : data.join('\n') };
    const isComplete = data.length > 0 && !this.#overlong;
    this.#data = [];
    this.#type = '';
    this.#dataLength = 0;
    this.#overlong = false;
    if (isComplete) this.#onEvent(event);
  }
}
