// A process group that cannot outlive its parent. Nothing here knows of MCP: the command line uses it for its own children.
import { spawn } from 'node:child_process';
import type { ChildProcess, IOType } from 'node:child_process';
import { Socket } from 'node:net';

// The watcher holds the far end of the leash (descriptor 3) and kills the group when the near end closes, which the kernel
// does however the parent died. It is forked twice, so that the command, which replaces the shell, inherits no child it
// does not know; it ignores the polite signals, so that a group being stopped stays on its leash until the end.
const WATCH = '((trap "" HUP INT TERM; read _ <&3; kill -KILL 0) >/dev/null 2>&1 &); exec "$@" 3<&-';
const RAISE_FILE_LIMIT = 'ulimit -n "$(ulimit -Hn)" 2>/dev/null || :; ';

export interface LeashOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Standard input, output and error, pipes by default. What follows them begins at descriptor 4: 3 is the leash. */
  readonly stdio?: readonly [Stdio, Stdio, Stdio, ...Stdio[]];
  /** Raises the soft limit of open files to the hard one. */
  readonly raiseFileLimit?: boolean;
}

type Stdio = IOType | number;

export interface Leashed {
  /** Its pid is the command's own and that of its process group. `error` is emitted only where no shell can be started. */
  readonly child: ChildProcess;
  /** Resolves when the command has exited and SIGKILL has been sent to what was left of its group. */
  readonly gone: Promise<void>;
  /** Asks the whole group to end (SIGTERM), kills what is left of it after `graceMs`, and resolves when it is gone. */
  stop(graceMs: number): Promise<void>;
}

/**
 * Starts a command in a process group of its own that dies with this process, whatever ends it. When the command exits,
 * the rest of its group is killed. A command that cannot be executed exits with 126 or 127, as in a shell.
 */
export function spawnOnLeash(command: string, args: readonly string[], options: LeashOptions = {}): Leashed {
  const [input = 'pipe', output = 'pipe', error = 'pipe', ...more] = options.stdio ?? [];
  const script = (options.raiseFileLimit === true ? RAISE_FILE_LIMIT : '') + WATCH;
  const child = spawn('/bin/sh', ['-c', script, 'sh', command, ...args], {
    detached: true,
    stdio: [input, output, error, 'pipe', ...more],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: options.env }),
  });
  // Without a descriptor left there are no pipes at all; `error` then comes too late to be of use.
  const leash = (child.stdio as ChildProcess['stdio'] | undefined)?.[3];
  if (!(leash instanceof Socket)) {
    child.on('error', () => {});
    throw new Error('no pipe could be opened to a new process; raise the limit of open files (ulimit -n)');
  }

  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => {
      if (child.pid === undefined) leash.destroy();
      resolve();
    });
  });
  // The watcher's end closes when the watcher dies of its own kill: the whole group has been signalled by then.
  const released = new Promise<void>((resolve) => leash.once('close', () => resolve()));
  // A reset leash is a released one; `close` follows.
  leash.on('error', () => leash.destroy());
  leash.resume();
  void exited.then(() => leash.end());
  const gone = Promise.all([exited, released]).then(() => undefined);

  return {
    child,
    gone,
    async stop(graceMs) {
      if (child.pid !== undefined && isAlive(child)) {
        signalGroup(child.pid, 'SIGTERM');
        await Promise.race([exited, delay(graceMs)]);
        // Something may have ended the watcher; as long as the command is not reaped its number is its own.
        if (isAlive(child)) signalGroup(child.pid, 'SIGKILL');
      }
      leash.end();
      await gone;
    },
  };
}

function isAlive(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // It ended on its own a moment ago.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
