// The transport of one session at a legacy server, as the session needs it.
import type { RpcRequest } from '../protocol/message.ts';
import type { Message } from './message-stream.ts';

export interface WireRequest {
  /** Ends the request's own stream. */
  readonly signal: AbortSignal;
  /** What comes on it. */
  readonly receive: (message: Message) => 'more' | 'enough';
  readonly isAnswered: () => boolean;
  /** The server closed the stream and wants it to be taken up again later. */
  readonly onPause: (retryMs: number | undefined) => void;
}

export interface Wire {
  /** Rejects where no answer can come any more. */
  request(message: RpcRequest, request: WireRequest): Promise<void>;
  /** Sends what is answered with nothing. Never rejects. */
  tell(message: object): Promise<void>;
  /** Ends the session at the server. Never rejects. */
  end(): Promise<void>;
  /**
   * Reads what the server says unasked until it ends; absent where everything comes on one stream anyway.
   * @param onOpen the server has begun it
   * @throws HttpRefusal where it offers no such stream, or does not know the session any more
   */
  listen?(
    receive: (message: Message) => 'more' | 'enough',
    options: { readonly signal: AbortSignal; readonly onOpen: () => void; readonly lastEventId?: string },
  ): Promise<{ readonly lastEventId?: string; readonly retryMs?: number }>;
}
