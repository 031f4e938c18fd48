// The conformance suites in server mode: against the fixtures themselves, and against the gateway before them. What a
// fixture passes by itself it passes behind the gateway.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { complainedOf, failuresOf, hasFailed, lossesBetween, tallyOf } from './comparison.ts';
import { startServersUnderTest } from './servers-under-test.ts';
import type { FixtureName, ServersUnderTest, Way } from './servers-under-test.ts';
import { requiredScenarios, runServerSuite } from './suite.ts';
import type { Check, Suite, SuiteRun } from './suite.ts';

interface Ceiling {
  readonly fixture: FixtureName;
  readonly suite: Suite;
  /** Fewer would let the gateway lose as much without notice. */
  readonly passed: number;
  /** Scenarios, none of them required, that the fixture itself does not pass whole. */
  readonly unmet: readonly string[];
}

// Speaks as a client of 2025-03-26, to which the SDK sends no events without a message.
const OLD_POLLING = ['server-sse-polling'];

const CEILINGS: readonly Ceiling[] = [
  { fixture: 'fixture-v2', suite: '0.1.16', passed: 44, unmet: OLD_POLLING },
  { fixture: 'fixture-v2', suite: '2025-11-25', passed: 84, unmet: [] },
  { fixture: 'fixture-v2', suite: '2026-07-28', passed: 196, unmet: [] },
  { fixture: 'fixture-v1', suite: '0.1.16', passed: 44, unmet: OLD_POLLING },
  { fixture: 'fixture-v1', suite: '2025-11-25', passed: 84, unmet: [] },
];

const THROUGH: readonly Way[] = ['/mcp/<server>', '/mcp'];

let servers: ServersUnderTest;

beforeAll(async () => {
  servers = await startServersUnderTest();
});

afterAll(() => servers?.stop());

describe.each(CEILINGS)('the suite $suite with $fixture', ({ fixture, suite, passed, unmet }) => {
  const runs = new Map<Way, SuiteRun>();
  let required: string[];

  beforeAll(async () => {
    // One after the other: some scenarios allow an event a second and a half.
    for (const way of ['direct', ...THROUGH] as const) {
      runs.set(way, await runServerSuite(suite, servers.url(fixture, way)));
    }
    required = suite === '0.1.16' ? allBut(unmet, checksOf('direct')) : await requiredScenarios(suite, 'server');
  });

  const checksOf = (way: Way): readonly Check[] => runs.get(way)?.checks ?? [];

  it('finds in the fixture what it should', () => {
    expect(tallyOf(checksOf('direct')).passed, runs.get('direct')?.output).toBe(passed);
    expect(complainedOf(checksOf('direct')).toSorted()).toEqual(unmet);
  });

  it.each<Way>(['direct', ...THROUGH])('passes what is required by way of %s', (way) => {
    expect(required.length).toBeGreaterThan(25);
    expect(failuresOf(checksOf(way), required)).toEqual([]);
    expect(runs.get(way)?.exitCode, runs.get(way)?.output).toBe(0);
  });

  it.each(THROUGH)('loses nothing by way of %s', (way) => {
    expect(lossesBetween(checksOf('direct'), checksOf(way))).toEqual([]);
  });
});

/** Both look for a question under the key of the tool's choice: one that a server of old pushes has none. */
const BEYOND_A_BRIDGE = ['sep-2322-elicitation-incomplete', 'sep-2322-ignore-unexpected-params'];

describe('the suite 2026-07-28 with fixture-v1, which knows nothing of it', () => {
  it.each(THROUGH)(
    'passes what is required by way of %s, all but what a bridge cannot give',
    async (way) => {
      const required = await requiredScenarios('2026-07-28', 'server');
      const { checks, output } = await runServerSuite('2026-07-28', servers.url('fixture-v1', way));
      const failed = checks.filter((check) => required.includes(check.scenario) && hasFailed(check));
      expect(tallyOf(checks).passed, output).toBeGreaterThan(150);
      expect(failed.map(({ id }) => id).toSorted(), failuresOf(checks, required).join('\n')).toEqual(BEYOND_A_BRIDGE);
    },
    120_000,
  );
});

function allBut(unmet: readonly string[], checks: readonly Check[]): string[] {
  return [...new Set(checks.map(({ scenario }) => scenario))].filter((scenario) => !unmet.includes(scenario));
}
