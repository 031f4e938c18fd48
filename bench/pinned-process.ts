// Children with a core of their own where the machine allows it: what is measured on one, what measures on another.
import { spawn, spawnSync, type ChildProcess, type StdioOptions } from 'node:child_process';
import { availableParallelism } from 'node:os';
import type { GatewayProcess } from '../test/support/gateway-process.ts';
import type { LoadPlan, LoadResult } from './load-generator.ts';

export const GATEWAY_CORE = 0;
export const LOAD_CORE = 1;

export const canPin = availableParallelism() > 1 && spawnSync('taskset', ['--version']).status === 0;

/** The words to put before a command so that it and its children run on this core. */
export function pinPrefix(core: number): readonly string[] {
  return canPin ? ['taskset', '-c', String(core)] : [];
}

/** Moves running processes, with all their threads. */
export function pin(core: number, pids: readonly number[]): void {
  if (!canPin) return;
  for (const pid of pids) {
    const { status, stderr } = spawnSync('taskset', ['-a', '-c', '-p', String(core), String(pid)], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`taskset could not move process ${pid}: ${stderr}`);
  }
}

/** The process that serves the gateway's requests. */
export function workerdPids(gateway: GatewayProcess): number[] {
  const pid = gateway.workerd()?.pid;
  if (pid === undefined) throw new Error('the gateway has no workerd');
  return [pid];
}

export function spawnPinned(
  core: number,
  command: readonly string[],
  stdio: StdioOptions,
  env = process.env,
): ChildProcess {
  const [program, ...args] = [...pinPrefix(core), ...command];
  if (program === undefined) throw new Error('no command given');
  return spawn(program, args, { stdio, env });
}

/** Ends the process and resolves once it is gone. */
export async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}

/** A Node program that says over IPC on which port it listens. */
export async function startListening(
  core: number,
  command: readonly string[],
): Promise<{ port: number; child: ChildProcess }> {
  const child = spawnPinned(core, [process.execPath, ...command], ['ignore', 'inherit', 'inherit', 'ipc']);
  const { port } = await nextMessage<{ port: number }>(child);
  return { port, child };
}

export interface LoadProcess {
  run(plan: LoadPlan): Promise<LoadResult>;
  stop(): Promise<void>;
}

export function startLoadProcess(): LoadProcess {
  const worker = new URL('load-worker.ts', import.meta.url).pathname;
  const child = spawnPinned(LOAD_CORE, [process.execPath, worker], ['ignore', 'inherit', 'inherit', 'ipc']);
  return {
    run: async (plan) => {
      const answer = nextMessage<{ result?: LoadResult; error?: string }>(child);
      child.send(plan);
      const { result, error } = await answer;
      if (result === undefined) throw new Error(`load: ${error ?? 'no result'}`);
      return result;
    },
    stop: () => stopProcess(child),
  };
}

function nextMessage<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void => reject(new Error(`${child.spawnargs.join(' ')} ended with ${code}`));
    child.once('exit', onExit);
    child.once('message', (message) => {
      child.off('exit', onExit);
      resolve(message as T);
    });
  });
}
