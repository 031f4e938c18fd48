// Finds a runtime that runs but no longer answers: one thread serves everything, so one endless loop stops it all.

const INTERVAL_MS = 5_000;
const TIMEOUT_MS = 5_000;
/** Three in a row, about 15 s: longer than any collection of garbage takes. */
const ALLOWED_FAILURES = 3;

export interface Watchdog {
  stop(): void;
}

/** @param onSilent called when the address did not answer for about 15 seconds; counting begins anew after it */
export function watchHealth(url: string, onSilent: () => void, intervalMs = INTERVAL_MS): Watchdog {
  let failures = 0;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  const check = async (): Promise<void> => {
    const startedAt = performance.now();
    failures = (await answers(url, Math.min(TIMEOUT_MS, intervalMs))) ? 0 : failures + 1;
    if (stopped) return;
    if (failures >= ALLOWED_FAILURES) {
      failures = 0;
      onSilent();
    }
    timer = setTimeout(() => void check(), Math.max(0, startedAt + intervalMs - performance.now()));
  };
  timer = setTimeout(() => void check(), intervalMs);
  return {
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

/** Whether the address answers a GET with success within the time. */
export async function answers(url: string, timeoutMs: number): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs), headers: { connection: 'close' } });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
