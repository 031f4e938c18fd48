// Requests, LLM tokens and calls at once: exact under concurrency, and free again when they should be.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callModel, callModels, countByStatus, type ModelCall } from '../../support/billed-caller.ts';
import { startBillingProvider, type BillingProvider } from '../../support/billing-provider.ts';
import { budgetConfig, keyOf, LLM_TIERS } from '../../support/budget-config.ts';
import { startGateway, type GatewayProcess } from '../../support/gateway-process.ts';
import { settledUsage } from '../../support/ledger-readings.ts';

const REQUESTS = 37;
const TOKENS = 5_000;
/** More than any call here is estimated at: its answer's maximum, and no more input than it has bytes. */
const MOST_PER_CALL = 600;

/** By which the provider knows those who will leave: their answers would take a minute. */
const LEAVERS_TOKENS = 6_000;

const KEYS = [
  ...LLM_TIERS.map((tier) => ({
    name: `requests-${tier}`,
    [tier]: { rate_limit: { requests: REQUESTS, period: '1h' } },
  })),
  ...LLM_TIERS.map((tier) => ({ name: `slots-${tier}`, [tier]: { rate_limit: { concurrent: 4 } } })),
  { name: 'single', customer: { rate_limit: { concurrent: 1 } }, virtual_key: { rate_limit: { concurrent: 1 } } },
  { name: 'tokens', team: { rate_limit: { tokens: TOKENS, period: '1h' } } },
  { name: 'unused-tokens', team: { rate_limit: { tokens: TOKENS, period: '1h' } } },
];

/** @returns how often it was refused before */
async function untilAnswered(call: ModelCall): Promise<number> {
  for (let refusals = 0; ; refusals++) {
    const { status } = await callModel(call);
    if (status === 200) return refusals;
    expect(status).toBe(429);
    await sleep(5);
  }
}

describe('rate limits', () => {
  let provider: BillingProvider;
  let gateway: GatewayProcess;
  beforeAll(async () => {
    provider = await startBillingProvider();
    gateway = await startGateway({ config: budgetConfig(provider, KEYS) });
  });
  afterAll(async () => {
    await gateway?.discard();
    await provider?.stop();
  });

  it.each(LLM_TIERS)('let exactly so many requests pass, limited by the %s', async (tier) => {
    provider.forget();
    provider.behave(() => ({ delayMs: 10 }));
    const answers = await callModels(200, () => ({ url: gateway.url, key: keyOf(`requests-${tier}`) }));
    expect(countByStatus(answers)).toEqual({ 200: REQUESTS, 429: 200 - REQUESTS });
    expect(provider.calls).toHaveLength(REQUESTS);
    const refused = answers.find(({ status }) => status === 429);
    expect(JSON.parse(refused?.text ?? '')).toMatchObject({ error: { code: 'rate_limited' } });
    expect(refused?.text).toContain(`"tier":"${tier}"`);
    expect(Number(refused?.headers['retry-after'])).toBeGreaterThan(0);
  });

  it.each(LLM_TIERS)('never let more run at once than they allow, limited by the %s', async (tier) => {
    provider.forget();
    provider.behave(() => ({ delayMs: 10 }));
    const callers = Array.from({ length: 60 }, (_, index) =>
      untilAnswered({ url: gateway.url, key: keyOf(`slots-${tier}`), stream: index % 2 === 0 }),
    );
    const refusals = await Promise.all(callers);
    expect(provider.calls).toHaveLength(60);
    expect(provider.mostAtOnce()).toBeLessThanOrEqual(4);
    expect(provider.mostAtOnce()).toBeGreaterThan(1);
    expect(Math.max(...refusals)).toBeGreaterThan(0);
  });

  it('never refuse who calls again only when the last answer is complete', async () => {
    provider.forget();
    provider.behave(() => ({}));
    for (let index = 0; index < 60; index++) {
      const answer = await callModel({ url: gateway.url, key: keyOf('single'), stream: index % 2 === 0 });
      expect([index, answer.status, answer.text]).toEqual([index, 200, expect.any(String)]);
    }
    expect(provider.mostAtOnce()).toBe(1);
  });

  it('take back the place of a caller that left', async () => {
    provider.forget();
    provider.behave(({ maxTokens }) => (maxTokens === LEAVERS_TOKENS ? { tokenMs: 10 } : {}));
    const call = { url: gateway.url, key: keyOf('single') };
    for (let index = 0; index < 5; index++) {
      await callModel({ ...call, maxTokens: LEAVERS_TOKENS, stream: true, leaveAfterBytes: 500 });
      await untilAnswered(call);
    }
    expect(provider.calls.filter(({ isComplete }) => !isComplete)).toHaveLength(5);
  });

  it('have room again at once for what calls did not use, however long they took', async () => {
    provider.forget();
    provider.behave(() => ({ tokens: 1, delayMs: 700 }));
    const call = { url: gateway.url, key: keyOf('unused-tokens') };
    const first = countByStatus(await callModels(40, () => call))[200] ?? 0;
    expect(first).toBeGreaterThan(0);
    expect(first).toBeLessThan(40);
    for (let round = 0; round < 3; round++) {
      // A few were used up by now, of some hundred that each call may use.
      expect(countByStatus(await callModels(40, () => call))[200] ?? 0).toBeGreaterThanOrEqual(first - 2);
    }
  });

  it('count LLM tokens, input and output, up to the last call that fits', async () => {
    provider.forget();
    provider.behave(() => ({ tokens: 60 }));
    const call = { url: gateway.url, key: keyOf('tokens') };
    let succeeded = 0;
    for (let round = -1; round !== 0; succeeded += round) {
      round = countByStatus(await callModels(40, () => call))[200] ?? 0;
      if (round > 0) continue;
      await settledUsage(gateway, keyOf('tokens'));
      round = countByStatus(await callModels(40, () => call))[200] ?? 0;
    }
    expect(succeeded).toBe(provider.calls.length);
    const [standing] = await settledUsage(gateway, keyOf('tokens'));
    expect(standing?.spent).toBe(succeeded * 67);
    expect(standing?.spent).toBeLessThanOrEqual(TOKENS);
    expect(standing?.spent).toBeGreaterThan(TOKENS - MOST_PER_CALL);
  });
});
