// The conformance suite in client mode: it plays the upstream and watches how the gateway speaks to it. Authorization
// has scenarios of its own, which are not among these.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PROJECT_ROOT, startGateway } from '../support/gateway-process.ts';
import type { GatewayProcess } from '../support/gateway-process.ts';
import { failuresOf, tallyOf } from './comparison.ts';
import { requiredScenarios, runClientScenario } from './suite.ts';

const DRIVER = `${process.execPath} ${join(PROJECT_ROOT, 'test/conformance/client-driver.ts')}`;

/** Added to the suite after these revisions were frozen, and no less true for that. */
const NOT_REQUIRED = ['json-schema-2020-12-preservation'];

const withoutAuthorization = async (revision: string): Promise<string[]> => {
  const required = await requiredScenarios(revision, 'client');
  return [...required.filter((scenario) => !scenario.startsWith('auth/')), ...NOT_REQUIRED];
};

const REVISIONS = [
  { revision: '2025-11-25', scenarios: await withoutAuthorization('2025-11-25') },
  { revision: '2026-07-28', scenarios: await withoutAuthorization('2026-07-28') },
];

describe('the client scenarios', () => {
  let gateway: GatewayProcess;

  beforeAll(async () => {
    gateway = await startGateway({ config: 'mcp: { servers: [] }\n' });
  });

  afterAll(() => gateway?.discard());

  it.each(REVISIONS)('of $revision are these', ({ revision, scenarios }) => {
    expect(scenarios).toHaveLength(revision === '2025-11-25' ? 5 : 8);
  });

  describe.each(REVISIONS)('of $revision', ({ revision, scenarios }) => {
    it.each(scenarios)('%s', async (scenario) => {
      const run = await runClientScenario(scenario, revision, DRIVER, {
        GATEWAY_URL: gateway.url,
        GATEWAY_ADMIN_TOKEN: gateway.adminToken,
      });
      expect(failuresOf(run.checks, [scenario]), run.output).toEqual([]);
      expect(tallyOf(run.checks).passed, run.output).toBeGreaterThan(0);
      expect(run.exitCode, run.output).toBe(0);
    });
  });
});
