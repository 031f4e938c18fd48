import { expect, it } from 'vitest';
import { LeasePool } from '../../../../src/budget/lease-pool.ts';
import { NOTHING } from '../../../../src/budget/amounts.ts';
import type { Env } from '../../../../src/env.ts';
import { keepWatch } from '../../../../src/stores/objects/lease-keeper.ts';
import { limitOf, need, planOf } from './ledger-world.ts';
import { settle, TestClock } from './test-clock.ts';

it('a keeper whose watch another took over ends when what it said was heard', async () => {
  const clock = new TestClock();
  const pool = new LeasePool();
  const heard = Promise.withResolvers<void>();
  const env = { BUDGET_LEDGER: { getByName: () => ({ report: () => heard.promise }) } } as unknown as Env;
  const options = { pool, now: () => clock.now, sleep: clock.sleep };
  const plan = planOf([limitOf('cost', 100)]);
  const ask = pool.ask(plan, need(1), { holder: () => 'one', lease: () => 'lease' }, clock.now, false);
  const draw = pool.answered(ask, { ok: true, granted: need(1), slots: {}, standings: [] }, clock.now);
  if (draw.ok) draw.value.lease.settle(draw.value, NOTHING);

  let hasEnded = false;
  keepWatch(env, (work) => void work.then(() => (hasEnded = true)), options);
  await clock.advance(600); // and what is idle is being told
  clock.jump(3_000);
  expect(pool.claimKeeping(clock.now)).toBeDefined();
  await clock.advance(1_000);
  expect(clock.sleeping, 'it looks no more').toBe(0);
  expect(hasEnded).toBe(false);
  heard.resolve();
  await settle();
  expect(hasEnded).toBe(true);
  expect(pool.isAtRest).toBe(true);
});
