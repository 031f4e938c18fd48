// Reads Server-Sent Events (WHATWG HTML §9.2) out of a byte stream whose chunks end anywhere. For watching a stream go
// by: lines that end in a bare carriage return are ignored.

export interface SseEvent {
  /** The event's type; empty where the stream names none. */
  readonly type: string;
  readonly data: string;
}

/** Enough for an image in a final event; more, and a stream could fill the memory. */
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
  readonly #maxCharacters: number;
  #lastEventId: string | undefined;
  #retryMs: number | undefined;

  /** @param maxCharacters of one event; what is longer is passed over */
  constructor(onEvent: (event: SseEvent) => void, maxCharacters = MAX_EVENT_CHARACTERS) {
    this.#onEvent = onEvent;
    this.#maxCharacters = maxCharacters;
  }

  /** Where the stream may be taken up again, if it names its events. */
  get lastEventId(): string | undefined {
    return this.#lastEventId;
  }

  /** How long the server wants to be left alone before that. */
  get retryMs(): number | undefined {
    return this.#retryMs;
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
    if (this.#piecesLength + this.#dataLength <= this.#maxCharacters) this.#pieces.push(piece);
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
    else if (line.startsWith('id:')) this.#lastEventId = line.slice(3).trim();
    else if (/^retry: ?\d+$/.test(line)) this.#retryMs = Number(line.slice(6));
  }

  #addData(data: string): void {
    this.#dataLength += data.length;
    if (this.#dataLength <= this.#maxCharacters) this.#data.push(data);
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
