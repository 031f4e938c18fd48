// Streamable HTTP of the revisions before 2026-07-28: each request has a stream of its own, which may break and be
// taken up again.
import type { RpcRequest } from '../protocol/message.ts';
import { type HttpLine } from './http-line.ts';
import { readMessages, type StreamEnd } from './message-stream.ts';
import { streamEnd } from './transport.ts';
import type { Wire, WireRequest } from './wire.ts';

const MOST_RESUMPTIONS = 2;
const RESUMPTION_DELAY_MS = 1_000;

/** @param maxBytes of one answer, or of one message on a stream without end */
export function httpWire(line: HttpLine, maxBytes: number): Required<Wire> {
  return {
    async request(message: RpcRequest, { signal, receive, isAnswered, onPause }: WireRequest) {
      let end = await readMessages(await line.post(message, signal), { maxBytes, receive });
      let { lastEventId, retryMs } = end;
      while (!isAnswered()) {
        if (lastEventId === undefined) throw streamEnd();
        if (end.retryMs !== undefined) onPause(end.retryMs);
        const resumed = await resume(line, lastEventId, retryMs, signal);
        if (resumed === undefined) throw streamEnd();
        end = await readMessages(resumed, { maxBytes, receive });
        lastEventId = end.lastEventId ?? lastEventId;
        retryMs = end.retryMs ?? retryMs;
      }
    },
    tell: (message) => line.tell(message),
    end: () => line.end(),
    async listen(receive, { signal, onOpen, lastEventId }) {
      const response = await line.get(signal, lastEventId);
      if (response.ok) onOpen();
      return readMessages(response, { maxBytes, endless: true, receive });
    },
  };
}

async function resume(
  line: HttpLine,
  lastEventId: string,
  retryMs: StreamEnd['retryMs'],
  signal: AbortSignal,
): Promise<Response | undefined> {
  for (let attempt = 1; attempt <= MOST_RESUMPTIONS; attempt++) {
    await new Promise((resolve) => {
      setTimeout(resolve, retryMs ?? RESUMPTION_DELAY_MS);
    });
    if (signal.aborted) return undefined;
    const response = await line.get(signal, lastEventId).catch(() => undefined);
    if (response?.ok === true) return response;
    await response?.body?.cancel();
    if (response?.status === 405) return undefined;
  }
  return undefined;
}
