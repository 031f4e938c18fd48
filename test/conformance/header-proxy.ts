// The suites send no credentials: a proxy on loopback adds the virtual key and passes everything else on as it came,
// `Host` included, so that what they see is the gateway.
import { request as requestOf } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline, Transform } from 'node:stream';
import type { Readable } from 'node:stream';
import { listen, readText } from '../support/fixture-http.ts';
import type { Fixture } from '../support/fixture-http.ts';

/** Names and values in turn, as they were written. */
export type RawHeaders = readonly string[];

/** Changes messages on their way; whatever it leaves alone passes byte for byte. */
export interface MessageFilter {
  request(headers: RawHeaders, body: string): { readonly headers: RawHeaders; readonly body: string };
  /** One line of an event stream, or the whole of a JSON body. */
  response(line: string): string;
}

export interface HeaderProxyOptions {
  /** Scheme, host and port; the path is the caller's. */
  readonly target: string;
  readonly key: string;
  readonly filter?: MessageFilter;
}

export function startHeaderProxy({ target, key, filter }: HeaderProxyOptions): Promise<Fixture> {
  return listen((request, response) => void forward(request, response, target, key, filter));
}

async function forward(
  request: IncomingMessage,
  response: ServerResponse,
  target: string,
  key: string,
  filter: MessageFilter | undefined,
): Promise<void> {
  const credentials = ['authorization', `Bearer ${key}`];
  const received = filter === undefined ? undefined : filter.request(request.rawHeaders, await readText(request));
  const outgoing = requestOf(new URL(request.url ?? '/', target), {
    method: request.method,
    headers: [...(received === undefined ? request.rawHeaders : withLength(received)), ...credentials],
  });
  outgoing.once('response', (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage, headersFor(answer, filter));
    response.flushHeaders();
    pipeline(filtered(answer, filter), response, () => outgoing.destroy());
  });
  outgoing.once('error', () => response.destroy());
  response.once('close', () => outgoing.destroy());
  if (received === undefined) request.pipe(outgoing);
  else outgoing.end(received.body);
}

function withoutHeader(headers: RawHeaders, name: string): string[] {
  return headers.filter((_, index) => headers[index - (index % 2)]?.toLowerCase() !== name);
}

function withLength({ headers, body }: { readonly headers: RawHeaders; readonly body: string }): string[] {
  if (body === '') return [...headers];
  return [...withoutHeader(headers, 'content-length'), 'content-length', String(Buffer.byteLength(body))];
}

function headersFor(answer: IncomingMessage, filter: MessageFilter | undefined): string[] {
  return filter === undefined ? answer.rawHeaders : withoutHeader(answer.rawHeaders, 'content-length');
}

function filtered(answer: IncomingMessage, filter: MessageFilter | undefined): Readable {
  if (filter === undefined) return answer;
  let rest = '';
  const lines = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      rest += chunk.toString('latin1');
      const end = rest.lastIndexOf('\n') + 1;
      const whole = rest.slice(0, end);
      rest = rest.slice(end);
      done(null, Buffer.from(whole.split('\n').map(apply).join('\n'), 'latin1'));
    },
    flush(done) {
      done(null, Buffer.from(apply(rest), 'latin1'));
    },
  });
  // Bytes travel as latin1 so that a character cut in two chunks is whole again within its line.
  const apply = (line: string): string => {
    const before = Buffer.from(line, 'latin1').toString('utf8');
    return Buffer.from(filter.response(before), 'utf8').toString('latin1');
  };
  return answer.pipe(lines);
}
