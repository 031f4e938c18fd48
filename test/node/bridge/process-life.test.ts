// Starting, failing, sleeping and ending of the servers' processes.
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BridgeProcess, MODERN } from '../../support/bridge-process.ts';
import { isRunning, listProcesses } from '../../support/process-table.ts';
import type { ProcessEntry } from '../../support/process-table.ts';
import { CLIENT_PARAMS, RawSession, eventsOf, messagesOf } from '../../support/raw-session.ts';

const INITIALIZE = { id: 1, method: 'initialize', params: CLIENT_PARAMS };
const MODERN_META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};
const DISCOVER = { id: 1, method: 'server/discover', params: { _meta: MODERN_META } };
const PROBE = { 'x-sallyport-probe': '1' };
const ABSENT = ['no-such-program-here'];

let bridge: BridgeProcess;
beforeAll(async () => {
  bridge = await BridgeProcess.start(['--max-children', '20'], { GATEWAY_PRIVATE: 'private-to-the-gateway' });
});
afterAll(() => bridge.stop());

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The process and all that is in its group. */
function groupOf(pid: number): ProcessEntry[] {
  return listProcesses().filter((entry) => entry.groupId === pid);
}

test('nothing runs before it is asked for', async () => {
  await bridge.defineScripted('lazy');
  expect(await bridge.state('lazy')).toMatchObject({ state: 'idle', children: [], restarts: 0 });
  await RawSession.open(bridge, 'lazy');
  expect(await bridge.state('lazy')).toMatchObject({ state: 'running', children: [{ era: 'legacy' }] });
});

test("a server sees its own env, and PATH, HOME and LANG; no other server's and not the bridge's", async () => {
  await bridge.defineScripted('one', { env: { TOKEN: 'secret-of-one', HOME: '/home/of/one' } });
  await bridge.defineScripted('two', { env: { LANG: 'xx' }, cwd: tmpdir() });
  const environment = async (name: string): Promise<Record<string, string>> =>
    (await (await RawSession.open(bridge, name)).value('env')) as Record<string, string>;
  const [one, two] = [await environment('one'), await environment('two')];
  expect(one).toMatchObject({ TOKEN: 'secret-of-one', HOME: '/home/of/one', PATH: process.env['PATH'] });
  expect(two).toMatchObject({ LANG: 'xx', HOME: process.env['HOME'] });
  // A shell that starts a command may add these two, which tell nothing.
  const allowed = new Set(['PATH', 'HOME', 'LANG', 'TOKEN', 'PWD', '_']);
  for (const name of [...Object.keys(one), ...Object.keys(two)]) expect(allowed).toContain(name);
  expect(JSON.stringify(two)).not.toContain('secret-of-one');
  expect(JSON.stringify([one, two])).not.toMatch(/private-to-the-gateway|test-bridge-secret/);
});

test('what is under way when the server dies is answered at once, and the session outlives it', async () => {
  await bridge.defineScripted('crashing');
  const session = await RawSession.open(bridge, 'crashing');
  const other = await RawSession.open(bridge, 'crashing');
  await session.post({ id: 1, method: 'logging/setLevel', params: { level: 'error' } });
  await session.post({ id: 1, method: 'resources/subscribe', params: { uri: 'x:a' } });
  const pid = await session.value('pid');
  const begun = performance.now();
  const [hanging, crashed] = await Promise.all([other.call('hang', {}, 9), session.call('crash', { code: 1 }, 8)]);
  expect(performance.now() - begun).toBeLessThan(5000);
  for (const [reply, id] of [
    [hanging, 9],
    [crashed, 8],
  ] as const) {
    expect(await messagesOf(reply)).toMatchObject([
      { id, error: { code: -32603, message: 'server exited with code 1' } },
    ]);
  }

  const refused = await session.call('pid');
  expect(refused.status).toBe(503);
  expect(refused.headers.get('retry-after')).toBe('1');
  expect(await refused.json()).toMatchObject({ code: 'child_failed', message: 'server exited with code 1' });
  expect(await bridge.state('crashing')).toMatchObject({ state: 'backing_off', last_exit: { code: 1 } });

  await sleep(600);
  expect(await session.value('pid')).not.toBe(pid);
  const told = ((await other.value('seen')) as { method: string }[]).map(({ method }) => method);
  expect(told.slice(0, 4)).toEqual([
    'initialize',
    'notifications/initialized',
    'logging/setLevel',
    'resources/subscribe',
  ]);
  expect(await bridge.state('crashing')).toMatchObject({ state: 'running', restarts: 1 });
});

