// The gateway as its users start it: `node cli/main.ts start` on a configuration and a data folder of its own.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { familyOf, isRunning, processesMentioning, type ProcessEntry } from './process-table.ts';

export const PROJECT_ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const READY_TIMEOUT_MS = 90_000;
const STOP_TIMEOUT_MS = 30_000;

export interface GatewayOptions {
  /** The text of `sallyport.yaml`. */
  readonly config: string;
  readonly env?: Readonly<Record<string, string>>;
  /** A command put before it, such as `taskset -c 0`. */
  readonly prefix?: readonly string[];
  /** Holds configuration and data; made where left out, and given to start again on what an earlier run left. */
  readonly folder?: string;
}

export interface GatewayProcess {
  readonly url: string;
  readonly adminToken: string;
  /** Holds configuration and data; every process of this gateway mentions it or descends from one that does. */
  readonly folder: string;
  readonly configPath: string;
  readonly dataFolder: string;
  readonly pid: number;
  /** Everything the command line printed so far. */
  output(): string;
  /** Calls the admin API and parses the answer; throws unless it is a success. */
  admin(path: string, init?: { readonly method?: string; readonly body?: unknown }): Promise<unknown>;
  /** All that the command line has running at this moment, without itself. */
  processes(): ProcessEntry[];
  /** The `workerd` that serves the gateway's port. */
  workerd(): ProcessEntry | undefined;
  /** Asks it to end, with SIGTERM unless told otherwise; resolves with the exit code. */
  stop(signal?: 'SIGTERM' | 'SIGINT'): Promise<number | null>;
  /** SIGKILL to the command line alone. */
  kill9(): Promise<void>;
  /** Removes the folder, and ends what a failed test left running. */
  discard(): Promise<void>;
}

/** Its path is in the command line or the environment of whatever runs for it. */
export function newGatewayFolder(): string {
  return realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-e2e-')));
}

export async function startGateway(options: GatewayOptions): Promise<GatewayProcess> {
  const folder = options.folder ?? newGatewayFolder();
  const configPath = join(folder, 'sallyport.yaml');
  const dataFolder = join(folder, 'data');
  writeFileSync(configPath, options.config);
  const adminToken = `admin-${crypto.randomUUID()}`;
  const port = await freePort();
  const start = ['start', '--config', configPath, '--port', String(port), '--data', dataFolder];
  const line = [...(options.prefix ?? []), process.execPath, join(PROJECT_ROOT, 'cli/main.ts'), ...start];
  const [command = process.execPath, ...args] = line;
  const child = spawn(command, args, {
    cwd: PROJECT_ROOT,
    env: {
      PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
      HOME: folder,
      LANG: 'C.UTF-8',
      SALLYPORT_ADMIN_TOKEN: adminToken,
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = collectOutput(child);
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const url = await readyUrl(child, output);
  const pid = child.pid;
  if (pid === undefined) throw new Error('the gateway did not start');
  return {
    url,
    adminToken,
    folder,
    configPath,
    dataFolder,
    pid,
    output,
    admin: (path, init) => callAdmin(url, adminToken, path, init),
    processes: () => familyOf(pid),
    workerd: () => familyOf(pid).find((entry) => /^\S*\bworkerd serve /.test(entry.command)),
    stop: (signal = 'SIGTERM') => end(child, signal, exited),
    kill9: async () => void (await end(child, 'SIGKILL', exited)),
    discard: async () => {
      if (child.exitCode === null && child.signalCode === null) await end(child, 'SIGKILL', exited);
      for (const stray of processesMentioning(folder)) process.kill(stray.pid, 'SIGKILL');
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function collectOutput(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  }
  return () => text;
}

async function readyUrl(child: ChildProcess, output: () => string): Promise<string> {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  while (Date.now() < deadline) {
    const line = /^sallyport ready.*$/m.exec(output())?.[0];
    const url = line === undefined ? undefined : /https?:\/\/[^\s/]+/.exec(line)?.[0];
    if (url !== undefined) return url;
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`the gateway ended with ${child.exitCode ?? child.signalCode} before it was ready:\n${output()}`);
    }
    await sleep(20);
  }
  child.kill('SIGKILL');
  throw new Error(`the gateway was not ready within ${READY_TIMEOUT_MS} ms:\n${output()}`);
}

async function end(
  child: ChildProcess,
  signal: NodeJS.Signals,
  exited: Promise<number | null>,
): Promise<number | null> {
  child.kill(signal);
  const late = Symbol('late');
  const timer = new AbortController();
  const code = await Promise.race([exited, sleep(STOP_TIMEOUT_MS, late, { signal: timer.signal }).catch(() => late)]);
  timer.abort();
  if (typeof code === 'symbol') throw new Error(`the gateway did not end within ${STOP_TIMEOUT_MS} ms of ${signal}`);
  return code;
}

async function callAdmin(
  url: string,
  adminToken: string,
  path: string,
  init: { readonly method?: string; readonly body?: unknown } = {},
): Promise<unknown> {
  const response = await fetch(new URL(path, url), {
    method: init.method ?? 'GET',
    headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
    ...(init.body === undefined ? {} : { body: JSON.stringify(init.body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${init.method ?? 'GET'} ${path} answered ${response.status}: ${text}`);
  return JSON.parse(text) as unknown;
}

/** A port that was free a moment ago: the command line is given its port, it does not choose one. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Waits until all of them ended; answers with those that did not within the time. */
export async function survivors(entries: readonly ProcessEntry[], withinMs: number): Promise<ProcessEntry[]> {
  const deadline = Date.now() + withinMs;
  let left = entries.filter(isRunning);
  while (left.length > 0 && Date.now() < deadline) {
    await sleep(50);
    left = left.filter(isRunning);
  }
  return left;
}

/** Polls until the answer is not undefined; throws with the given words when it never is. */
export async function eventually<T>(
  what: string,
  withinMs: number,
  attempt: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const value = await attempt();
    if (value !== undefined) return value;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${withinMs} ms`);
    await sleep(50);
  }
}
