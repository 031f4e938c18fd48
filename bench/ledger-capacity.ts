// How much one ledger object does: it in a process of its own on one core, and isolates in processes of theirs on the
// other, that reach it over a unix socket.
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChildProcess } from 'node:child_process';
import { build } from 'esbuild';
import { PROJECT_ROOT, freePort } from '../test/support/gateway-process.ts';
import { cpuMicroseconds } from '../test/support/process-table.ts';
import { WORKERD } from '../cli/workerd/binary.ts';
import { WORKERD_BUILD } from '../cli/workerd/bundle.ts';
import type { CapacityPlan, CapacityResult } from './capacity-plan.ts';
import { frontConfig, stateConfig } from './capacity-config.ts';
import { limitsOfAllTiers } from './capacity-limits.ts';
import { GATEWAY_CORE, LOAD_CORE, spawnPinned, stopProcess } from './pinned-process.ts';
import { printRows, writeResult } from './report.ts';
import { median } from './rounds.ts';

const MOST_FRONTS = 4;
const ROUNDS = 5;
const SECONDS = 2;

type Case = Pick<CapacityPlan, 'operation' | 'concurrency' | 'batch'> & {
  readonly name: string;
  readonly fronts: number;
};

const CASES: readonly Case[] = [
  ...[1, 2, 4].map((fronts) => acquiring(fronts, 1)),
  ...[1, 2, 4].map((fronts) => acquiring(fronts, 16)),
  ...[1, 10, 50, 200].map((batch) => settling(2, batch)),
  settling(4, 50),
];

function acquiring(fronts: number, concurrency: number): Case {
  return { name: 'acquire', operation: 'acquire', fronts, concurrency, batch: 1 };
}

function settling(fronts: number, batch: number): Case {
  return { name: `settle, ${batch} at once`, operation: 'settle', fronts, concurrency: 4, batch };
}

interface Front {
  readonly port: number;
  readonly child: ChildProcess;
}

interface Measured {
  /** Of the object: leases granted, or events committed. */
  readonly perSecond: number;
  readonly meanMs: number;
  readonly cpuMicroseconds: number;
  /** Of one core. */
  readonly busy: number;
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'));
  await using ends = new AsyncDisposableStack();
  ends.defer(() => rmSync(folder, { recursive: true, force: true }));
  await bundle(folder);
  const socket = join(folder, 'state.sock');
  mkdirSync(join(folder, 'objects'));
  mkdirSync(join(folder, 'database'));
  const state = await serve(GATEWAY_CORE, folder, 'state', (port) => stateConfig(port, socket, folder));
  ends.defer(() => stopProcess(state.child));
  const fronts: Front[] = [];
  for (let index = 0; index < MOST_FRONTS; index++) {
    const front = await serve(LOAD_CORE, folder, `front-${index}`, (port) => frontConfig(port, socket));
    ends.defer(() => stopProcess(front.child));
    fronts.push(front);
  }
  await measure(acquiring(MOST_FRONTS, 4), fronts, state, 0.5);

  const measurements = new Map<Case, Measured[]>(CASES.map((one) => [one, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (let turn = 0; turn < CASES.length; turn++) {
      const one = CASES[(round + turn) % CASES.length];
      if (one !== undefined) measurements.get(one)?.push(await measure(one, fronts, state, SECONDS));
    }
  }
  const results = Array.from(measurements, ([one, measured]) => ({ ...one, ...medians(measured), rounds: measured }));
  printRows(
    ['operation', 'isolates', 'c each', 'per second', 'mean ms', 'CPU µs of the ledger', 'its core busy'],
    results.map((row) => [
      row.name,
      String(row.fronts),
      String(row.concurrency),
      row.perSecond.toFixed(0),
      row.meanMs.toFixed(2),
      row.cpuMicroseconds.toFixed(0),
      row.busy.toFixed(2),
    ]),
  );
  const counters = limitsOfAllTiers().length;
  console.log(writeResult('ledger-capacity', { options: { rounds: ROUNDS, seconds: SECONDS }, counters, results }));
}

function medians(measured: readonly Measured[]): Measured {
  const of = (figure: (one: Measured) => number): number => median(measured.map(figure));
  return {
    perSecond: of((one) => one.perSecond),
    meanMs: of((one) => one.meanMs),
    cpuMicroseconds: of((one) => one.cpuMicroseconds),
    busy: of((one) => one.busy),
  };
}

async function measure(one: Case, all: readonly Front[], state: Front, seconds: number): Promise<Measured> {
  const { operation, concurrency, batch } = one;
  const fronts = all.slice(0, one.fronts);
  const plan: CapacityPlan = { operation, concurrency, batch, seconds, limits: limitsOfAllTiers() };
  const pid = state.child.pid ?? 0;
  const cpuBefore = cpuMicroseconds(pid);
  const begunAt = performance.now();
  const results = await Promise.all(fronts.map((front) => told(front, plan)));
  const elapsed = (performance.now() - begunAt) / 1000;
  const cpu = cpuMicroseconds(pid) - cpuBefore;
  const calls = results.reduce((sum, { operations }) => sum + operations, 0);
  const refused = results.reduce((sum, result) => sum + result.refused, 0);
  if (refused > 0) throw new Error(`${refused} of ${calls} were refused, below limits that nobody reaches`);
  return {
    perSecond: (calls * batch) / elapsed,
    meanMs: (1000 * elapsed * one.fronts * concurrency) / calls,
    cpuMicroseconds: cpu / (calls * batch),
    busy: cpu / (elapsed * 1e6),
  };
}

async function told(front: Front, plan: CapacityPlan): Promise<CapacityResult> {
  const response = await fetch(`http://127.0.0.1:${front.port}/`, { method: 'POST', body: JSON.stringify(plan) });
  if (!response.ok) throw new Error(`a front answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as CapacityResult;
}

async function bundle(folder: string): Promise<void> {
  await build({
    absWorkingDir: PROJECT_ROOT,
    entryPoints: {
      state: 'bench/capacity-state.worker.ts',
      front: 'bench/capacity-front.worker.ts',
      d1: 'cli/workerd/d1.worker.ts',
    },
    outdir: folder,
    ...WORKERD_BUILD,
    logLevel: 'error',
  });
}

async function serve(core: number, folder: string, name: string, config: (port: number) => string): Promise<Front> {
  const port = await freePort();
  const path = join(folder, `${name}.capnp`);
  writeFileSync(path, config(port));
  const child = spawnPinned(core, [WORKERD, 'serve', path], ['ignore', 'inherit', 'inherit']);
  const deadline = Date.now() + 10_000;
  for (;;) {
    const answered = await fetch(`http://127.0.0.1:${port}/`).then(
      (response) => response.ok,
      () => false,
    );
    if (answered) return { port, child };
    if (Date.now() > deadline) throw new Error(`the ${name} did not start`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

await main();
