import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { someStep, type Step } from './ledger-gateways.ts';
import { CoreLedger } from './ledger-memory.ts';
import { LedgerWorld } from './ledger-world.ts';

async function run(steps: readonly Step[]): Promise<void> {
  const clock = { wall: Date.UTC(2026, 10, 22, 12, 30) };
  const world = new LedgerWorld(new CoreLedger(clock), clock, (ok, rule, facts) => {
    if (!ok) expect.fail(`${rule}: ${JSON.stringify(facts)}`);
  });
  for (const step of steps) await world.take(step);
  await world.finish();
}

it('keeps every limit, loses and doubles nothing, and refuses only what does not fit', async () => {
  const steps = fc.array(someStep, { minLength: 5, maxLength: 100, size: 'max' });
  await fc.assert(fc.asyncProperty(steps, run), { numRuns: 1_500 });
}, 180_000);

it('gives everything back where nobody dies', async () => {
  const peaceful = someStep.filter(({ kind }) => kind !== 'crash');
  const steps = fc.array(peaceful, { minLength: 20, maxLength: 80, size: 'max' });
  await fc.assert(fc.asyncProperty(steps, run), { numRuns: 500 });
}, 120_000);
