// Steady traffic with a memory: which calls a client saw complete, and when.
import { setTimeout as sleep } from 'node:timers/promises';

export interface CompletedCall {
  /** As the gateway answered it in `x-sallyport-request-id`. */
  readonly requestId: string;
  /** Milliseconds since the epoch. */
  readonly sentAt: number;
  /** When the last byte had arrived. */
  readonly at: number;
}

export interface Load {
  readonly completed: readonly CompletedCall[];
  /** Calls that met a closed door or a cut answer; expected while the gateway is down. */
  readonly interrupted: () => number;
  stop(): Promise<void>;
}

/**
 * Repeats a call on so many loops at once. The call reads the answer whole and throws where it is not what was asked
 * for; what it throws counts as interrupted.
 */
export function startLoad(loops: number, call: (sequence: number) => Promise<{ readonly requestId: string }>): Load {
  const completed: CompletedCall[] = [];
  let interrupted = 0;
  let sequence = 0;
  const stopping = new AbortController();
  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        const sentAt = Date.now();
        const { requestId } = await call(sequence++);
        completed.push({ requestId, sentAt, at: Date.now() });
      } catch {
        interrupted++;
        await sleep(20);
      }
    }
  };
  const running = Array.from({ length: loops }, loop);
  return {
    completed,
    interrupted: () => interrupted,
    stop: async () => {
      stopping.abort();
      await Promise.all(running);
    },
  };
}
