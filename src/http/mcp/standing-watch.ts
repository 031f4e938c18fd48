// A request that takes long is looked after: it ends with the key that made it.
import { describeFault, log } from '../../lib/log.ts';
import type { Scope } from '../../mcp/scope.ts';

const LOOK_MS = 3_000;

export interface StandingWatch<T> {
  /** What the request's key may see now; undefined for nothing. */
  readonly resolveScope: () => Promise<Scope | undefined>;
  /** Called once, when it may see nothing; gives what the request comes to then. */
  readonly onLost: () => T;
}

/** What came of it, or what `onLost` gives as soon as the key is no more. */
export async function whileAllowed<T>(outcome: Promise<T>, { resolveScope, onLost }: StandingWatch<T>): Promise<T> {
  const lost = Promise.withResolvers<T>();
  const timer = setInterval(() => void look(), LOOK_MS);
  const look = async (): Promise<void> => {
    try {
      if ((await resolveScope()) !== undefined) return;
    } catch (fault) {
      // Without a configuration nobody may be answered.
      log('error', 'request.unjudged', { fault: describeFault(fault) });
    }
    clearInterval(timer);
    lost.resolve(onLost());
  };
  try {
    return await Promise.race([outcome, lost.promise]);
  } finally {
    clearInterval(timer);
  }
}
