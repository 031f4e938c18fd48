// `x-sallyport-tags: team=search,run=42`: the caller's own labels, kept on the audit event as they came.
import { failure, type Failure } from '../policy/failure.ts';
import { err, ok, type Result } from '../lib/result.ts';

export const TAGS_HEADER = 'x-sallyport-tags';

const MAX_TAGS = 16;
const MAX_KEY_LENGTH = 64;
const MAX_VALUE_LENGTH = 256;
const KEY = /^[A-Za-z0-9][A-Za-z0-9._:/-]*$/;
// Printable, so that a tag cannot forge a line wherever it is shown.
const VALUE = /^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}\u{fffd}]*$/u;

export type Tags = Readonly<Record<string, string>>;

/** The tags of a request; `undefined` where the header is absent or blank. Bad tags fail the request, none is dropped. */
export function parseTags(header: string | null | undefined): Result<Tags | undefined, Failure> {
  if (header === null || header === undefined || header.trim() === '') return ok(undefined);
  const tags = new Map<string, string>();
  for (const part of header.split(',')) {
    const separator = part.indexOf('=');
    if (separator === -1)
      return refuse(`"${shorten(part.trim())}" has no "="; write key=value pairs separated by commas`);
    const key = part.slice(0, separator).trim();
    const value = part.slice(separator + 1).trim();
    const problem = problemOf(key, value) ?? (tags.has(key) ? `"${key}" is given twice` : undefined);
    if (problem !== undefined) return refuse(problem);
    tags.set(key, value);
  }
  if (tags.size > MAX_TAGS) return refuse(`${tags.size} tags are too many; at most ${MAX_TAGS} are kept`);
  return ok(Object.fromEntries(tags));
}

function problemOf(key: string, value: string): string | undefined {
  if (key.length > MAX_KEY_LENGTH) return `the key "${shorten(key)}" is longer than ${MAX_KEY_LENGTH} characters`;
  if (!KEY.test(key)) {
    return `the key "${shorten(key)}" must begin with a letter or digit and go on with those, ".", "_", ":", "/" and "-"`;
  }
  if (value.length > MAX_VALUE_LENGTH) return `the value of "${key}" is longer than ${MAX_VALUE_LENGTH} characters`;
  if (!VALUE.test(value)) return `the value of "${key}" holds what does not print, or is not UTF-8`;
  return undefined;
}

function refuse(problem: string): Result<never, Failure> {
  return err(failure('invalid_request', `${TAGS_HEADER}: ${problem}.`, { param: TAGS_HEADER }));
}

function shorten(text: string): string {
  return text.length <= 40 ? text : `${text.slice(0, 40)}…`;
}
