// What the gateway holds of its limits in memory, when it ends: nothing of it may be taken for spent afterwards.
import { afterEach, describe, expect, it } from 'vitest';
import { newGatewayFolder, startGateway, type GatewayProcess } from '../../support/gateway-process.ts';
import { usageOf } from '../../support/ledger-readings.ts';

const KEY = 'vk-e2e-leases';
const CALLS = 7;
const CONFIG = `providers: [{ name: echo }]
customers: [{ name: acme, rate_limit: { requests: 10000, tokens: 1000000, concurrent: 100, period: 1d } }]
virtual_keys:
  - key_name: limited
    key: ${KEY}
    customer: acme
    providers: [{ name: echo }]
    rate_limit: { requests: 1000, period: 1h }
`;

async function call(gateway: GatewayProcess): Promise<void> {
  const response = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'echo/echo-1',
      max_tokens: 50,
      messages: [{ role: 'user', content: 'to be counted' }],
    }),
  });
  expect(await response.text()).toContain('to be counted');
  expect(response.status).toBe(200);
}

describe('leases', () => {
  const started: GatewayProcess[] = [];
  afterEach(async () => {
    for (const gateway of started.splice(0)) await gateway.discard();
  });

  async function start(folder: string): Promise<GatewayProcess> {
    const gateway = await startGateway({ config: CONFIG, folder });
    started.push(gateway);
    return gateway;
  }

  it('are given back before the gateway ends, and everything settled is committed', async () => {
    const folder = newGatewayFolder();
    const first = await start(folder);
    await Promise.all(Array.from({ length: CALLS }, () => call(first)));
    const held = await usageOf(first, KEY);
    expect(
      held.some(({ reserved }) => reserved > 0),
      'something is leased when it is asked to end',
    ).toBe(true);
    const begunAt = performance.now();
    expect(await first.stop()).toBe(0);
    expect(performance.now() - begunAt).toBeLessThan(5_000);

    const again = await start(folder);
    const standings = await usageOf(again, KEY);
    expect(standings).toHaveLength(4);
    for (const { metric, spent, reserved, presumed } of standings) {
      expect({ metric, reserved, presumed }).toEqual({ metric, reserved: 0, presumed: 0 });
      if (metric === 'requests') expect(spent).toBe(CALLS);
    }
  });

  it('that nobody could give back are taken for spent, and no more than that', async () => {
    const folder = newGatewayFolder();
    const first = await start(folder);
    await Promise.all(Array.from({ length: CALLS }, () => call(first)));
    const pid = first.workerd()?.pid;
    expect(pid).toBeDefined();
    process.kill(first.pid, 'SIGSTOP'); // it would start another
    process.kill(pid ?? 0, 'SIGKILL');
    process.kill(first.pid, 'SIGKILL');

    const again = await start(folder);
    for (const { metric, limit, spent, reserved } of await usageOf(again, KEY)) {
      expect(spent + reserved).toBeLessThanOrEqual(limit);
      if (metric === 'requests') expect(spent + reserved).toBeGreaterThanOrEqual(CALLS);
    }
  });
});
