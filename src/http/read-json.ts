// A JSON body, read under a cap. Everything a route refuses before it looks at the contents is refused here.
import { joinedBytes } from '../lib/bytes.ts';
import { jsonErrorOffset } from '../lib/json-error.ts';
import { scanJson, type JsonSpan } from '../lib/json-scan.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { failure, type Failure } from '../policy/failure.ts';

export interface JsonBody {
  /** Exactly as sent. */
  readonly text: string;
  readonly value: unknown;
  /** Where the values of the top-level object stand in `text`. */
  readonly members: ReadonlyMap<string, JsonSpan>;
  /** Length of the body as sent. */
  readonly byteLength: number;
}

export interface JsonLimits {
  readonly maxBytes: number;
  /** See `scanJson`. */
  readonly duplicateDepth: number;
}

// A byte order mark is kept and then refused as any other stray character is: it would not survive the way upstream.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads and checks the body once. Failures are `unsupported_media_type`, `request_too_large` and `invalid_request`. */
export async function readJson(request: Request, limits: JsonLimits): Promise<Result<JsonBody, Failure>> {
  const mediaFault = mediaTypeFault(request.headers);
  if (mediaFault !== undefined) return err(mediaFault);
  const bytes = await readCapped(request, limits.maxBytes);
  if (bytes === undefined)
    return err(failure('request_too_large', `The request body is larger than the limit of ${limits.maxBytes} bytes.`));
  if (bytes.byteLength === 0) return err(failure('invalid_request', 'The request body is empty; send a JSON object.'));

  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    return err(failure('invalid_request', 'The request body is not valid UTF-8.'));
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return err(failure('invalid_request', `The request body is not valid JSON: ${faultIn(text)}.`));
  }
  const { members, duplicate } = scanJson(text, limits.duplicateDepth);
  if (duplicate !== undefined)
    return err(
      failure('invalid_request', `The request body gives the key "${shown(duplicate)}" twice; send it once.`, {
        param: shown(duplicate),
      }),
    );
  return ok({ text, value, members, byteLength: bytes.byteLength });
}

function mediaTypeFault(headers: Headers): Failure | undefined {
  const contentType = headers.get('content-type') ?? '';
  // The value every SDK sends is let through without a look at its parts.
  if (contentType !== 'application/json') {
    const [essence = '', ...parameters] = contentType.toLowerCase().split(';');
    const charset = parameters
      .map((parameter) => parameter.trim())
      .find((parameter) => parameter.startsWith('charset='));
    const isJson = /^application\/(?:[a-z0-9!#$&^_.+-]+\+)?json$/.test(essence.trim());
    if (!isJson || !(charset === undefined || /^charset="?utf-?8"?$/.test(charset)))
      return failure('unsupported_media_type', 'Send the body as content-type: application/json in UTF-8.');
  }
  const encoding = headers.get('content-encoding');
  if (encoding !== null && encoding.trim().toLowerCase() !== 'identity')
    return failure('unsupported_media_type', 'Send the body uncompressed: content-encoding is not supported.');
  return undefined;
}

/** Undefined when the body is larger than the cap; then no more than the cap was kept. */
async function readCapped(request: Request, maxBytes: number): Promise<Uint8Array | undefined> {
  const declared = request.headers.get('content-length');
  if (declared !== null) {
    if (Number(declared) > maxBytes) return undefined;
    const bytes = new Uint8Array(await request.arrayBuffer());
    return bytes.byteLength > maxBytes ? undefined : bytes;
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body ?? []) {
    length += chunk.byteLength;
    // Leaving the loop cancels the stream.
    if (length > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return joinedBytes(chunks);
}

function faultIn(text: string): string {
  const offset = jsonErrorOffset(text);
  if (offset >= text.length) return `it ends too early, at position ${text.length}`;
  const before = text.slice(0, offset).split('\n');
  const column = (before.at(-1)?.length ?? 0) + 1;
  return `unexpected character at position ${offset} (line ${before.length}, column ${column})`;
}

function shown(path: string): string {
  return path.length > 100 ? `${path.slice(0, 100)}…` : path;
}
