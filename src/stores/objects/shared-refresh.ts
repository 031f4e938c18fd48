// When an upstream says that its list changed, everyone who listens to it hears that at once. One listing serves all who
// asked before it began; one that was under way may have missed what they heard of. Requests share no promises, only
// these marks.

interface Refreshes {
  begun: number;
  ended: number;
  /** When the last one began, milliseconds since the epoch: a request that dies leaves its refresh unended. */
  since: number;
}
const refreshes = new Map<string, Refreshes>();
/** The words of an upstream reach its listeners one after the other: whoever hears them first lets the others catch up. */
const GATHER_MS = 5;
/** Between two looks of those who wait; each is twice as long as the one before, up to the longest. */
const FIRST_STEP_MS = 10;
const LONGEST_STEP_MS = 160;

export interface SharedRefresh<T> {
  readonly upstream: string;
  readonly deadlineMs: number;
  readonly now: () => number;
  /** Takes at most about the deadline, and never rejects. */
  readonly run: () => Promise<T>;
  /** What the last run left. */
  readonly held: () => T | undefined;
}

/** Runs, or waits for the run of another that began after this was called. */
export async function shareRefresh<T>({ upstream, deadlineMs, now, run, held }: SharedRefresh<T>): Promise<T> {
  const marks = refreshes.get(upstream) ?? { begun: 0, ended: 0, since: 0 };
  refreshes.set(upstream, marks);
  const needed = marks.begun + 1;
  await scheduler.wait(GATHER_MS);
  let step = FIRST_STEP_MS;
  for (let waited = 0; waited < 2 * deadlineMs && marks.ended < needed; waited += step) {
    if (marks.begun === marks.ended || now() - marks.since > 2 * deadlineMs) {
      const mine = ++marks.begun;
      marks.since = now();
      const outcome = await run();
      marks.ended = Math.max(marks.ended, mine);
      return outcome;
    }
    await scheduler.wait(step);
    step = Math.min(2 * step, LONGEST_STEP_MS);
  }
  return held() ?? run();
}