test('a new process that answers the handshake otherwise ends the sessions of the old one', async () => {
  await bridge.defineScripted('changing', {}, ['--changing']);
  const [one, two] = [await RawSession.open(bridge, 'changing'), await RawSession.open(bridge, 'changing')];
  await one.call('crash', { code: 1 });
  await sleep(600);
  expect((await one.call('pid')).status).toBe(404);
  expect((await two.call('pid')).status).toBe(404);
  const anew = await RawSession.open(bridge, 'changing');
  const told = ((await anew.value('seen')) as { method: string }[]).map(({ method }) => method);
  expect(told).toEqual(['initialize', 'notifications/initialized', 'tools/call']);
});

test('a server that fails at every start is given more and more time, and its last words without secrets', async () => {
  await bridge.defineScripted('failing', { env: { API_TOKEN: 'tok-4711' } }, ['--fail-at-start']);
  const delays: number[] = [];
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const failed = await bridge.post('failing', INITIALIZE);
    expect(failed.status).toBe(503);
    expect(await failed.json()).toMatchObject({
      code: 'child_failed',
      message: 'server exited with code 3',
      stderr_tail: expect.arrayContaining(['cannot start: token *** was refused']) as unknown,
    });
    const begun = performance.now();
    await expect
      .poll(async () => (await bridge.state('failing')).state, { interval: 20, timeout: 15_000 })
      .toBe('idle');
    delays.push(performance.now() - begun);
  }
  expect(delays[0]).toBeLessThan(delays[2] ?? 0);
  expect(delays[2]).toBeGreaterThan(900);
  expect(bridge.log).not.toContain('tok-4711');
  expect(bridge.log).toContain('cannot start: token *** was refused');
});

test('a server that exits when it is asked for its era is taken for legacy, and is not asked twice', async () => {
  await bridge.defineScripted('strict', {}, ['--strict']);
  const asked = await bridge.post('strict', DISCOVER);
  expect(await messagesOf(asked)).toMatchObject([{ id: 1, error: { message: 'server exited with code 4' } }]);
  // No waiting: nothing was held against it.
  const again = await bridge.post('strict', DISCOVER);
  expect(again.status).toBe(404);
  expect(await messagesOf(again)).toMatchObject([{ id: 1, error: { code: -32601 } }]);
  const session = await RawSession.open(bridge, 'strict');
  expect(await session.value('pid')).toEqual(expect.any(Number));
  expect((await bridge.post('strict', DISCOVER)).status).toBe(404);
  expect((await bridge.state('strict')).children).toHaveLength(1);
});

test('a server that is broken shows it at the handshake, and may be asked for its era again after that', async () => {
  await bridge.defineScripted('broken', {}, ['--fail-at-start']);
  expect((await bridge.post('broken', DISCOVER)).status).toBe(200);
  expect((await bridge.post('broken', INITIALIZE)).status).toBe(503);
  expect((await bridge.post('broken', DISCOVER)).status).toBe(503);
  await sleep(600);
  expect(await messagesOf(await bridge.post('broken', DISCOVER))).toMatchObject([{ error: { code: -32603 } }]);
});

test.each([
  ['a program that is not on PATH', ABSENT, {}, /"no-such-program-here" was not found on PATH/],
  ['a path that is not there', ['/no/such/file'], {}, /\/no\/such\/file does not exist or is not executable/],
  ['a working directory that is not there', ['node'], { cwd: '/no/such/dir' }, /working directory \/no\/such\/dir/],
])('%s is told in words', async (title, command, options, message) => {
  const name = title.replaceAll(' ', '-');
  await bridge.define(name, command, options);
  for (let attempt = 0; attempt < 2; attempt += 1) {
    const reply = await bridge.post(name, INITIALIZE);
    expect(reply.status).toBe(503);
    expect(await reply.json()).toMatchObject({
      code: 'child_failed',
      message: expect.stringMatching(message) as string,
    });
  }
});

