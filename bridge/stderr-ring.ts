// The last of what a server wrote to stderr: bounded, and without the values of its `env`.

const RING_LINES = 200;
const RING_BYTES = 64 * 1024;
const LINE_CHARS = 4096;

export class StderrRing {
  readonly #lines: string[] = [];
  #bytes = 0;

  push(line: string): void {
    this.#lines.push(line);
    this.#bytes += Buffer.byteLength(line) + 1;
    while (this.#lines.length > RING_LINES || this.#bytes > RING_BYTES) {
      this.#bytes -= Buffer.byteLength(this.#lines.shift() ?? '') + 1;
    }
  }

  /** The last lines, oldest first. */
  tail(count = RING_LINES): readonly string[] {
    return this.#lines.slice(-count);
  }
}

// Shorter values are switches and numbers; masking them would only make the text unreadable.
const SHORTEST_SECRET = 4;

/** Replaces every value of `env`, and every line of one that has several, and bounds the length of a line. */
export function lineMask(env: Readonly<Record<string, string>>): (line: string) => string {
  const values = Object.values(env);
  const secrets = [...values, ...values.flatMap((value) => value.split(/\r?\n/))]
    .filter((value) => value.length >= SHORTEST_SECRET)
    .toSorted((a, b) => b.length - a.length);
  return (line) => {
    let masked = line;
    for (const secret of secrets) masked = masked.replaceAll(secret, '***');
    return masked.length > LINE_CHARS ? `${masked.slice(0, LINE_CHARS)}…` : masked;
  };
}
