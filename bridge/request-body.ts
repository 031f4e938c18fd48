// Reads a JSON request body of bounded size.
import type { IncomingMessage } from 'node:http';

const MAX_BODY_BYTES = 64 * 1024 * 1024;

export type Body =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly status: 400 | 413; readonly message: string };

export async function readBody(request: IncomingMessage): Promise<Body> {
  const parts: Buffer[] = [];
  let bytes = 0;
  // The connection outlives a body that is refused: the answer goes over it.
  for await (const part of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > MAX_BODY_BYTES) return { ok: false, status: 413, message: `the body is over ${MAX_BODY_BYTES} bytes` };
    parts.push(part);
  }
  try {
    return { ok: true, value: JSON.parse(Buffer.concat(parts).toString('utf8')) };
  } catch {
    // The parser's own words quote the body, which may hold secrets.
    return { ok: false, status: 400, message: 'the body is not valid JSON' };
  }
}