test('a call that hangs holds nobody else up, and ends with its server', async () => {
  await bridge.defineScripted('hanging');
  const session = await RawSession.open(bridge, 'hanging');
  const hanging = session.call('hang', {}, 'h');
  expect(await session.value('delay', { ms: 1, text: 'free' })).toBe('free');
  await bridge.fetch('/servers/hanging', { method: 'DELETE' });
  expect(await messagesOf(await hanging)).toMatchObject([{ id: 'h', error: { message: 'server was removed' } }]);
});

test('a server that never answers the handshake does not stand in the way of its own removal', async () => {
  await bridge.defineScripted('mute', {}, ['--hang-at-start']);
  const waiting = bridge.post('mute', INITIALIZE);
  await expect.poll(async () => (await bridge.state('mute')).state).toBe('running');
  await bridge.fetch('/servers/mute', { method: 'DELETE' });
  const answer = await waiting;
  expect(answer.status).toBe(503);
  expect(await answer.json()).toMatchObject({ code: 'child_failed', message: 'server was removed' });
});

test('what is no JSON-RPC on stdout is logged once and skipped', async () => {
  await bridge.defineScripted('chatty');
  const session = await RawSession.open(bridge, 'chatty');
  expect(await session.value('junk')).toBe('after junk');
  expect(await session.value('junk')).toBe('after junk');
  const lines = bridge.log.split('\n').filter((line) => line.includes('not_json_rpc') && line.includes('chatty'));
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('Hello, I am a banner');
});

test('a message without an end costs the server its life, not the bridge', async () => {
  await bridge.defineScripted('flooding');
  const session = await RawSession.open(bridge, 'flooding');
  const [answer] = await messagesOf(await session.call('flood'));
  expect(answer?.error?.message).toContain('sent a line of more than 67108864 bytes');
  expect((await bridge.fetch('/healthz')).status).toBe(200);
});

test('stderr is kept and logged under the name of its server, env values masked', async () => {
  await bridge.defineScripted('talking', { env: { PASSWORD: 'hunter2!' } });
  const session = await RawSession.open(bridge, 'talking');
  await session.value('stderr', { text: 'login with hunter2! failed' });
  await expect.poll(async () => (await bridge.state('talking')).stderr_tail).toEqual(['login with *** failed']);
  expect(bridge.log).toMatch(
    /"level":"debug","event":"bridge.child.stderr","server":"talking",.*login with \*\*\* failed/,
  );
});

test('isolation per session: a process each, which dies with its session and takes the session with it', async () => {
  await bridge.defineScripted('own', { isolation: 'session' });
  const [one, two] = [await RawSession.open(bridge, 'own'), await RawSession.open(bridge, 'own')];
  const [first, second] = [Number(await one.value('pid')), Number(await two.value('pid'))];
  expect(first).not.toBe(second);
  const group = groupOf(first);
  expect((await one.close()).status).toBe(204);
  expect((await one.call('pid')).status).toBe(404);
  await expect.poll(() => group.filter(isRunning)).toEqual([]);

  await two.call('crash', { code: 1 });
  expect((await two.call('pid')).status).toBe(404);
  // One client's crash keeps no other from starting.
  expect(await (await RawSession.open(bridge, 'own')).value('pid')).toEqual(expect.any(Number));
});

test('an idle server is ended; the next call starts it again within the same session', async () => {
  await bridge.defineScripted('dozing', { idle_timeout_ms: 400 });
  const session = await RawSession.open(bridge, 'dozing');
  const pid = await session.value('pid');
  // A call under way is use, however long it takes.
  expect(await session.value('delay', { ms: 1800, text: 'long' })).toBe('long');
  await expect.poll(async () => (await bridge.state('dozing')).state, { timeout: 15_000 }).toBe('idle');
  expect(await session.value('pid')).not.toBe(pid);
  expect((await bridge.state('dozing')).restarts).toBe(0);
});

