// workerd killed under load, with callers that try again: a crash may count too much, and never too little.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callModel } from '../../support/billed-caller.ts';
import { NANO_USD_PER_CENT, startBillingProvider, type BillingProvider } from '../../support/billing-provider.ts';
import { budgetConfig, cents, keyOf } from '../../support/budget-config.ts';
import { eventually, startGateway, type GatewayProcess } from '../../support/gateway-process.ts';
import { usageOf } from '../../support/ledger-readings.ts';

const CALLERS = 64;
const ROOM = 1000;
const LIMIT = ROOM * NANO_USD_PER_CENT;
const KILLS = 3;
const RETRY_MS = 30;
/** A caller that was refused so often in a row takes the budget for spent. */
const PATIENCE = 30;

describe.skipIf(process.platform !== 'linux')('kill -9 of workerd while budgets are drawn on', () => {
  let provider: BillingProvider;
  let gateway: GatewayProcess;
  beforeAll(async () => {
    provider = await startBillingProvider();
    const keys = [{ name: 'crash', customer: cents(ROOM), team: cents(ROOM * 2), virtual_key: cents(ROOM * 3) }];
    gateway = await startGateway({ config: budgetConfig(provider, keys) });
  });
  afterAll(async () => {
    await gateway?.discard();
    await provider?.stop();
  });

  async function callUntilSpent(caller: number): Promise<number> {
    let refused = 0;
    let interrupted = 0;
    while (refused < PATIENCE) {
      const { status } = await callModel({ url: gateway.url, key: keyOf('crash'), stream: caller % 2 === 0 });
      refused = status === 402 ? refused + 1 : 0;
      if (status !== 200 && status !== 402) interrupted++;
      if (status !== 200) await sleep(RETRY_MS);
    }
    return interrupted;
  }

  /** Once so much has been spent since the start, by the provider's book. */
  async function killAt(nanoUsd: number): Promise<void> {
    await eventually('load', 30_000, () => (provider.total() >= nanoUsd ? true : undefined));
    const victim = await eventually('a workerd to kill', 30_000, () => gateway.workerd());
    process.kill(victim.pid, 'SIGKILL');
    await eventually('workerd to come back by itself', 30_000, () => {
      const { pid } = gateway.workerd() ?? {};
      return pid === undefined || pid === victim.pid ? undefined : true;
    });
  }

  it('never spends more than the limit, nor counts less than was spent', { timeout: 120_000 }, async () => {
    provider.behave(({ sequence, maxTokens }) => ({ delayMs: 20, tokens: maxTokens - (sequence % 2) * 30 }));
    const callers = Array.from({ length: CALLERS }, (_, caller) => callUntilSpent(caller));
    let spentAtLastKill = 0;
    for (let kill = 1; kill <= KILLS; kill++) {
      await killAt(spentAtLastKill + LIMIT / 10);
      spentAtLastKill = provider.total();
    }
    const interrupted = (await Promise.all(callers)).reduce((sum, count) => sum + count, 0);
    await eventually('the provider to end every call', 30_000, () =>
      provider.calls.every(({ isOpen }) => !isOpen) ? true : undefined,
    );
    expect(interrupted).toBeGreaterThan(KILLS);
    expect(provider.total()).toBeLessThanOrEqual(LIMIT);
    expect(provider.total()).toBeGreaterThan(spentAtLastKill);
    const standings = await usageOf(gateway, keyOf('crash'));
    expect(standings).toHaveLength(3);
    for (const { spent, reserved } of standings) {
      expect(spent + reserved).toBeGreaterThanOrEqual(provider.total());
      expect(spent + reserved).toBeLessThanOrEqual(LIMIT);
    }
    console.log(
      `${KILLS} kills, ${interrupted} calls interrupted; provider ${provider.total() / NANO_USD_PER_CENT} ¢, ` +
        `ledger ${JSON.stringify(standings[0])}`,
    );
  });
});
