// The bridge to stdio servers as a supervised child.
import { join } from 'node:path';
import { z } from 'zod';
import { spawnOnLeash } from '../../bridge/leash.ts';
import type { Log } from '../../bridge/log.ts';
import { forwardLog, type LogSink } from '../child-log.ts';
import { Complaint } from '../complaint.ts';
import { Supervised } from './supervised.ts';

const START_DEADLINE_MS = 15_000;
/** All that the bridge, and through it each server, is given of this process's environment. */
const INHERITED = ['PATH', 'HOME', 'LANG'];

const listening = z.object({ event: z.literal('bridge.listening'), port: z.int().positive() });

export interface BridgeOptions {
  readonly project: string;
  readonly secret: string;
  readonly sink: LogSink;
  readonly log: Log;
}

export interface SupervisedBridge {
  readonly process: Supervised;
  /** Rejects with a Complaint when it does not come up in time. */
  readonly port: Promise<number>;
}

export function superviseBridge({ project, secret, sink, log }: BridgeOptions): SupervisedBridge {
  // The gateway knows the bridge by its first port, so it comes back on that.
  let port = 0;
  const known = Promise.withResolvers<number>();
  const inherited = INHERITED.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]));
  const supervised = new Supervised({
    spawn: () => {
      const main = join(project, 'bridge', 'main.ts');
      const leashed = spawnOnLeash(process.execPath, [main, '--host', '127.0.0.1', '--port', String(port)], {
        env: { ...Object.fromEntries(inherited), SALLYPORT_BRIDGE_SECRET: secret },
      });
      forwardLog(leashed.child.stderr, 'bridge', sink);
      forwardLog(leashed.child.stdout, 'bridge', sink, (record) => {
        const said = listening.safeParse(record);
        if (!said.success) return;
        ({ port } = said.data);
        known.resolve(port);
      });
      return leashed;
    },
    onFailure: (ending, restartInMs) => log('error', 'bridge.ended', { ...ending, restart_in_ms: restartInMs }),
  });
  supervised.start();
  const deadline = setTimeout(() => {
    known.reject(new Complaint('the bridge to stdio servers did not start; the lines above say why'));
  }, START_DEADLINE_MS);
  return { process: supervised, port: known.promise.finally(() => clearTimeout(deadline)) };
}
