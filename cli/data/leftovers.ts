// After a hard end of the command line its children die with it, but not in the same instant, and the runtime does not
// lock its files: the next start waits until the last one's processes are gone.
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Complaint } from '../complaint.ts';
import type { DataFolder } from './folder.ts';

const PATIENCE_MS = 5_000;
const POLL_MS = 50;

/** To be called whenever the runtime was started. */
export function noteRuntime(folder: DataFolder, pid: number): void {
  writeFileSync(noteFile(folder), String(pid), { mode: 0o600 });
}

/** @throws Complaint when the runtime of an earlier start is still there after five seconds */
export async function awaitLeftovers(folder: DataFolder): Promise<void> {
  const pid = Number(await readFile(noteFile(folder), 'utf8').catch(() => 'NaN'));
  if (!Number.isSafeInteger(pid) || pid <= 0) return;
  for (let waited = 0; waited < PATIENCE_MS; waited += POLL_MS) {
    if (!(await isOurs(pid, folder))) return;
    await new Promise((resolve) => {
      setTimeout(resolve, POLL_MS);
    });
  }
  throw new Complaint(`process ${pid} of an earlier start still uses ${folder.path}: stop it and start again`);
}

/** Process ids are used again: ours names the folder in its command. */
async function isOurs(pid: number, folder: DataFolder): Promise<boolean> {
  try {
    process.kill(pid, 0);
    const { stdout } = await promisify(execFile)('ps', ['-o', 'command=', '-p', String(pid)]);
    return stdout.includes(folder.run);
  } catch {
    return false;
  }
}

function noteFile(folder: DataFolder): string {
  return join(folder.run, 'workerd.pid');
}
