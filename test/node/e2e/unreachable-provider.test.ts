// An outage of a provider does not use up budgets: what it never took costs nothing, what it took and lost is charged.
import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callModel } from '../../support/billed-caller.ts';
import { freePort, startGateway, type GatewayProcess } from '../../support/gateway-process.ts';
import { recordedCalls } from '../../support/ledger-readings.ts';

/** A budget of one cent, and calls of just that. */
const KEYS = ['vk-closed', 'vk-dropping'] as const;
const prices = { '*': { input_mtok: 0, output_mtok: 100 } };
const ONE_CENT = { limit_usd: 0.01, period: '1d' };

describe('a provider that is out of reach', () => {
  let gateway: GatewayProcess;
  let dropping: Server;
  beforeAll(async () => {
    dropping = createServer((socket) => void socket.once('data', () => socket.destroy()));
    await new Promise<void>((resolve) => dropping.listen(0, '127.0.0.1', resolve));
    const { port } = dropping.address() as AddressInfo;
    const providers = [
      { name: 'closed', base_url: `http://127.0.0.1:${await freePort()}/v1`, prices },
      { name: 'dropping', base_url: `http://127.0.0.1:${port}/v1`, prices },
    ];
    const keys = KEYS.map((key) => ({
      key_name: key,
      key,
      providers: providers.map(({ name }) => ({ name })),
      budgets: [ONE_CENT],
    }));
    gateway = await startGateway({ config: JSON.stringify({ providers, virtual_keys: keys }) });
  });
  afterAll(async () => {
    await gateway?.discard();
    dropping?.close();
  });

  async function statuses(key: string, model: string): Promise<number[]> {
    const seen: number[] = [];
    for (let call = 0; call < 4; call++) seen.push((await callModel({ url: gateway.url, key, model })).status);
    return seen;
  }

  it('costs nothing where it takes no connections', async () => {
    expect(await statuses('vk-closed', 'closed/m')).toEqual([503, 503, 503, 503]);
    for (const row of await recordedCalls(gateway, 'vk-closed', 4)) expect(row).not.toHaveProperty('upstream_ms');
  });

  it('costs the whole call where it took the request and was lost', async () => {
    expect(await statuses('vk-dropping', 'dropping/m')).toEqual([503, 402, 402, 402]);
  });
});
