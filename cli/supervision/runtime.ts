// workerd as a supervised child.
import { WORKERD } from '../workerd/binary.ts';
import { spawnOnLeash } from '../../bridge/leash.ts';
import type { Log } from '../../bridge/log.ts';
import { forwardLog, type LogSink } from '../child-log.ts';
import type { DataFolder } from '../data/folder.ts';
import { noteRuntime } from '../data/leftovers.ts';
import type { SECRET_BINDINGS } from '../workerd/config.ts';
import { Supervised } from './supervised.ts';

export interface RuntimeOptions {
  readonly configFile: string;
  readonly folder: DataFolder;
  readonly secrets: Readonly<Record<(typeof SECRET_BINDINGS)[number], string>>;
  readonly sink: LogSink;
  readonly log: Log;
}

export function superviseRuntime({ configFile, folder, secrets, sink, log }: RuntimeOptions): Supervised {
  const supervised = new Supervised({
    spawn: () => {
      const leashed = spawnOnLeash(WORKERD, ['serve', configFile], {
        env: { PATH: process.env['PATH'], ...secrets },
        stdio: ['ignore', 'pipe', 'pipe'],
        raiseFileLimit: true,
      });
      forwardLog(leashed.child.stdout, 'gateway', sink);
      forwardLog(leashed.child.stderr, 'gateway', sink);
      if (leashed.child.pid !== undefined) noteRuntime(folder, leashed.child.pid);
      return leashed;
    },
    onFailure: (ending, restartInMs) => log('error', 'gateway.ended', { ...ending, restart_in_ms: restartInMs }),
  });
  supervised.start();
  return supervised;
}
