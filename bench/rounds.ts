// Interleaved rounds: on a machine that others use too, only figures taken side by side compare. Every round runs
// every target once, each round in another order; ratios are taken within a round and the median is over rounds.
import { cpuMicroseconds } from '../test/support/process-table.ts';
import type { LoadPlan, LoadResult } from './load-generator.ts';
import type { LoadProcess } from './pinned-process.ts';

export interface Target {
  readonly name: string;
  readonly plan: Pick<LoadPlan, 'port' | 'request' | 'status' | 'expect'>;
  /** The processes whose CPU time counts as this target's; none for the upstream itself. */
  cpuPids(): readonly number[];
}

export interface Measurement extends LoadResult {
  /** Absent for the upstream itself. */
  readonly cpuMicrosecondsPerRequest?: number | undefined;
}
/** Target name → its measurements, one per round. */
export type Rounds = Readonly<Record<string, readonly Measurement[]>>;

export interface RoundOptions {
  readonly connections: number;
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
}

export async function runRounds(load: LoadProcess, targets: readonly Target[], options: RoundOptions): Promise<Rounds> {
  const measurements = new Map<string, Measurement[]>(targets.map(({ name }) => [name, []]));
  for (let round = 0; round < options.rounds; round++) {
    for (let turn = 0; turn < targets.length; turn++) {
      const target = targets[(round + turn) % targets.length];
      if (target === undefined) continue;
      measurements.get(target.name)?.push(await measure(load, target, options));
    }
  }
  return Object.fromEntries(measurements);
}

async function measure(load: LoadProcess, target: Target, options: RoundOptions): Promise<Measurement> {
  const { connections, seconds, warmUpSeconds } = options;
  if (warmUpSeconds > 0) {
    await load.run({ ...target.plan, connections, seconds: warmUpSeconds, warmUpSeconds: 0 });
  }
  const pids = target.cpuPids();
  const cpuBefore = sum(pids.map(cpuMicroseconds));
  const result = await load.run({ ...target.plan, connections, seconds, warmUpSeconds: 0 });
  const cpu = sum(pids.map(cpuMicroseconds)) - cpuBefore;
  if (result.errors > 0) {
    throw new Error(`${target.name}: ${result.errors} of ${result.requests} failed; the first: ${result.firstError}`);
  }
  return { ...result, cpuMicrosecondsPerRequest: pids.length === 0 ? undefined : cpu / result.requests };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? Number.NaN;
  return Number.isInteger(middle) ? ((sorted[middle - 1] ?? Number.NaN) + upper) / 2 : upper;
}

export interface Summary {
  readonly target: string;
  readonly connections: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuMicrosecondsPerRequest?: number | undefined;
  /** Requests per second over those of the reference target, round by round, and their median. */
  readonly ratios: readonly number[];
  readonly medianRatio: number;
}

export function summarize(rounds: Rounds, reference: string, connections: number): Summary[] {
  return Object.entries(rounds).map(([target, measurements]) => {
    const of = (figure: (measurement: Measurement) => number): number => median(measurements.map(figure));
    const cpu = measurements.flatMap(({ cpuMicrosecondsPerRequest }) => cpuMicrosecondsPerRequest ?? []);
    const ratios = measurements.map(
      ({ requestsPerSecond }, round) =>
        requestsPerSecond / (rounds[reference]?.[round]?.requestsPerSecond ?? Number.NaN),
    );
    return {
      target,
      connections,
      requestsPerSecond: of((measurement) => measurement.requestsPerSecond),
      p50Ms: of((measurement) => measurement.p50Ms),
      p99Ms: of((measurement) => measurement.p99Ms),
      cpuMicrosecondsPerRequest: cpu.length === 0 ? undefined : median(cpu),
      ratios: ratios.map((ratio) => Number(ratio.toFixed(3))),
      medianRatio: median(ratios),
    };
  });
}