test('a listening client keeps its server; a probe does not, and wakes it only the first time', async () => {
  await bridge.define('watched', [process.execPath, MODERN], { idle_timeout_ms: 1500 });
  expect((await bridge.post('watched', DISCOVER, PROBE)).status).toBe(200);
  expect((await bridge.state('watched')).state).toBe('running');
  const begun = performance.now();
  await expect
    .poll(
      async () => {
        await (await bridge.post('watched', DISCOVER, PROBE)).body?.cancel();
        return (await bridge.state('watched')).state;
      },
      { timeout: 15_000 },
    )
    .toBe('idle');
  expect(performance.now() - begun).toBeLessThan(10_000);
  const asleep = await bridge.post('watched', DISCOVER, PROBE);
  expect([asleep.status, asleep.headers.get('x-sallyport-child')]).toEqual([204, 'idle']);
  expect((await bridge.post('watched', INITIALIZE, PROBE)).status).toBe(204);
  expect((await bridge.state('watched')).state).toBe('idle');
  expect((await bridge.post('watched', DISCOVER)).status).toBe(200);

  await bridge.defineScripted('listened', { idle_timeout_ms: 1500 });
  const session = await RawSession.open(bridge, 'listened');
  const stop = new AbortController();
  const stream = eventsOf(await session.listen(stop.signal));
  await sleep(2500);
  expect((await bridge.state('listened')).state).toBe('running');
  stop.abort();
  await stream.next().catch(() => {});
  await expect.poll(async () => (await bridge.state('listened')).state, { timeout: 15_000 }).toBe('idle');
});

test('a client that gives up on the question about the era does not decide it', async () => {
  await bridge.define('undecided', [process.execPath, MODERN]);
  const abort = new AbortController();
  const asked = bridge.post('undecided', DISCOVER, {}, abort.signal);
  await expect.poll(async () => (await bridge.state('undecided')).state).toBe('running');
  abort.abort();
  await expect(asked).rejects.toThrow();
  const params = { name: 'era', arguments: {}, _meta: MODERN_META };
  const [answer] = await messagesOf(await bridge.post('undecided', { id: 2, method: 'tools/call', params }));
  expect(answer?.result).toMatchObject({
    resultType: 'complete',
    content: [{ text: expect.stringMatching(/^modern /) as string }],
  });
});

test('no more processes than allowed, and a place is free again when one has ended', async () => {
  const small = await BridgeProcess.start(['--max-children', '2']);
  try {
    await small.defineScripted('crowd', { isolation: 'session' });
    const [one] = [await RawSession.open(small, 'crowd'), await RawSession.open(small, 'crowd')];
    const refused = await small.post('crowd', INITIALIZE);
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({
      code: 'too_many_children',
      message: expect.stringContaining('--max-children') as string,
    });
    await one.close();
    await expect.poll(async () => (await small.post('crowd', INITIALIZE)).status, { timeout: 15_000 }).toBe(200);
  } finally {
    await small.stop();
  }
});

/** A bridge with a well-behaved server, a stubborn one and one with a grandchild; and all of their processes. */
async function busyBridge(): Promise<[BridgeProcess, ProcessEntry[]]> {
  const busy = await BridgeProcess.start();
  await busy.defineScripted('plain');
  await busy.defineScripted('stubborn', {}, ['--stubborn']);
  const pids = await Promise.all(
    ['plain', 'stubborn'].map(async (name) => {
      const session = await RawSession.open(busy, name);
      await session.value('grandchild');
      return Number(await session.value('pid'));
    }),
  );
  const family = pids.flatMap(groupOf);
  // Of each: the server, its watcher and its grandchild.
  expect(family).toHaveLength(6);
  return [busy, family];
}

test('at the end of its input the bridge stops, with all that it started', async () => {
  const [busy, family] = await busyBridge();
  expect(await busy.stop()).toBe(0);
  await expect.poll(() => family.filter(isRunning)).toEqual([]);
});

test.each(['SIGTERM', 'SIGINT'] as const)('on %s too', async (signal) => {
  const [busy, family] = await busyBridge();
  const exited = once(busy.process, 'exit');
  busy.process.kill(signal);
  expect(await exited).toEqual([0, null]);
  await expect.poll(() => family.filter(isRunning)).toEqual([]);
});

test('kill -9 of the bridge leaves no process behind', async () => {
  const [busy, family] = await busyBridge();
  busy.process.kill('SIGKILL');
  await expect.poll(() => family.filter(isRunning), { timeout: 15_000 }).toEqual([]);
});
