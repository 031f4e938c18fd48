// A budget with room for a hundred calls, and a thousand callers at once, on each tier.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callModel, callModels, countByStatus, type ModelAnswer } from '../../support/billed-caller.ts';
import {
  CENT_TOKENS,
  NANO_USD_PER_CENT,
  startBillingProvider,
  type BillingProvider,
} from '../../support/billing-provider.ts';
import { budgetConfig, cents, keyOf, LLM_TIERS, type LimitedKey } from '../../support/budget-config.ts';
import { startGateway, type GatewayProcess } from '../../support/gateway-process.ts';
import { costOf, recordedCalls, spendOf, usageOf } from '../../support/ledger-readings.ts';

const CALLERS = 1000;
const ROOM = 100;
/** Longer than an idle slice stays with its isolate. */
const IDLE_MS = 1_500;

const KEYS: readonly LimitedKey[] = [
  ...LLM_TIERS.map((tier) => ({ name: `whole-${tier}`, [tier]: cents(ROOM) })),
  { name: 'streams', virtual_key: cents(ROOM) },
  { name: 'messages', team: cents(ROOM) },
  { name: 'short', customer: cents(ROOM) },
  { name: 'short-streams', team: cents(ROOM) },
  {
    name: 'first',
    customer: cents(ROOM),
    team: cents(60),
    virtual_key: cents(50),
    siblings: [{ name: 'second', virtual_key: cents(50) }],
  },
];

describe('a thousand callers and room for a hundred', () => {
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

  async function allAtOnce(name: string, more: object = {}): Promise<ModelAnswer[]> {
    provider.forget();
    provider.behave(() => ({ delayMs: 20 }));
    return callModels(CALLERS, () => ({ url: gateway.url, key: keyOf(name), ...more }));
  }

  async function expectExactly(answers: readonly ModelAnswer[], name: string, tier: string): Promise<void> {
    expect(countByStatus(answers)).toEqual({ 200: ROOM, 402: CALLERS - ROOM });
    expect(provider.total()).toBe(ROOM * NANO_USD_PER_CENT);
    const refused = answers.filter(({ status }) => status === 402);
    const texts = new Set(refused.map(({ text }) => (JSON.parse(text) as { error: { code: string } }).error.code));
    expect([...texts]).toEqual(['budget_exceeded']);
    expect(refused[0]?.text).toContain(`"tier":"${tier}"`);
    const rows = await recordedCalls(gateway, name, CALLERS);
    expect(costOf(rows)).toBe(provider.total());
    expect(await spendOf(gateway, name)).toBe(provider.total());
    expect(rows.filter(({ outcome }) => outcome === 'ok')).toHaveLength(ROOM);
    const stood = (await usageOf(gateway, keyOf(name))).find((standing) => standing.tier === tier);
    expect(stood).toMatchObject({ spent: provider.total(), reserved: 0 });
  }

  it.each(LLM_TIERS)('answers a hundred of them, limited by the %s', async (tier) => {
    await expectExactly(await allAtOnce(`whole-${tier}`), `whole-${tier}`, tier);
  });

  it('answers a hundred streams', async () => {
    const answers = await allAtOnce('streams', { stream: true });
    expect(answers.every(({ isComplete }) => isComplete)).toBe(true);
    await expectExactly(answers, 'streams', 'virtual_key');
  });

  it('answers a hundred in the other dialect', async () => {
    const model = 'messages/biller-1';
    const answers = await allAtOnce('messages', { dialect: 'anthropic', model });
    expect(countByStatus(answers)).toEqual({ 200: ROOM, 402: CALLERS - ROOM });
    expect(provider.total()).toBe(ROOM * NANO_USD_PER_CENT);
    const refused = answers.find(({ status }) => status === 402);
    expect(JSON.parse(refused?.text ?? '')).toMatchObject({
      type: 'error',
      error: { type: 'billing_error', code: 'budget_exceeded' },
    });
  });

  it.each([
    ['short', false],
    ['short-streams', true],
  ])('lets callers that retry use what others did not: %s', async (name, stream) => {
    provider.forget();
    provider.behave(({ sequence }) => ({ tokens: 20 + (sequence % 50), delayMs: 5 }));
    const round = async (): Promise<number> => {
      const answers = await callModels(100, () => ({ url: gateway.url, key: keyOf(name), stream }));
      return countByStatus(answers)[200] ?? 0;
    };
    let succeeded = 0;
    for (let last = -1; last !== 0;) {
      last = await round();
      if (last === 0) {
        await sleep(IDLE_MS);
        last = await round();
      }
      succeeded += last;
    }
    const limit = ROOM * NANO_USD_PER_CENT;
    expect(succeeded).toBe(provider.calls.length);
    expect(succeeded).toBeGreaterThan(ROOM);
    expect(provider.total()).toBeLessThanOrEqual(limit);
    expect(provider.total() + NANO_USD_PER_CENT).toBeGreaterThan(limit);
    // And what is left, less than one whole estimate, can still be had by whoever asks for no more.
    const left = Math.floor((limit - provider.total()) / (NANO_USD_PER_CENT / CENT_TOKENS));
    if (left === 0) return;
    provider.behave(() => ({}));
    const smaller = await callModel({ url: gateway.url, key: keyOf(name), maxTokens: left });
    expect(smaller.status).toBe(200);
    expect(provider.total()).toBe(limit);
  });

  it('holds two keys of one team to the limits of both', async () => {
    provider.forget();
    provider.behave(() => ({ delayMs: 20 }));
    const answers = await callModels(400, (index) => ({
      url: gateway.url,
      key: keyOf(index % 2 === 0 ? 'first' : 'second'),
    }));
    expect(countByStatus(answers)).toEqual({ 200: 60, 402: 340 });
    const rows = await Promise.all(['first', 'second'].map((name) => recordedCalls(gateway, name, 200)));
    expect(costOf(rows.flat())).toBe(60 * NANO_USD_PER_CENT);
    expect(provider.total()).toBe(60 * NANO_USD_PER_CENT);
    for (const own of rows) expect(costOf(own)).toBeLessThanOrEqual(50 * NANO_USD_PER_CENT);
  });
});
