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
  return [
    ...document.mcp.servers.flatMap((server) => (server.type === 'stdio' ? [] : Object.values(server.headers ?? {}))),
    ...document.providers.flatMap(({ keys, headers }) => [
      ...keys.map(({ value }) => value),
      ...Object.values(headers ?? {}),
    ]),
    ...document.virtual_keys.flatMap(({ key }) => (key === undefined ? [] : [key])),
  ];
}

/** Passes a child's lines on to `write`. */
export function forwardLog(
  stream: Readable,
  source: string,
  filter: SecretFilter,
  write: (line: string) => void,
): void {
  const onLine = (line: string): void => {
    if (HARMLESS.test(line)) return;
    write(`${JSON.stringify({ source, ...toRecord(filter.clean(line)) })}\n`);
  };
  const reader = new LineReader({ maxBytes: MAX_LINE_BYTES, onLine, onOverflow: onLine });
  stream.on('data', (chunk: Buffer) => reader.push(chunk));
  stream.on('end', () => reader.end());
}

/** workerd wraps what the worker logs; where that is a JSON record itself, the wrapping is taken off. */
function toRecord(line: string): Record<string, unknown> {
  const outer = parseObject(line);
  if (outer === undefined) return { level: 'info', message: line };
  const inner = typeof outer['message'] === 'string' ? parseObject(outer['message']) : undefined;
  return { ...outer, ...(inner === undefined ? {} : { message: undefined, ...inner }) };
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
