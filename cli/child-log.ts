// What the children write, as JSON lines on stderr, with every secret this process knows taken out.
import type { Readable } from 'node:stream';
import type { GatewayDocument } from '../src/config/document.ts';
import { LineReader } from '../bridge/line-reader.ts';

const MAX_LINE_BYTES = 64 * 1024;
/** Anything shorter would blot out ordinary words. */
const MIN_SECRET_LENGTH = 8;
// Said at every start with V8 flags, and of no consequence.
const HARMLESS = /compile cache/i;

export class SecretFilter {
  #secrets: readonly string[] = [];

  /** The longest first, lest a secret that begins with another be cut in half. */
  know(secrets: Iterable<string>): void {
    const forms = [...secrets].flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)]);
    this.#secrets = [...new Set([...this.#secrets, ...forms])]
      .filter((secret) => secret.length >= MIN_SECRET_LENGTH)
      .toSorted((a, b) => b.length - a.length);
  }

  clean(text: string): string {
    return this.#secrets.reduce((cleaned, secret) => cleaned.replaceAll(secret, '[secret]'), text);
  }
}

export function secretsOf(document: GatewayDocument): string[] {
  const remote = document.mcp.servers.filter((server) => server.type !== 'stdio');
  const headers = [...remote, ...document.providers].flatMap((owner) => Object.values(owner.headers ?? {}));
  return [
    // `Bearer <token>`: the token is the secret, with or without the word.
    ...headers,
    ...headers.flatMap((value) => value.split(' ')),
    ...document.providers.flatMap(({ keys }) => keys.map(({ value }) => value)),
    ...document.virtual_keys.flatMap(({ key }) => (key === undefined ? [] : [key])),
  ];
}

export interface LogSink {
  readonly filter: SecretFilter;
  readonly write: (line: string) => void;
}

/** Passes a child's lines on; `onRecord` sees each of them too. */
export function forwardLog(
  stream: Readable | null,
  source: string,
  sink: LogSink,
  onRecord?: (record: Readonly<Record<string, unknown>>) => void,
): void {
  const onLine = (line: string): void => {
    if (HARMLESS.test(line)) return;
    const record = toRecord(sink.filter.clean(line));
    onRecord?.(record);
    sink.write(`${JSON.stringify({ source, ...record })}\n`);
  };
  const reader = new LineReader({ maxBytes: MAX_LINE_BYTES, onLine, onOverflow: onLine });
  stream?.on('data', (chunk: Buffer) => reader.push(chunk));
  stream?.on('end', () => reader.end());
}

/** workerd wraps what the worker logs; where that is a record itself, the wrapping is taken off. */
function toRecord(line: string): Record<string, unknown> {
  const outer = parseObject(line);
  if (outer === undefined) return { level: 'info', message: line };
  const { timestamp, message, ...rest } = outer;
  const inner = typeof message === 'string' ? parseObject(message) : undefined;
  return {
    ...(typeof timestamp === 'number' ? { at: new Date(timestamp).toISOString() } : {}),
    ...rest,
    ...(inner ?? (message === undefined ? {} : { message })),
  };
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
