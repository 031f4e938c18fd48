// Reads Linux's /proc: which processes exist, who their parents are, what they carry.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface ProcessEntry {
  readonly pid: number;
  readonly parentPid: number;
  readonly groupId: number;
  /** Clock ticks since boot; with the pid it identifies a process for good. */
  readonly startedAt: number;
  readonly command: string;
}

/** All processes that run; those that only wait to be reaped do not count. */
export function listProcesses(): ProcessEntry[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readProcess(Number(name)) ?? []);
}

function readProcess(pid: number): ProcessEntry | undefined {
  const stat = readStat(pid);
  if (stat === undefined || stat.fields[0] === 'Z') return undefined;
  const command = readOrEmpty(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
  return {
    pid,
    parentPid: Number(stat.fields[1]),
    groupId: Number(stat.fields[2]),
    startedAt: Number(stat.fields[19]),
    command: command === '' ? stat.name : command,
  };
}

/** Fields of `/proc/PID/stat` from the third on (`proc_pid_stat(5)`): the second, the name, may itself hold spaces. */
function readStat(pid: number): { readonly name: string; readonly fields: readonly string[] } | undefined {
  const text = readOrEmpty(`/proc/${pid}/stat`);
  const end = text.lastIndexOf(')');
  if (end === -1) return undefined;
  return { name: text.slice(text.indexOf('(') + 1, end), fields: text.slice(end + 2).split(' ') };
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // The process ended between the listing and the reading, or is another user's.
  }
}

/** Its descendants, and whoever shares a process group with one of them: a process forked twice has init as its parent. */
export function familyOf(pid: number): ProcessEntry[] {
  const all = listProcesses();
  const ownGroup = all.find((entry) => entry.pid === pid)?.groupId;
  const family = new Map<number, ProcessEntry>();
  const groups = new Set<number>();
  for (let grown = true; grown;) {
    grown = false;
    for (const entry of all) {
      const isNew = !family.has(entry.pid) && entry.pid !== pid;
      if (!isNew || !(entry.parentPid === pid || family.has(entry.parentPid) || groups.has(entry.groupId))) continue;
      family.set(entry.pid, entry);
      if (entry.groupId !== ownGroup) groups.add(entry.groupId);
      grown = true;
    }
  }
  return [...family.values()];
}

/** Whether this very process still runs, and not a later one with its number. */
export function isRunning(entry: ProcessEntry): boolean {
  return readProcess(entry.pid)?.startedAt === entry.startedAt;
}

/** Processes that hold the text in their command line, environment or working directory. */
export function processesMentioning(text: string): ProcessEntry[] {
  return listProcesses().filter(
    ({ pid, command }) =>
      command.includes(text) ||
      readOrEmpty(`/proc/${pid}/environ`).includes(text) ||
      workingDirectory(pid).includes(text),
  );
}

function workingDirectory(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return '';
  }
}

/** CPU time that the process has used in user and kernel mode, in microseconds, in steps of 10 ms. */
export function cpuMicroseconds(pid: number): number {
  const fields = readStat(pid)?.fields;
  if (fields === undefined) throw new Error(`process ${pid} does not run`);
  const CLOCK_TICK_MICROSECONDS = 10_000; // USER_HZ is 100 on every architecture that Node runs on.
  return (Number(fields[11]) + Number(fields[12])) * CLOCK_TICK_MICROSECONDS;
}
