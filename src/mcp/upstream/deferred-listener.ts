import { describeFault, log } from '../../lib/log.ts';
import type { Listener } from '../links.ts';

/** A listener of which it takes a moment to know how it listens. */
export function deferredListener(listening: Promise<Listener>): Listener {
  listening.catch((fault: unknown) => log('error', 'listen.failed', { fault: describeFault(fault) }));
  return {
    opened: listening.then(
      ({ opened }) => opened,
      () => undefined,
    ),
    resubscribe: async (uris) => (await listening).resubscribe(uris),
    close: () => void listening.then((listener) => listener.close()).catch(() => undefined),
  };
}
