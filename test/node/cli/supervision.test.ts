import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { spawnOnLeash } from '../../../bridge/leash.ts';
import { Supervised } from '../../../cli/supervision/supervised.ts';
import { answers, watchHealth } from '../../../cli/supervision/watchdog.ts';
import { eventually } from '../../support/gateway-process.ts';

interface Watched {
  readonly supervised: Supervised;
  /** Process ids, in the order of their starts. */
  readonly pids: number[];
  readonly delays: number[];
}

function supervise(script: string): Watched {
  const pids: number[] = [];
  const delays: number[] = [];
  const supervised = new Supervised({
    spawn: () => {
      const leashed = spawnOnLeash(process.execPath, ['-e', script], { stdio: ['ignore', 'ignore', 'ignore'] });
      pids.push(leashed.child.pid ?? 0);
      return leashed;
    },
    onFailure: (_ending, delayMs) => delays.push(delayMs),
  });
  onTestFinished(() => supervised.stop(0));
  supervised.start();
  return { supervised, pids, delays };
}

function runs(pid: number | undefined): boolean {
  try {
    process.kill(pid ?? 0, 0);
    return true;
  } catch {
    return false;
  }
}

const FOR_EVER = 'setInterval(() => {}, 1000)';

describe('a supervised child', () => {
  it('comes back when it is killed', async () => {
    const { pids, delays } = supervise(FOR_EVER);
    process.kill(pids[0] ?? 0, 'SIGKILL');
    await eventually('a second start', 5_000, () => (pids.length === 2 && runs(pids[1]) ? true : undefined));
    expect(delays).toEqual([100]);
  });

  it('is started less and less often while it keeps ending', async () => {
    const { supervised, delays } = supervise('process.exit(3)');
    await eventually('four ends', 10_000, () => (delays.length >= 4 ? true : undefined));
    expect(delays.slice(0, 4)).toEqual([100, 200, 400, 800]);
    expect(supervised.failures).toBeGreaterThanOrEqual(4);
  });

  it('stays away once stopped, also between two starts', async () => {
    const { supervised, pids } = supervise(FOR_EVER);
    await supervised.stop(1_000);
    expect(runs(pids[0])).toBe(false);

    const ending = supervise('process.exit(3)');
    await eventually('an end', 5_000, () => (ending.delays.length >= 2 ? true : undefined));
    await ending.supervised.stop(1_000);
    const starts = ending.pids.length;
    await new Promise((resolve) => {
      setTimeout(resolve, 600);
    });
    expect(ending.pids).toHaveLength(starts);
  });

  it('is killed when it does not end by itself in time', async () => {
    const { supervised, pids } = supervise(`process.on('SIGTERM', () => {}); ${FOR_EVER}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 300);
    });
    const asked = performance.now();
    await supervised.stop(400);
    expect(performance.now() - asked).toBeGreaterThan(350);
    expect(runs(pids[0])).toBe(false);
  });
});

describe('the watchdog', () => {
  it('calls after three silences in a row, and not for one', async () => {
    let silent = false;
    let asked = 0;
    const server = createServer((_request, response) => {
      asked += 1;
      // Silent once early on, which must not count.
      if (!silent && asked !== 2) response.end('ok');
    }).listen(0, '127.0.0.1');
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    await new Promise((resolve) => {
      server.once('listening', resolve);
    });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/healthz`;
    let calls = 0;
    const watchdog = watchHealth({ url, pid: () => 1, onSilent: () => (calls += 1) }, 50);
    onTestFinished(() => watchdog.stop());
    await eventually('six looks', 5_000, () => (asked >= 6 ? true : undefined));
    expect(calls).toBe(0);
    silent = true;
    await eventually('the call', 5_000, () => (calls === 1 ? true : undefined));
  });

  it.each([
    ['while no process runs', () => undefined],
    ['of a process that was replaced meanwhile', (look: number) => look >> 1],
  ])('counts no silence %s', async (_when, pidAt: (look: number) => number | undefined) => {
    let looks = 0;
    const onSilent = vi.fn<() => void>();
    const watchdog = watchHealth({ url: 'http://127.0.0.1:1/healthz', pid: () => pidAt(looks++), onSilent }, 20);
    onTestFinished(() => watchdog.stop());
    await eventually('a dozen looks', 5_000, () => (looks >= 24 ? true : undefined));
    expect(onSilent).not.toHaveBeenCalled();
  });

  it('tells an error from an answer', async () => {
    const server = createServer((_request, response) => response.writeHead(503).end()).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await new Promise((resolve) => {
      server.once('listening', resolve);
    });
    const { port } = server.address() as AddressInfo;
    expect(await answers(`http://127.0.0.1:${port}/`, 1_000)).toBe(false);
    expect(await answers('http://127.0.0.1:1/', 1_000)).toBe(false);
  });
});
