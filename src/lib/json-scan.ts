// What `JSON.parse` throws away: where each top-level value stands in the text, and keys given twice. Parsers disagree
// on which of two equal keys counts (RFC 8259 §4), so a gateway that checks one may forward the other.

/** Offsets into the text, in UTF-16 code units, end exclusive. */
export interface JsonSpan {
  readonly start: number;
  readonly end: number;
}

export interface JsonScan {
  /** Where the values of the top-level object stand; empty for any other JSON. */
  readonly members: ReadonlyMap<string, JsonSpan>;
  /** The first key found twice in one object, as a path: `params.arguments`, `messages[0].role`. */
  readonly duplicate?: string;
}

interface Frame {
  readonly keys: Map<string, JsonSpan> | undefined;
  key: string;
  index: number;
  expectsKey: boolean;
  valueStart: number;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const NO_SPAN: JsonSpan = { start: 0, end: 0 };

/**
 * One pass over text that `JSON.parse` has accepted; on any other text the answer means nothing.
 * @param duplicateDepth how deep equal keys are looked for: 1 is the top-level object only; every object and array
 *   around a key counts one
 */
export function scanJson(text: string, duplicateDepth: number): JsonScan {
  const trackedDepth = Math.max(1, duplicateDepth);
  const members = new Map<string, JsonSpan>();
  const frames: Frame[] = [];
  let depth = 0;
  let frame: Frame | undefined;

  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE: {
        const close = closingQuote(text, at);
        if (frame?.expectsKey === true && frame.keys !== undefined) {
          frame.key = keyBetween(text, at, close);
          frame.expectsKey = false;
          if (frame.keys.has(frame.key)) return { members, duplicate: pathOf(frames) };
          frame.keys.set(frame.key, NO_SPAN);
        }
        at = close;
        break;
      }
      case COLON:
        if (frame !== undefined) frame.valueStart = at + 1;
        break;
      case COMMA:
        if (frame === undefined) break;
        if (depth === 1) endMember(text, frame, at);
        frame.expectsKey = frame.keys !== undefined;
        frame.index++;
        break;
      case OPEN_OBJECT:
      case OPEN_ARRAY:
        depth++;
        frame = undefined;
        if (depth > trackedDepth) break;
        frame = openFrame(text.charCodeAt(at) === OPEN_OBJECT, depth === 1 ? members : undefined);
        frames.push(frame);
        break;
      case CLOSE_OBJECT:
      case CLOSE_ARRAY:
        if (depth === 1 && frame !== undefined) endMember(text, frame, at);
        if (frame !== undefined) frames.pop();
        depth--;
        frame = depth <= trackedDepth ? frames.at(-1) : undefined;
        break;
    }
  }
  return { members };
}

function openFrame(isObject: boolean, topLevel: Map<string, JsonSpan> | undefined): Frame {
  const keys = isObject ? (topLevel ?? new Map<string, JsonSpan>()) : undefined;
  return { keys, key: '', index: 0, expectsKey: isObject, valueStart: 0 };
}

/** The next quote that an even number of backslashes precedes; `indexOf` keeps long strings cheap. */
function closingQuote(text: string, open: number): number {
  let close = text.indexOf('"', open + 1);
  while (close !== -1) {
    let slash = close - 1;
    while (text.charCodeAt(slash) === BACKSLASH) slash--;
    if ((close - slash) % 2 === 1) return close;
    close = text.indexOf('"', close + 1);
  }
  return text.length;
}

function keyBetween(text: string, open: number, close: number): string {
  const raw = text.slice(open + 1, close);
  return raw.includes('\\') ? String(JSON.parse(text.slice(open, close + 1))) : raw;
}

function endMember(text: string, frame: Frame, end: number): void {
  // An empty object has no member to end.
  if (frame.keys === undefined || frame.valueStart === 0) return;
  let start = frame.valueStart;
  while (isWhitespace(text.charCodeAt(start))) start++;
  let last = end;
  while (isWhitespace(text.charCodeAt(last - 1))) last--;
  frame.keys.set(frame.key, { start, end: last });
}

function isWhitespace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

function pathOf(frames: readonly Frame[]): string {
  let path = '';
  for (const frame of frames) {
    if (frame.keys === undefined) path += `[${frame.index}]`;
    else path += path === '' ? frame.key : `.${frame.key}`;
  }
  return path;
}
