import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { spawnOnLeash } from '../../../bridge/leash.ts';
import { isRunning, listProcesses } from '../../support/process-table.ts';
import type { ProcessEntry } from '../../support/process-table.ts';

// A command that leaves a child of its own behind, says both pids and waits.
const FAMILY = 'sleep 600 & echo $$ $!; wait';
const LEASH = fileURLToPath(new URL('../../../bridge/leash.ts', import.meta.url));

async function firstLine(stream: NodeJS.ReadableStream | null): Promise<string> {
  if (stream === null) throw new Error('no pipe');
  const [chunk] = (await once(stream, 'data')) as [Buffer];
  return chunk.toString().trim();
}

function entries(pids: readonly number[]): ProcessEntry[] {
  const all = listProcesses().filter((entry) => pids.includes(entry.pid));
  expect(all.map((entry) => entry.pid).toSorted()).toEqual([...pids].toSorted());
  return all;
}

test('the process is the command itself, alone in its group but for what it starts and the watcher', async () => {
  const { child, stop } = spawnOnLeash('sh', ['-c', FAMILY]);
  const [main, grandchild] = (await firstLine(child.stdout)).split(' ').map(Number);
  expect(main).toBe(child.pid);
  const group = listProcesses().filter((entry) => entry.groupId === child.pid);
  expect(group.map((entry) => entry.pid)).toEqual(expect.arrayContaining([main, grandchild]));
  expect(group).toHaveLength(3);
  await stop(1000);
  await expect.poll(() => group.filter(isRunning)).toEqual([]);
});

test('kill -9 of the parent takes the child and the grandchild with it', async () => {
  const script = `
    import { spawnOnLeash } from ${JSON.stringify(LEASH)};
    spawnOnLeash('sh', ['-c', ${JSON.stringify(FAMILY)}], { stdio: ['pipe', 'inherit', 'inherit'] });
  `;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const family = entries((await firstLine(parent.stdout)).split(' ').map(Number));
  parent.kill('SIGKILL');
  await expect.poll(() => family.filter(isRunning), { timeout: 5000 }).toEqual([]);
});

test('the end of the child is the end of its grandchildren, and its exit code is its own', async () => {
  const { child, gone } = spawnOnLeash('sh', ['-c', 'sleep 600 >/dev/null 2>&1 & echo $!; read _; exit 7']);
  const grandchildren = entries([Number(await firstLine(child.stdout))]);
  const exited = once(child, 'exit');
  child.stdin?.end('\n');
  expect(await exited).toEqual([7, null]);
  await gone;
  await expect.poll(() => grandchildren.filter(isRunning)).toEqual([]);
});

test('what ignores SIGTERM is killed after the grace, and what heeds it is not waited for', async () => {
  const deaf = spawnOnLeash('sh', ['-c', 'trap "" TERM; echo ready; while :; do sleep 1; done']);
  await firstLine(deaf.child.stdout);
  const begun = performance.now();
  await deaf.stop(300);
  expect(performance.now() - begun).toBeGreaterThanOrEqual(290);
  expect(deaf.child.signalCode).toBe('SIGKILL');

  const polite = spawnOnLeash('sh', ['-c', 'trap "exit 5" TERM; echo ready; while :; do sleep 0.1; done']);
  await firstLine(polite.child.stdout);
  await polite.stop(10_000);
  expect(polite.child.exitCode).toBe(5);
});

test('a group whose watcher was killed can still be stopped', async () => {
  const { child, stop } = spawnOnLeash('sh', ['-c', 'trap "" TERM; echo ready; while :; do sleep 0.1; done']);
  await firstLine(child.stdout);
  const watcher = listProcesses().find(({ groupId, command }) => groupId === child.pid && command.includes('read _'));
  if (watcher === undefined) throw new Error('no watcher');
  process.kill(watcher.pid, 'SIGKILL');
  await stop(50);
  expect(child.signalCode).toBe('SIGKILL');
});

test('a grandchild that ignores SIGTERM does not outlive a command that heeds it', async () => {
  const { child, stop } = spawnOnLeash('sh', ['-c', '(trap "" TERM; exec sleep 600) >/dev/null 2>&1 & echo $!; wait']);
  const grandchildren = entries([Number(await firstLine(child.stdout))]);
  await stop(10_000);
  expect(child.signalCode).toBe('SIGTERM');
  await expect.poll(() => grandchildren.filter(isRunning)).toEqual([]);
});

test('the command gets no descriptor of the leash, and as many files as the system allows', async () => {
  const { child, gone } = spawnOnLeash('sh', ['-c', 'ls /proc/$$/fd; ulimit -Sn; ulimit -Hn'], {
    raiseFileLimit: true,
  });
  const output: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => output.push(chunk));
  await gone;
  const lines = Buffer.concat(output).toString().trim().split('\n');
  const [soft, hard] = lines.splice(-2);
  expect(lines).not.toContain('3');
  expect(soft).toBe(hard);
});

test('a command that does not exist exits as in a shell', async () => {
  const { child, gone } = spawnOnLeash('no-such-command-here', []);
  await gone;
  expect(child.exitCode).toBe(127);
});
