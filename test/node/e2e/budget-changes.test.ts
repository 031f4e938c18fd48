// Limits that are changed while they are drawn on: what was spent stays spent.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callModel, callModels, countByStatus } from '../../support/billed-caller.ts';
import { NANO_USD_PER_CENT, startBillingProvider, type BillingProvider } from '../../support/billing-provider.ts';
import { budgetDocument, cents, keyOf, LLM_TIERS } from '../../support/budget-config.ts';
import { startGateway, type GatewayProcess } from '../../support/gateway-process.ts';
import { settledUsage } from '../../support/ledger-readings.ts';

/** Of every isolate, by which a change of the configuration has taken effect. */
const EFFECT_MS = 1_000;
const CALLERS = 20;

describe('a changed limit', () => {
  let provider: BillingProvider;
  let gateway: GatewayProcess;
  const document = (room: number, keys: readonly string[] = LLM_TIERS): object =>
    budgetDocument(
      provider,
      keys.map((tier) => ({ name: `changed-${tier}`, [tier]: cents(room) })),
    );
  beforeAll(async () => {
    provider = await startBillingProvider();
    gateway = await startGateway({ config: JSON.stringify(document(50)) });
  });
  afterAll(async () => {
    await gateway?.discard();
    await provider?.stop();
  });

  async function change(room: number): Promise<void> {
    await gateway.admin('/api/config', { method: 'PUT', body: document(room) });
    await sleep(EFFECT_MS);
  }

  it.each(['customer', 'provider_config'] as const)(
    'takes effect within a second, under load, and keeps what was spent: %s',
    async (tier) => {
      provider.forget();
      provider.behave(() => ({ delayMs: 10 }));
      await change(50);
      const stopping = new AbortController();
      const caller = async (): Promise<void> => {
        while (!stopping.signal.aborted) {
          const { status } = await callModel({ url: gateway.url, key: keyOf(`changed-${tier}`) });
          expect([200, 402]).toContain(status);
          if (status === 402) await sleep(20);
        }
      };
      const callers = Array.from({ length: CALLERS }, caller);
      const used = (): number => provider.total() / NANO_USD_PER_CENT;
      await expect.poll(used, { timeout: 10_000 }).toBe(50);
      await change(80);
      await expect.poll(used, { timeout: 10_000 }).toBe(80);
      await change(60);
      await sleep(300);
      expect(used()).toBe(80);
      await change(90);
      await expect.poll(used, { timeout: 10_000 }).toBe(90);
      stopping.abort();
      await Promise.all(callers);
      expect(used()).toBe(90);
      const [standing] = await settledUsage(gateway, keyOf(`changed-${tier}`));
      expect(standing).toMatchObject({ spent: provider.total(), limit: 90 * NANO_USD_PER_CENT });
    },
  );

  it('that is removed bounds no more, and remembers when it comes back', async () => {
    provider.forget();
    provider.behave(() => ({}));
    const call = { url: gateway.url, key: keyOf('changed-team') };
    await change(20);
    await callModels(30, () => call);
    expect((await callModel(call)).status).toBe(402);
    const unlimited = LLM_TIERS.map((tier) => ({ name: `changed-${tier}` }));
    await gateway.admin('/api/config', { method: 'PUT', body: budgetDocument(provider, unlimited) });
    await sleep(EFFECT_MS);
    expect((await callModel(call)).status).toBe(200);
    await change(20);
    expect((await callModel(call)).status).toBe(402);
  });

  it('that is new begins with what had been spent before', async () => {
    provider.forget();
    const call = { url: gateway.url, key: keyOf('late') };
    const limited = (room?: number): object =>
      budgetDocument(provider, [{ name: 'late', ...(room !== undefined && { customer: cents(room) }) }]);
    await gateway.admin('/api/config', { method: 'PUT', body: limited() });
    await sleep(EFFECT_MS);
    expect(countByStatus(await callModels(30, () => call))).toEqual({ 200: 30 });
    await gateway.admin('/api/config', { method: 'PUT', body: limited(40) });
    await sleep(EFFECT_MS);
    expect(countByStatus(await callModels(30, () => call))).toEqual({ 200: 10, 402: 20 });
  });
});
