// How a run is kept (JSON) and shown (a table).
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { parseArgs } from 'node:util';
import { canPin } from './pinned-process.ts';
import type { RoundOptions, Summary } from './rounds.ts';

export interface BenchOptions extends Omit<RoundOptions, 'connections'> {
  readonly connections: readonly number[];
}

/** `--rounds 7 --seconds 2 --warm-up 0.5 --connections 1,8,32`. */
export function benchOptions(): BenchOptions {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '7' },
      seconds: { type: 'string', default: '2' },
      'warm-up': { type: 'string', default: '0.5' },
      connections: { type: 'string', default: '1,8,32' },
    },
  });
  return {
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
    warmUpSeconds: Number(values['warm-up']),
    connections: values.connections.split(',').map(Number),
  };
}

export function printTable(summaries: readonly Summary[], reference: string): void {
  const header = ['target', 'c', 'req/s', 'p50 ms', 'p99 ms', 'CPU µs/req', `÷ ${reference}`, 'per round'];
  const rows = summaries.map((summary) => [
    summary.target,
    String(summary.connections),
    summary.requestsPerSecond.toFixed(0),
    summary.p50Ms.toFixed(2),
    summary.p99Ms.toFixed(2),
    summary.cpuMicrosecondsPerRequest?.toFixed(0) ?? '–',
    summary.medianRatio.toFixed(2),
    summary.ratios.map((ratio) => ratio.toFixed(2)).join(' '),
  ]);
  printRows(header, rows);
}

export function printRows(header: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  for (const row of [header, ...rows]) {
    console.log(
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join('  '),
    );
  }
}

export function writeResult(name: string, result: Readonly<Record<string, unknown>>): string {
  const folder = new URL('results/', import.meta.url);
  mkdirSync(folder, { recursive: true });
  const path = new URL(`${name}.json`, folder).pathname;
  const machine = {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    kernel: release(),
    node: process.version,
    pinned: canPin,
  };
  writeFileSync(path, `${JSON.stringify({ at: new Date().toISOString(), machine, ...result }, undefined, 2)}\n`);
  return path;
}
