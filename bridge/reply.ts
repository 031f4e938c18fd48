// The HTTP response to one JSON-RPC request: a JSON body when the answer comes first and soon, else a stream of events.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { INTERNAL_ERROR, METHOD_NOT_FOUND, errorResponse } from './json-rpc.ts';
import type { RpcMessage, RpcNotification, RpcRequest, RpcResponse } from './json-rpc.ts';
import type { ReplySink } from './relay.ts';
import type { PushStream } from './session.ts';
import type { Unavailable } from './unavailable.ts';

/** A call that takes longer becomes a stream, whose keep-alives tell both ends that the other is still there. */
const STREAM_AFTER_MS = 1000;
const KEEP_ALIVE_MS = 4000;
/** What a client may leave unread before its stream is given up. */
const MAX_UNREAD_BYTES = 64 * 1024 * 1024;

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response
    .writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
    .end(text);
}

function sendUnavailable(response: ServerResponse, unavailable: Unavailable): void {
  const { code, message, retryAfterSeconds, stderrTail } = unavailable;
  response.setHeader('retry-after', String(retryAfterSeconds));
  sendJson(response, 503, { code, message, stderr_tail: stderrTail });
}

export function acceptsEventStream(request: IncomingMessage): boolean {
  return /\btext\/event-stream\b|\*\/\*/.test(request.headers.accept ?? '');
}

/** A response of server-sent events. */
export class EventStream implements PushStream {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
    response.flushHeaders();
    const keepAlive = setInterval(() => response.write(': keep-alive\n\n'), KEEP_ALIVE_MS);
    response.once('close', () => clearInterval(keepAlive));
  }

  send(message: RpcMessage): void {
    if (this.#response.writableEnded) return;
    this.#response.write(`event: message\ndata: ${JSON.stringify(message)}\n\n`);
    if (this.#response.writableLength > MAX_UNREAD_BYTES) this.#response.destroy();
  }

  close(): void {
    this.#response.end();
  }
}

export interface ReplyOptions {
  readonly request: RpcRequest;
  readonly acceptsStream: boolean;
  readonly isModern: boolean;
}

export class Reply implements ReplySink {
  readonly #response: ServerResponse;
  readonly #options: ReplyOptions;
  readonly #streamLater: NodeJS.Timeout | undefined;
  #stream: EventStream | undefined;
  #isDone = false;

  constructor(response: ServerResponse, options: ReplyOptions) {
    this.#response = response;
    this.#options = options;
    if (options.acceptsStream) this.#streamLater = setTimeout(() => this.#open(), STREAM_AFTER_MS);
    response.once('close', () => clearTimeout(this.#streamLater));
  }

  get streaming(): boolean {
    return this.#options.acceptsStream && !this.#isDone;
  }

  send(message: RpcNotification | RpcRequest): void {
    if (this.streaming) this.#open().send(message);
  }

  respond(message: RpcResponse): void {
    if (this.#finish()) return;
    if (this.#stream !== undefined) {
      this.#stream.send(message);
      this.#stream.close();
      return;
    }
    sendJson(this.#response, this.#options.isModern ? modernStatus(message) : 200, message);
  }

  unavailable(unavailable: Unavailable): void {
    if (this.#stream === undefined) {
      if (!this.#finish()) sendUnavailable(this.#response, unavailable);
      return;
    }
    const { code, message, stderrTail } = unavailable;
    this.respond(errorResponse(this.#options.request.id, INTERNAL_ERROR, message, { code, stderr_tail: stderrTail }));
  }

  close(): void {
    if (this.#finish()) return;
    if (this.#stream !== undefined) this.#stream.close();
    // A cancelled request has no answer, and an empty stream is how HTTP says so.
    else if (this.#options.acceptsStream) new EventStream(this.#response).close();
    else this.#response.writeHead(202).end();
  }

  /** True when it was finished before. */
  #finish(): boolean {
    const wasDone = this.#isDone;
    this.#isDone = true;
    clearTimeout(this.#streamLater);
    return wasDone;
  }

  #open(): EventStream {
    this.#stream ??= new EventStream(this.#response);
    return this.#stream;
  }
}

/** MCP 2026-07-28, Streamable HTTP: these errors have statuses of their own. */
function modernStatus({ error }: RpcResponse): number {
  if (error === undefined) return 200;
  if (error.code === METHOD_NOT_FOUND) return 404;
  return error.code <= -32020 && error.code >= -32022 ? 400 : 200;
}
