// Two isolates, which share nothing but the object that keeps their limits.
import { env } from 'cloudflare:workers';
import { createExecutionContext, runInDurableObject } from 'cloudflare:test';
import { describe, expect, it } from 'vitest';
import type { Recorder } from '../../../../src/audit/recorder.ts';
import type { Admission, LimitStanding, Ticket } from '../../../../src/budget/admission.ts';
import { LeasePool } from '../../../../src/budget/lease-pool.ts';
import type { ChargePlan } from '../../../../src/budget/limits.ts';
import { AuditBuffer } from '../../../../src/stores/objects/audit-buffer.ts';
import { createRecorder, flushAll } from '../../../../src/stores/objects/audit-recorder.ts';
import { budgetLedger } from '../../../../src/stores/objects/budget-ledger.ts';
import { createAdmission } from '../../../../src/stores/objects/ledger-admission.ts';
import { surrender } from '../../../../src/stores/objects/lease-keeper.ts';
import { CENT, limitOf, need, planOf } from './ledger-world.ts';

interface Request {
  readonly admission: Admission;
  readonly recorder: Recorder;
}

function newIsolate() {
  const time = { now: Date.now, sleep: (ms: number) => scheduler.wait(ms) };
  const leases = { pool: new LeasePool(), ...time };
  const records = { buffer: new AuditBuffer(), ...time };
  return {
    pool: leases.pool,
    async request<T>(work: (request: Request) => Promise<T>): Promise<T> {
      const context = createExecutionContext();
      const waitUntil = (promise: Promise<unknown>): void => context.waitUntil(promise);
      const recorder = createRecorder(env, waitUntil, records);
      return work({ recorder, admission: createAdmission({ env, waitUntil, settled: recorder.settled }, leases) });
    },
    async end(): Promise<void> {
      expect(await surrender(env, Date.now() + 5_000, leases)).toBe(true);
      expect(await flushAll(env, Date.now() + 5_000, records)).toBe(true);
    },
  };
}

function standings(plan: ChargePlan): Promise<readonly LimitStanding[]> {
  return budgetLedger(env, plan.ledger).standings(plan.limits);
}

async function restart(plan: ChargePlan): Promise<void> {
  await runInDurableObject(env.BUDGET_LEDGER.getByName(plan.ledger), (_object, state) => state.abort('restart')).catch(
    () => {},
  );
}

describe('two isolates at one ledger', () => {
  it('never pass the limit together, and return everything', async () => {
    const plan = planOf([limitOf('cost', 100 * CENT), limitOf('requests', 10_000)], 'key:two');
    const isolates = [newIsolate(), newIsolate()];
    const tickets: { recorder: Recorder; ticket: Ticket }[] = [];
    const ask = (index: number): Promise<void> | undefined =>
      isolates[index % 2]?.request(async ({ admission, recorder }) => {
        const outcome = await admission.admit([plan], need(CENT));
        if (outcome.ok) tickets.push({ recorder, ticket: outcome.value });
      });
    await Promise.all(Array.from({ length: 300 }, (_, index) => ask(index)));
    // One isolate cannot draw on what the other holds to spare: at most a sixteenth.
    expect(tickets.length).toBeLessThanOrEqual(100);
    expect(tickets.length).toBeGreaterThanOrEqual(94);
    await scheduler.wait(1_100);
    await Promise.all(Array.from({ length: 20 }, (_, index) => ask(index)));
    expect(tickets).toHaveLength(100);
    for (const { recorder, ticket } of tickets) recorder.settled(ticket.settle(need(CENT)));
    for (const isolate of isolates) await isolate.end();
    expect(await standings(plan)).toMatchObject([
      { spent: 100 * CENT, reserved: 0, presumed: 0, over: 0 },
      { spent: 100, reserved: 0 },
    ]);
  });

  it('settle what was drawn before the object was restarted', async () => {
    const plan = planOf([limitOf('cost', 1_000 * CENT), limitOf('concurrent', 5)], 'key:restart');
    const isolate = newIsolate();
    const first = await isolate.request(({ admission }) => admission.admit([plan], need(CENT)));
    await restart(plan);
    expect(await standings(plan)).toMatchObject([{ spent: 0 }, { reserved: 1 }]);
    await isolate.request(async ({ admission, recorder }) => {
      if (first.ok) recorder.settled(first.value.settle(need(CENT)));
      const second = await admission.admit([plan], need(2 * CENT));
      if (second.ok) recorder.settled(second.value.settle(need(2 * CENT)));
    });
    await isolate.end();
    expect(await standings(plan)).toMatchObject([{ spent: 3 * CENT, reserved: 0 }, { reserved: 0 }]);
  });

  it('give back what is idle within a second, by themselves', async () => {
    const plan = planOf([limitOf('cost', 1_000 * CENT), limitOf('concurrent', 50)], 'key:idle');
    const isolate = newIsolate();
    await isolate.request(async ({ admission, recorder }) => {
      const outcome = await admission.admit([plan], need(CENT));
      if (outcome.ok) recorder.settled(outcome.value.settle(need(CENT)));
    });
    const [held] = await standings(plan);
    expect(held?.reserved).toBeGreaterThan(CENT);
    await scheduler.wait(1_000);
    expect(await standings(plan)).toMatchObject([{ spent: CENT, reserved: 0 }, { reserved: 0 }]);
    await scheduler.wait(300);
    expect(isolate.pool.isAtRest).toBe(true);
  });
});
