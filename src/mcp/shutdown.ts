// Streams that tell of changes have no end of their own: whoever ends the gateway says so before, that they end first.

/** A shutdown that did not happen is forgotten. */
const ANNOUNCED_FOR_MS = 60_000;

let announcedAt = -Infinity;

/** @param now milliseconds since the epoch */
export function announceShutdown(now: number): void {
  announcedAt = now;
}

export function isShuttingDown(now: number): boolean {
  return now - announcedAt < ANNOUNCED_FOR_MS;
}
