// The parts that need no process: backoff, lines, stderr, definitions, options.
import { expect, test } from 'vitest';
import { Backoff } from '../../../bridge/backoff.ts';
import { parseDefinition } from '../../../bridge/definition.ts';
import { LineReader } from '../../../bridge/line-reader.ts';
import { parseOptions } from '../../../bridge/options.ts';
import { StderrRing, lineMask } from '../../../bridge/stderr-ring.ts';

test('backoff doubles from half a second to thirty, spread over the upper half', () => {
  const ceilings = [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000];
  const [low, high] = [new Backoff(), new Backoff()];
  for (const ceiling of ceilings) {
    low.failed(0, 10, 0);
    high.failed(0, 10, 0.999_999);
    expect(low.remaining(0)).toBe(ceiling / 2);
    expect(high.remaining(0)).toBeCloseTo(ceiling, 0);
  }
  expect(low.remaining(15_000)).toBe(0);
});

test('a minute of uptime begins a new run of failures', () => {
  const backoff = new Backoff();
  for (let n = 0; n < 5; n += 1) backoff.failed(0, 59_999, 0);
  expect(backoff.remaining(0)).toBe(4000);
  backoff.failed(0, 60_000, 0);
  expect(backoff.remaining(0)).toBe(250);
});

test('lines are cut wherever the chunks end, and one over the limit is told once and skipped', () => {
  const lines: string[] = [];
  const overflows: string[] = [];
  const reader = new LineReader({
    maxBytes: 8,
    onLine: (line) => lines.push(line),
    onOverflow: (beginning) => overflows.push(beginning),
  });
  for (const chunk of ['a', 'b\nc\r\n\n', '0123456789', '0123', '45\nd€', '\nlast']) reader.push(Buffer.from(chunk));
  reader.end();
  expect(lines).toEqual(['ab', 'c', 'd€', 'last']);
  expect(overflows).toEqual(['01234567']);
});

test('stderr keeps its last lines within both bounds', () => {
  const ring = new StderrRing();
  for (let n = 0; n < 500; n += 1) ring.push(`line ${n}`);
  expect(ring.tail()).toHaveLength(200);
  expect(ring.tail(2)).toEqual(['line 498', 'line 499']);
  for (let n = 0; n < 40; n += 1) ring.push('x'.repeat(4000));
  expect(ring.tail().join('\n').length).toBeLessThanOrEqual(64 * 1024);
});

test('values of env are masked wherever they stand, longer ones first, and long lines are cut after that', () => {
  const mask = lineMask({ A: 'secret', B: 'secret-and-more', C: 'first line\nsecond line', D: '1' });
  expect(mask('a=secret b=secret-and-more c=second line d=1')).toBe('a=*** b=*** c=*** d=1');
  const long = mask(`${'x'.repeat(4090)}secret`);
  expect(long).not.toContain('secre');
  expect(long).toHaveLength(4093);
  expect(mask('y'.repeat(9000))).toHaveLength(4097);
});

const VALID = { fingerprint: 'f', command: ['node', ''], isolation: 'shared' };

test.each([
  ['a body that is no object', [], /JSON object/],
  ['no fingerprint', { ...VALID, fingerprint: '' }, /fingerprint/],
  ['no command', { ...VALID, command: [] }, /command/],
  ['an empty program', { ...VALID, command: ['', 'x'] }, /command/],
  ['a NUL in an argument', { ...VALID, command: ['node', 'a\0b'] }, /command/],
  ['a number in env', { ...VALID, env: { A: 1 } }, /env/],
  ['a bad variable name', { ...VALID, env: { 'A-B': 'x' } }, /env/],
  ['an empty cwd', { ...VALID, cwd: '' }, /cwd/],
  ['no isolation', { ...VALID, isolation: undefined }, /isolation/],
  ['an idle timeout of nothing', { ...VALID, idle_timeout_ms: 0 }, /idle_timeout_ms/],
  ['an idle timeout no timer holds', { ...VALID, idle_timeout_ms: 2 ** 31 }, /idle_timeout_ms/],
])('a definition with %s is refused', (_, body, problem) => {
  expect(parseDefinition('s', body)).toEqual({ ok: false, problem: expect.stringMatching(problem) as string });
});

test('a definition has defaults for what it leaves out', () => {
  expect(parseDefinition('s', VALID)).toEqual({
    ok: true,
    value: { name: 's', ...VALID, env: {}, idleTimeoutMs: 600_000 },
  });
});

test.each([
  [['--port', '65536'], /--port/],
  [['--port', 'x'], /--port/],
  [['--max-children', '0'], /--max-children/],
  [['--log-level', 'loud'], /--log-level/],
  [['--unknown'], /unknown/i],
])('options %j are refused', (args, problem) => {
  const parsed = parseOptions(args, { SALLYPORT_BRIDGE_SECRET: 's' });
  expect(parsed).toEqual({ ok: false, problem: expect.stringMatching(problem) as string });
});

test('without a secret the bridge has no options at all', () => {
  for (const env of [{}, { SALLYPORT_BRIDGE_SECRET: '' }]) expect(parseOptions([], env)).toMatchObject({ ok: false });
});
