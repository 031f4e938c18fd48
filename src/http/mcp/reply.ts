// The answer to one request of 2026-07-28: plain JSON where it is quick and nothing was told before it, else an event
// stream with something on it now and then. That is for whoever stands between and takes a silent connection for dead,
// and to notice a client that hung up: the runtime tells only by a write that fails.
import { describeFault, log } from '../../lib/log.ts';
import { PacedNotifications } from '../../mcp/paced-notifications.ts';
import { RPC, rpcError, statusOf } from '../../mcp/protocol/errors.ts';
import { responseTo, type RpcAnswer, type RpcId, type Spoken } from '../../mcp/protocol/message.ts';
import type { Scope } from '../../mcp/scope.ts';
import { SseSocket } from '../../mcp/session/sse-socket.ts';
import { whileAllowed } from './standing-watch.ts';

/** After which an answer becomes a stream. */
const PATIENCE_MS = 1_000;
/** A client that hung up is noticed no sooner than by the next of these. */
const KEEP_ALIVE_MS = 3_000;

export interface ReplyOptions {
  readonly id: RpcId;
  readonly requestId: string;
  /** What the request's key may see now; undefined for nothing. */
  readonly resolveScope: () => Promise<Scope | undefined>;
  /** The client is gone or, with a reason, may not be answered any more. */
  readonly giveUp: (reason?: string) => void;
}

export class Reply {
  readonly #options: ReplyOptions;
  readonly #told = Promise.withResolvers<undefined>();
  #stream: { readonly socket: SseSocket; readonly paced: PacedNotifications } | undefined;
  #over = false;

  constructor(options: ReplyOptions) {
    this.#options = options;
  }

  /** Tells the client something before the answer. Never throws; what comes after the answer is nobody's. */
  notify(notification: Spoken): void {
    if (this.#over) return;
    this.#open().paced.offer(notification);
    this.#told.resolve(undefined);
  }

  /** @param answered may reject, for a fault of the gateway */
  async respond(answered: Promise<RpcAnswer>): Promise<Response> {
    const settled = answered.then(
      (answer) => this.#settle(answer),
      (fault: unknown) => this.#settle(this.#internalError(fault)),
    );
    const late = Promise.withResolvers<undefined>();
    const timer = setTimeout(late.resolve, PATIENCE_MS, undefined);
    const quick = await Promise.race([settled, this.#told.promise, late.promise]);
    clearTimeout(timer);
    if (quick !== undefined && this.#stream === undefined) return jsonResponse(quick);
    return this.#streamed(this.#whileAllowed(settled));
  }

  #whileAllowed(settled: Promise<Settled>): Promise<Settled> {
    const { resolveScope, giveUp } = this.#options;
    const onLost = (): Settled => {
      giveUp('The key was revoked');
      return this.#settle(NOT_ALLOWED);
    };
    return whileAllowed(settled, { resolveScope, onLost });
  }

  #streamed(settled: Promise<Settled>): Response {
    const { socket } = this.#open();
    // Whoever waits for the first byte learns that the answer is on its way.
    socket.keepAlive();
    void this.#end(settled);
    return streamResponse(socket.body);
  }

  async #end(settled: Promise<Settled>): Promise<void> {
    const { socket, paced } = this.#open();
    const timer = setInterval(() => socket.keepAlive(), KEEP_ALIVE_MS);
    const { json } = await settled;
    clearInterval(timer);
    paced.finish();
    socket.write(eventOf(json));
    socket.close();
  }

  #open(): { readonly socket: SseSocket; readonly paced: PacedNotifications } {
    if (this.#stream !== undefined) return this.#stream;
    const socket = new SseSocket(() => {
      this.#over = true;
      paced.close();
      this.#options.giveUp();
    });
    const paced = new PacedNotifications({
      emit: (notification) => tell(socket, notification),
      ready: () => socket.ready,
    });
    this.#stream = { socket, paced };
    return this.#stream;
  }

  #settle(answer: RpcAnswer): Settled {
    this.#over = true;
    const { id } = this.#options;
    try {
      return {
        status: answer === INTERNAL_ERROR ? 500 : statusOf(answer),
        json: JSON.stringify(responseTo(id, answer)),
      };
    } catch (fault) {
      // Nested deeper than the stack is.
      return { status: 500, json: JSON.stringify(responseTo(id, this.#internalError(fault))) };
    }
  }

  #internalError(fault: unknown): RpcAnswer {
    log('error', 'mcp.request.failed', { request_id: this.#options.requestId, fault: describeFault(fault) });
    return INTERNAL_ERROR;
  }
}

/** Writes a notification, unless it is nested deeper than the stack is. */
export function tell(socket: SseSocket, notification: Spoken): void {
  try {
    socket.write(eventOf(JSON.stringify({ jsonrpc: '2.0', ...notification })));
  } catch (fault) {
    log('warn', 'mcp.notification.dropped', { method: notification.method, fault: describeFault(fault) });
  }
}

const NOT_ALLOWED = rpcError(RPC.invalidRequest, 'This key may not use this endpoint any more.');
const INTERNAL_ERROR = rpcError(RPC.internalError, 'Internal error');

interface Settled {
  readonly status: number;
  readonly json: string;
}

/** One event of a stream that nobody resumes. */
export function eventOf(json: string): string {
  return `event: message\ndata: ${json}\n\n`;
}

export function streamResponse(body: ReadableStream<Uint8Array>): Response {
  return new Response(body, {
    headers: {
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    },
  });
}

export function answerResponse(id: RpcId | null, answer: RpcAnswer, status: number = statusOf(answer)): Response {
  return jsonResponse({ status, json: JSON.stringify(responseTo(id, answer)) });
}

function jsonResponse({ status, json }: Settled): Response {
  return new Response(json, { status, headers: { 'content-type': 'application/json' } });
}
