// Where text stops being JSON. Run only after `JSON.parse` has refused: its own message names no position for most faults.

/** Offset of the first character that RFC 8259 does not allow there; the length of the text where it ends too early. */
export function jsonErrorOffset(text: string): number {
  const reader = new Reader(text);
  const closers: string[] = [];
  for (;;) {
    // A value is due here.
    const open = reader.next();
    if (open === '{' || open === '[') {
      const close = open === '{' ? '}' : ']';
      reader.at++;
      if (reader.next() !== close) {
        closers.push(close);
        if (close === '}' && !reader.key()) return reader.at;
        continue;
      }
      reader.at++;
    } else if (!reader.scalar()) return reader.at;

    // A value has ended here: close what it ends, or go on to the next.
    while (closers.length > 0 && reader.next() === closers.at(-1)) {
      closers.pop();
      reader.at++;
    }
    const closer = closers.at(-1);
    const next = reader.next();
    if (closer === undefined || next !== ',') return reader.at;
    reader.at++;
    if (closer === '}' && !reader.key()) return reader.at;
  }
}

class Reader {
  at = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** Skips whitespace; the character now stood on, empty at the end. */
  next(): string {
    while (' \t\r\n'.includes(this.#text.charAt(this.at)) && this.at < this.#text.length) this.at++;
    return this.#text.charAt(this.at);
  }

  /** `"name" :`; false leaves `at` on the fault. */
  key(): boolean {
    if (this.next() !== '"' || !this.#string() || this.next() !== ':') return false;
    this.at++;
    return true;
  }

  scalar(): boolean {
    if (this.next() === '"') return this.#string();
    for (const word of ['true', 'false', 'null'])
      if (this.#text.startsWith(word, this.at)) {
        this.at += word.length;
        return true;
      }
    return this.#number();
  }

  #number(): boolean {
    const match = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
    match.lastIndex = this.at;
    if (!match.test(this.#text)) return false;
    this.at = match.lastIndex;
    return true;
  }

  #string(): boolean {
    for (this.at++; this.at < this.#text.length; this.at++) {
      const character = this.#text.charAt(this.at);
      if (character === '"') {
        this.at++;
        return true;
      }
      if (character < ' ') return false;
      if (character === '\\' && !this.#escape()) return false;
    }
    return false;
  }

  /** On the backslash; true leaves `at` on the last character of the escape. */
  #escape(): boolean {
    const match = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
    match.lastIndex = this.at;
    if (!match.test(this.#text)) return false;
    this.at = match.lastIndex - 1;
    return true;
  }
}
