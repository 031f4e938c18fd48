// What every change of the configuration brings with it: its record before, probing after.
import type { Context } from 'hono';
import { CONFIG_PAYER } from '../../../audit/recorder.ts';
import type { Announce } from '../../../config/ports.ts';
import { newId } from '../../../lib/ids.ts';
import { describeFault, log } from '../../../lib/log.ts';
import { failure } from '../../../policy/failure.ts';
import type { AppEnv } from '../../app-env.ts';

/** Records each change durably before it is made. */
export function recordChanges(c: Context<AppEnv>): Announce {
  const { services, requestId } = c.var;
  return async (changes, outcome) => {
    const at = services.now();
    try {
      await Promise.all(
        changes.map(({ kind, name, change }) =>
          services.recorder.durable(CONFIG_PAYER, {
            id: newId('evt', at),
            at,
            kind: 'config.changed',
            ...(outcome === 'ok' ? { outcome } : { outcome: 'error', reason: 'not_applied' }),
            request_id: requestId,
            principal: 'admin',
            subject: `${kind}/${name} ${change}`,
          }),
        ),
      );
      return undefined;
    } catch (fault) {
      log('error', 'audit.refused', { request_id: requestId, fault: describeFault(fault) });
      const text = 'The change could not be recorded for audit, so it was not made. Try again shortly.';
      return failure('audit_unavailable', text, { retryAfterSeconds: 1 });
    }
  };
}

/** Behind the answer, the processes of servers that left the configuration end. */
export function retireServers(c: Context<AppEnv>, servers: readonly string[]): void {
  const { services, requestId } = c.var;
  const retire = async (server: string): Promise<void> => {
    try {
      await services.healthRecords.retire(server);
    } catch (fault) {
      // The next probe of the server meets the same configuration.
      log('warn', 'health.retire_failed', { request_id: requestId, fault: describeFault(fault) });
    }
  };
  services.waitUntil(Promise.all(servers.map(retire)));
}

/** Lets probing begin behind the answer, so that a server's condition is known before an agent needs it. */
export function beginProbing(c: Context<AppEnv>, concerns: (server: string) => boolean): void {
  const { services, requestId } = c.var;
  const probe = async (): Promise<void> => {
    try {
      const { upstreams } = await services.snapshot();
      const concerned = [...upstreams.values()].filter(({ name, disabled }) => disabled !== true && concerns(name));
      await Promise.all(concerned.map((upstream) => services.upstreamViews.view(upstream, 0)));
    } catch (fault) {
      // Health fails open: the next use of the server begins its probing as well.
      log('warn', 'health.touch_failed', { request_id: requestId, fault: describeFault(fault) });
    }
  };
  services.waitUntil(probe());
}
