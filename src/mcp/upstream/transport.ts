import { ProtocolError, ProtocolErrorCode, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/client';

type SendOptions = Parameters<StreamableHTTPClientTransport['send']>[1];

/** Carried by the error that stands in for a missing answer; known by identity, so that no server can forge it. */
const streamEnded = Object.freeze({ streamEnded: true });

/** Stands in for the answer of a response that ended without one. */
export function streamEnd(): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.InternalError, 'no answer', streamEnded);
}

/** The response stream ended before the answer came. */
export function isStreamEnd(error: unknown): boolean {
  return error instanceof ProtocolError && error.data === streamEnded;
}

/**
 * The SDK's transport for one exchange, with two gaps closed. A response stream that ends without an answer fails the
 * request at once instead of leaving it to its timeout. And a cancellation reaches the server before `close()` aborts
 * what is in flight.
 */
export class ExchangeTransport extends StreamableHTTPClientTransport {
  #cancelling: Promise<void> | undefined;

  override async send(message: JSONRPCMessage, options: SendOptions = {}): Promise<void> {
    const id = 'method' in message && 'id' in message ? message.id : undefined;
    const sending = super.send(
      message,
      id === undefined ? options : { ...options, onRequestStreamEnd: () => this.#end(id) },
    );
    if ('method' in message && message.method === 'notifications/cancelled') this.#cancelling = sending;
    return sending;
  }

  override async close(): Promise<void> {
    await this.#cancelling?.catch(() => {});
    await super.close();
  }

  /** Nobody waits any more for a request that was answered, and the client ignores this. */
  #end(id: RequestId): void {
    const error = { code: ProtocolErrorCode.InternalError, message: 'no answer', data: streamEnded };
    this.onmessage?.({ jsonrpc: '2.0', id, error });
  }
}

/**
 * Answers the GET that opens a stream for what a legacy server sends unasked: nobody would read it after this
 * exchange. A GET that resumes a broken answer passes.
 */
export function withoutIdleStream(send: typeof fetch): typeof fetch {
  return async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const idle = init?.method === 'GET' && !new Headers(init.headers).has('last-event-id');
    return idle ? new Response(null, { status: 405 }) : send(input, init);
  };
}
