// Finds a runtime that runs but no longer answers: one thread serves everything, so one endless loop stops it all.

const INTERVAL_MS = 5_000;
const TIMEOUT_MS = 5_000;
/** Three in a row, about 15 s: longer than any collection of garbage takes. */
const ALLOWED_FAILURES = 3;

export interface Watchdog {
  stop(): void;
}

export interface Watched {
  readonly url: string;
  /** Which process should answer now; undefined between its end and its next start, when silence is no news. */
  readonly pid: () => number | undefined;
  /** Called when that process did not answer for about 15 seconds; counting begins anew after it. */
  readonly onSilent: () => void;
}

export function watchHealth({ url, pid, onSilent }: Watched, intervalMs = INTERVAL_MS): Watchdog {
  let failures = 0;
  let asked: number | undefined;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  const check = async (): Promise<void> => {
    const startedAt = performance.now();
    const present = pid();
    if (present !== asked) failures = 0;
    asked = present;
    const well = present === undefined || (await answers(url, Math.min(TIMEOUT_MS, intervalMs)));
    if (stopped) return;
    // An answer that did not come says nothing of a process that has taken its predecessor's place meanwhile.
    failures = well || pid() !== present ? 0 : failures + 1;
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
