// HTTP+SSE of 2024-11-05: one stream for everything the server says, and an address it names there for what it is told.
import { SdkError, SdkErrorCode } from '@modelcontextprotocol/client';
import type { RpcRequest } from '../protocol/message.ts';
import { type Endpoint, HttpLine } from './http-line.ts';
import { type Message, readMessages } from './message-stream.ts';
import { streamEnd } from './transport.ts';
import type { Wire } from './wire.ts';

export interface SseWireOptions {
  readonly maxBytes: number;
  /** For the server to name its address. */
  readonly timeoutMs: number;
  readonly receive: (message: Message) => void;
  /** The stream ended: no answer will come any more. */
  readonly onEnd: (error: unknown) => void;
}

/** @throws what `explainFailure` understands */
export async function openSseWire(endpoint: Endpoint, options: SseWireOptions): Promise<Wire> {
  const hangUp = new AbortController();
  const named = Promise.withResolvers<HttpLine>();
  named.promise.catch(() => {});
  const timer = setTimeout(() => {
    named.reject(new SdkError(SdkErrorCode.RequestTimeout, 'no endpoint event'));
    hangUp.abort();
  }, options.timeoutMs);
  const onEvent = (type: string, data: string): void => {
    if (type === 'endpoint') named.resolve(new HttpLine({ ...endpoint, url: new URL(data, endpoint.url) }, {}));
  };
  const follow = async (): Promise<void> => {
    const error = await read(endpoint, hangUp.signal, options, onEvent).catch((cause: unknown) => cause);
    clearTimeout(timer);
    named.reject(error);
    options.onEnd(error);
  };
  void follow();
  const line = await named.promise;
  clearTimeout(timer);
  return {
    async request(message: RpcRequest, { signal }) {
      const response = await line.post(message, signal);
      if (response.ok) await response.body?.cancel();
      else await readMessages(response, { maxBytes: options.maxBytes, receive: () => 'enough' });
    },
    tell: (message) => line.tell(message),
    async end() {
      hangUp.abort();
    },
  };
}

/** @returns why no more can come */
async function read(
  endpoint: Endpoint,
  signal: AbortSignal,
  { maxBytes, receive }: SseWireOptions,
  onEvent: (type: string, data: string) => void,
): Promise<unknown> {
  const response = await new HttpLine(endpoint, {}).get(signal);
  const take = (message: Message): 'more' => {
    receive(message);
    return 'more';
  };
  await readMessages(response, { maxBytes, endless: true, receive: take, onEvent });
  return streamEnd();
}
