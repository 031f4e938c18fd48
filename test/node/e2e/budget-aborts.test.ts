// Calls that do not end as they should: the provider has billed what it generated, and the ledger has counted no less.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callModels, countByStatus, type ModelCall } from '../../support/billed-caller.ts';
import {
  BILLED_MODEL,
  NANO_USD_PER_CENT,
  NANO_USD_PER_TOKEN,
  startBillingProvider,
  type Behaviour,
  type BillingProvider,
} from '../../support/billing-provider.ts';
import { budgetConfig, cents, keyOf } from '../../support/budget-config.ts';
import { eventually, startGateway, type GatewayProcess } from '../../support/gateway-process.ts';
import { settledUsage } from '../../support/ledger-readings.ts';

const ROOM = 100;
/** So that several rounds of those who leave find room. */
const ROOM_TO_LEAVE = 500;

/** What goes wrong, and for how many of ten calls. */
const BROKEN: readonly (readonly [string, Behaviour, boolean])[] = [
  ['closes the connection without an answer', { delayMs: 5, drop: 'unanswered' }, false],
  ['closes the connection before a stream', { delayMs: 5, drop: 'unanswered' }, true],
  ['closes the connection within a stream', { drop: 'midway' }, true],
  ['tells no usage', { usage: 'none' }, false],
  ['tells no usage of a stream', { usage: 'none' }, true],
  ['tells a negative usage', { usage: { input: -7, output: -100 } }, false],
  ['tells a usage that is no number', { usage: { input: 'seven', output: null } }, false],
  ['tells a usage beyond all measure', { usage: { input: 7, output: 1e300 } }, false],
  ['tells a fraction of a token', { usage: { input: 7, output: 99.5 } }, true],
];

/** One of five stays to the end. */
function leaver(url: string, index: number): ModelCall {
  const call = { url, key: keyOf('leavers'), stream: index % 2 === 0 };
  if (index % 5 === 0) return call;
  return index % 5 < 3
    ? { ...call, leaveAfterMs: index % 60 }
    : { ...call, leaveAfterBytes: 1 + ((index * 97) % 6000) };
}

describe('what went wrong is counted', () => {
  let provider: BillingProvider;
  let gateway: GatewayProcess;
  const names = ['leavers', ...BROKEN.map((_, index) => `broken-${index}`), 'liar', 'hanging'];
  beforeAll(async () => {
    provider = await startBillingProvider();
    const keys = names.map((name) => ({ name, team: cents(name === 'leavers' ? ROOM_TO_LEAVE : ROOM) }));
    gateway = await startGateway({ config: budgetConfig(provider, keys) });
  });
  afterAll(async () => {
    await gateway?.discard();
    await provider?.stop();
  });

  const bookIsClosed = (): Promise<boolean> =>
    eventually('the provider to end every call', 30_000, () =>
      provider.calls.every(({ isOpen }) => !isOpen) ? true : undefined,
    );

  async function expectCounted(name: string, room = ROOM): Promise<void> {
    await bookIsClosed();
    const [{ spent, reserved } = { spent: 0, reserved: 0 }] = await settledUsage(gateway, keyOf(name));
    expect(provider.total()).toBeGreaterThan(0);
    expect(spent).toBeGreaterThanOrEqual(provider.total());
    expect(spent + reserved).toBeLessThanOrEqual(room * NANO_USD_PER_CENT);
  }

  it('when callers leave, before the answer or within it', async () => {
    provider.forget();
    provider.behave(({ sequence }) => ({ delayMs: 10 + (sequence % 40), tokenMs: sequence % 3 === 0 ? 1 : 0 }));
    for (let round = 0; round < 10; round++) {
      await callModels(100, (index) => leaver(gateway.url, round * 100 + index));
    }
    await expectCounted('leavers', ROOM_TO_LEAVE);
    expect(provider.calls.filter(({ isComplete }) => !isComplete).length).toBeGreaterThan(0);
  });

  it.each(BROKEN.map(([what, behaviour, stream], index) => [what, behaviour, stream, `broken-${index}`] as const))(
    'when the provider %s',
    async (_what, behaviour, stream, name) => {
      provider.forget();
      provider.behave(() => behaviour);
      const answers = await callModels(150, () => ({ url: gateway.url, key: keyOf(name), stream }));
      expect(countByStatus(answers)[402]).toBeGreaterThan(0);
      await expectCounted(name);
    },
  );

  it('counts what a call used above its estimate, shows it, and lets nothing more pass', async () => {
    provider.forget();
    provider.behave(() => ({ tokens: 150 }));
    const answers = await callModels(300, () => ({ url: gateway.url, key: keyOf('liar') }));
    const succeeded = countByStatus(answers)[200] ?? 0;
    await bookIsClosed();
    const [standing] = await settledUsage(gateway, keyOf('liar'));
    expect(standing?.spent).toBe(provider.total());
    expect(standing?.over).toBe(succeeded * 50 * NANO_USD_PER_TOKEN);
    const [later] = await callModels(1, () => ({ url: gateway.url, key: keyOf('liar') }));
    expect(later?.status).toBe(402);
  });

  it('when a provider hangs, and callers give up or are told so', async () => {
    provider.forget();
    provider.behave(() => ({ hang: true }));
    const model = `impatient/${BILLED_MODEL}`;
    const answers = await callModels(60, (index) => ({
      url: gateway.url,
      key: keyOf('hanging'),
      model,
      stream: index % 3 === 0,
      ...(index % 2 === 0 && { leaveAfterMs: 300 }),
    }));
    expect(countByStatus(answers)[504]).toBe(20);
    await expectCounted('hanging');
  });
});
