// Cuts a stream of bytes into lines without ever holding more than one of them and a limit.

export interface LineReaderOptions {
  readonly maxBytes: number;
  readonly onLine: (line: string) => void;
  /** Called once for a line over the limit, with its beginning; the rest of it is dropped. */
  readonly onOverflow: (beginning: string) => void;
}

const NEWLINE = 0x0a;

export class LineReader {
  readonly #options: LineReaderOptions;
  #parts: Buffer[] = [];
  #bytes = 0;
  #skipping = false;

  constructor(options: LineReaderOptions) {
    this.#options = options;
  }

  push(chunk: Buffer): void {
    let rest = chunk;
    for (let end = rest.indexOf(NEWLINE); end !== -1; end = rest.indexOf(NEWLINE)) {
      this.#add(rest.subarray(0, end));
      this.end();
      rest = rest.subarray(end + 1);
    }
    this.#add(rest);
  }

  /** Hands out what has gathered as the last line. */
  end(): void {
    const line = this.#take();
    if (!this.#skipping && line !== '') this.#options.onLine(line);
    this.#skipping = false;
  }

  #add(part: Buffer): void {
    if (this.#skipping || part.length === 0) return;
    this.#parts.push(part);
    this.#bytes += part.length;
    if (this.#bytes <= this.#options.maxBytes) return;
    this.#skipping = true;
    this.#options.onOverflow(this.#take(this.#options.maxBytes));
  }

  #take(maxBytes = this.#bytes): string {
    const line = Buffer.concat(this.#parts).toString('utf8', 0, maxBytes);
    this.#parts = [];
    this.#bytes = 0;
    return line.endsWith('\r') ? line.slice(0, -1) : line;
  }
}
