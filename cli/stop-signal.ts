// The ways in which a running gateway is told to end.

/** A terminal and npm both pass on one Ctrl-C. */
const SAME_SIGNAL_MS = 1_000;
const PARENT_POLL_MS = 500;

/** Resolves when it is time to stop; a later signal ends the process at once, and its children with it. */
export function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    let askedAt: number | undefined;
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      process.on(signal, () => {
        if (askedAt !== undefined && performance.now() - askedAt > SAME_SIGNAL_MS) process.exit(1);
        askedAt ??= performance.now();
        resolve();
      });
    }
    // Who read the output is gone; the children must be ended in order all the same.
    for (const stream of [process.stdout, process.stderr]) stream.on('error', () => resolve());
    // npm has no way to pass on its own kill -9, and nobody would know that a gateway still runs.
    if (process.env['npm_lifecycle_event'] !== undefined) whenParentEnds(resolve);
  });
}

function whenParentEnds(then: () => void): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    then();
  }, PARENT_POLL_MS);
  timer.unref();
}
