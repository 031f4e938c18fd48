// Runs the conformance suites of the protocol as their users do, and reads what they wrote down.
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { PROJECT_ROOT } from '../support/gateway-process.ts';

export const SUITES = ['0.1.16', '2025-11-25', '2026-07-28'] as const;
/** The whole of the older suite, or what the newer one requires for a revision. */
export type Suite = (typeof SUITES)[number];

export interface Check {
  readonly scenario: string;
  readonly id: string;
  readonly name: string;
  readonly status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'SKIPPED' | 'INFO';
  readonly errorMessage?: string;
}

export interface SuiteRun {
  readonly checks: readonly Check[];
  readonly output: string;
  /** Null where it was ended for taking too long. */
  readonly exitCode: number | null;
}

const SERVER_TIMEOUT_MS = 120_000;
const CLIENT_TIMEOUT_MS = 40_000;
const MAX_RUNS_AT_ONCE = 2;

const NEWER = join(PROJECT_ROOT, 'node_modules/@modelcontextprotocol/conformance');
const OLDER = join(PROJECT_ROOT, 'node_modules/conformance-0.1');
const cli = (folder: string): string => join(folder, 'dist', 'index.js');

/** The scenarios that a revision requires of a server or a client, as frozen in the suite. */
export async function requiredScenarios(revision: string, leg: 'server' | 'client'): Promise<string[]> {
  const text = await readFile(join(NEWER, 'requirements', `${revision}.yaml`), 'utf8');
  return (parse(text) as Record<typeof leg, string[]>)[leg];
}

export function runServerSuite(suite: Suite, url: string): Promise<SuiteRun> {
  const which = suite === '0.1.16' ? [cli(OLDER), 'server', '--suite', 'all'] : [cli(NEWER), 'server'];
  const requirements = suite === '0.1.16' ? [] : ['--requirements', suite];
  return run([...which, ...requirements, '--url', url], {}, SERVER_TIMEOUT_MS);
}

/** The suite plays the server and has the command, which it appends its URL to, play the client. */
export function runClientScenario(
  scenario: string,
  revision: string,
  command: string,
  env: Readonly<Record<string, string>>,
): Promise<SuiteRun> {
  const what = ['client', '--scenario', scenario, '--spec-version', revision, '--command', command];
  return run([cli(NEWER), ...what], env, CLIENT_TIMEOUT_MS);
}

/** One after the other in each. */
const lanes: Promise<unknown>[] = Array.from({ length: MAX_RUNS_AT_ONCE }, () => Promise.resolve());
let runs = 0;

function run(args: readonly string[], env: Readonly<Record<string, string>>, timeoutMs: number): Promise<SuiteRun> {
  const lane = runs % MAX_RUNS_AT_ONCE;
  runs += 1;
  const result = (lanes[lane] ?? Promise.resolve()).then(() => runNow(args, env, timeoutMs));
  lanes[lane] = result.catch(() => undefined);
  return result;
}

async function runNow(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  timeoutMs: number,
): Promise<SuiteRun> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-conformance-'));
  try {
    const ended = await spawnGroup([...args, '--output-dir', folder], env, timeoutMs);
    return { ...ended, checks: await readChecks(folder) };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** A process group of its own: what the suite leaves behind ends with it. */
async function spawnGroup(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  timeoutMs: number,
): Promise<Pick<SuiteRun, 'output' | 'exitCode'>> {
  const child = spawn(process.execPath, args, {
    detached: true,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const killGroup = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
  };
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
  }
  const timer = setTimeout(killGroup, timeoutMs);
  const exitCode = await new Promise<number | null>((ended, failed) => {
    child.once('error', failed);
    child.once('exit', ended);
  });
  clearTimeout(timer);
  killGroup();
  return { output, exitCode };
}

/** One folder per scenario, named `server-<scenario>-<time>`; a client's scenario has no prefix and may have a slash. */
async function readChecks(folder: string): Promise<Check[]> {
  const files = (await readdir(folder, { recursive: true })).filter((path) => path.endsWith('checks.json'));
  const perFile = files.toSorted().map(async (file) => {
    const scenario = dirname(file)
      .replace(/^server-/, '')
      .replace(/-\d{4}-\d\d-\d\dT[\d-]+Z$/, '');
    const checks = JSON.parse(await readFile(join(folder, file), 'utf8')) as Omit<Check, 'scenario'>[];
    return checks.map((check): Check => Object.assign(check, { scenario }));
  });
  return (await Promise.all(perFile)).flat();
}
