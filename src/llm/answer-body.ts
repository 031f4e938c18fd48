// Reading a provider's answer: whole where it is small, else on as a stream that is watched.
import type { EgressError } from '../egress/egress-error.ts';
import type { UsageChunkFilter } from './asked-usage.ts';
import type { Meter } from './meter.ts';
import type { Patience } from './patience.ts';

type Source = ReadableStreamDefaultReader<Uint8Array>;

/** What was read of a body; `rest` where it is larger than was asked for. */
export interface ReadBody {
  readonly chunks: readonly Uint8Array[];
  readonly rest?: Source;
}

/** @throws what reading throws when the connection breaks */
export async function readUpTo(response: Response, maxBytes: number, patience: Patience): Promise<ReadBody> {
  const declared = response.headers.get('content-length');
  if (declared !== null && Number(declared) <= maxBytes && !response.headers.has('content-encoding')) {
    return { chunks: [new Uint8Array(await response.arrayBuffer())] };
  }
  const source: Source | undefined = response.body?.getReader();
  const chunks: Uint8Array[] = [];
  let byteLength = 0;
  if (source === undefined) return { chunks };
  for (;;) {
    const { done, value } = await source.read();
    if (done) return { chunks };
    patience.heard();
    chunks.push(value);
    byteLength += value.byteLength;
    if (byteLength > maxBytes) return { chunks, rest: source };
  }
}

export interface StreamEnd {
  readonly how: 'complete' | 'broken' | 'cancelled';
  readonly bytes: number;
  /** What broke it, where that was on the provider's side. */
  readonly error?: EgressError;
}

export interface WatchedStream {
  /** Already read; goes out first. */
  readonly head: readonly Uint8Array[];
  readonly rest: Source;
  readonly meter: Meter;
  /** Takes out of the stream what its caller did not ask for. */
  readonly filter?: UsageChunkFilter;
  readonly patience: Patience;
  /** Whether the call has to be settled before its last chunk goes out; asked after the meter has seen each chunk. */
  readonly mustSettleFirst: () => boolean;
  /** Called once. The stream ends only after it resolves, and breaks where it rejects. */
  readonly settle: (end: StreamEnd) => Promise<void>;
}

/**
 * The same bytes in the same pieces, but for what is filtered out. A break on the provider's side breaks the stream for
 * the caller too.
 */
export function watchedStream(watched: WatchedStream): ReadableStream<Uint8Array> {
  const { head, rest, meter, filter, patience } = watched;
  const waiting = [...head];
  let bytes = 0;
  let settled: Promise<void> | undefined;
  const settle = (how: StreamEnd['how'], error?: EgressError): Promise<void> => {
    patience.end();
    settled ??= watched.settle({ how, bytes, ...(error !== undefined && { error }) });
    return settled;
  };
  // A call that was given up is over, whether or not anybody ever reads on.
  const giveUp = (): void => {
    const how = patience.callerLeft ? 'cancelled' : 'broken';
    settle(how, patience.explain(patience.signal.reason)).catch(() => {});
  };
  if (patience.signal.aborted) giveUp();
  else patience.signal.addEventListener('abort', giveUp);
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        // A pull that brings nothing is not repeated.
        for (let sent = 0; sent === 0;) {
          const chunk = waiting.shift() ?? (await rest.read()).value;
          if (chunk === undefined) {
            meter.end();
            await settle('complete');
            pass(controller, filter?.end());
            controller.close();
            return;
          }
          patience.heard();
          bytes += chunk.byteLength;
          meter.see(chunk);
          if (watched.mustSettleFirst()) await settle('complete');
          sent = pass(controller, filter === undefined ? chunk : filter.pass(chunk));
        }
      } catch (fault) {
        // The fault of settling itself is no news to `settle`.
        await settle(patience.callerLeft ? 'cancelled' : 'broken', patience.explain(fault)).catch(() => {});
        controller.error(patience.explain(fault) ?? fault);
      }
    },
    async cancel(reason) {
      // First the record: cancelling the source makes a read in flight fail.
      const recorded = settle('cancelled').catch(() => {});
      await rest.cancel(reason).catch(() => {});
      await recorded;
    },
  });
}

/** @returns how much there was of it */
function pass(controller: ReadableStreamDefaultController<Uint8Array>, bytes: Uint8Array | undefined): number {
  if (bytes !== undefined && bytes.byteLength > 0) controller.enqueue(bytes);
  return bytes?.byteLength ?? 0;
}
