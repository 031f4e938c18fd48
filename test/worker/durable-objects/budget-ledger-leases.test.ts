import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import * as fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { LeaseLedgerRpc } from '../../../durable-objects/contracts.ts';
import type { AuditEvent } from '../../../src/audit/event.ts';
import type { Amounts, Limit } from '../../../src/budget/limits.ts';
import { someStep, type TestedLedger } from '../budget/ledger-gateways.ts';
import { LedgerWorld } from '../budget/ledger-world.ts';
import { ledger, makeEvent, outboxIds } from './ledger-rig.ts';

const LIMIT: Limit = {
  id: 'customer acme cost 1d',
  tier: 'customer',
  name: 'acme',
  spendName: 'acme',
  metric: 'cost',
  amount: 1_600,
  window: { period: '1d', calendar: false },
};

function amounts(cost: number): Amounts {
  return { cost: cost as Amounts['cost'], tokens: 0, requests: 0 };
}

/** The mapped type of a stub does not keep the brands of amounts. */
function leases(name: string): LeaseLedgerRpc {
  return ledger(name) as unknown as LeaseLedgerRpc;
}

function acquire(
  name: string,
  lease: string,
  need: number,
  limits: readonly Limit[] = [LIMIT],
): ReturnType<LeaseLedgerRpc['acquire']> {
  const plan = JSON.stringify(limits);
  return leases(name).acquire({
    lease,
    holder: 'one',
    sequence: 0,
    plan,
    limits,
    need: amounts(need),
    trims: [],
    slots: {},
  });
}

function charge(
  lease: string,
  draw: number,
  cost: number,
): { lease: string; draw: number; at: number; release: Amounts; actual: Amounts } {
  return { lease, draw, at: Date.now(), release: amounts(cost), actual: amounts(cost) };
}

async function standing(name: string, limit: Limit = LIMIT): Promise<object | undefined> {
  const [one] = await leases(name).standings([limit]);
  return one;
}

function rows(name: string): Promise<Record<string, number>> {
  return runInDurableObject(ledger(name), (_object, state) => {
    const count = (table: string): number =>
      state.storage.sql.exec<{ count: number }>(`SELECT count(*) AS count FROM ${table}`).one().count;
    return Object.fromEntries(['counters', 'plans', 'leases', 'slots'].map((table) => [table, count(table)]));
  });
}

/** Running objects alone can be ended. */
async function restart(name: string, way: 'evicted' | 'killed'): Promise<void> {
  await leases(name).standings([]);
  if (way === 'evicted') await evictDurableObject(ledger(name));
  else await runInDurableObject(ledger(name), (_object, state) => state.abort('killed')).catch(() => {});
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('leases', () => {
  it.each(['evicted', 'killed'] as const)('are known to an object that was %s', async (way) => {
    const name = `customer:${way}`;
    const granted = await acquire(name, 'kept', 10);
    expect(granted).toMatchObject({ ok: true, granted: amounts(60), standings: [{ reserved: 60 }] });
    await ledger(name).record([{ event: makeEvent(), charge: charge('kept', 1, 10) }]);
    await restart(name, way);
    expect(await standing(name)).toMatchObject({ spent: 10, reserved: 50 });
    expect(await acquire(name, 'kept', 10)).toMatchObject({ ok: true, granted: amounts(60) });
    await ledger(name).record([{ charge: charge('kept', 1, 10) }, { charge: charge('kept', 2, 20) }]);
    expect(await standing(name)).toMatchObject({ spent: 30, reserved: 30 });
    await leases(name).report({
      holder: 'one',
      sequence: 1,
      renew: [],
      trims: [{ lease: 'kept', drawn: amounts(30) }],
      slots: {},
    });
    await restart(name, way);
    expect(await standing(name)).toMatchObject({ spent: 30, reserved: 0 });
    expect(await rows(name)).toMatchObject({ leases: 0, counters: 1 });
  });

  it('are admitted up to the limit by concurrent calls, and no further', async () => {
    const limit = { ...LIMIT, amount: 100 };
    const answers = await Promise.all(
      Array.from({ length: 1_000 }, (_, index) => acquire('customer:crowd', `lease ${index}`, 1, [limit])),
    );
    const granted = answers.reduce((sum, answer) => sum + (answer.ok ? answer.granted.cost : 0), 0);
    expect(granted).toBe(100);
    const refused = answers.find((answer) => !answer.ok);
    expect(refused).toMatchObject({ refusal: { spent: 0, reserved: 100, need: 1 } });
  });

  it('do not wait for the commit of records', async () => {
    const name = 'customer:quick';
    const recorded = ledger(name).record([{ event: makeEvent() }]);
    const done: string[] = [];
    await Promise.all([
      recorded.then(() => done.push('record')),
      ledger(name).record([{ event: makeEvent() }]),
      acquire(name, 'first', 10).then(() => done.push('acquire')),
    ]);
    expect(done).toContain('acquire');
  });

  it.each(['acquire', 'record', 'report'] as const)(
    'are in memory what they are in storage when %s cannot be committed',
    async (method) => {
      const name = `customer:full-${method}`;
      await acquire(name, 'before', 10);
      await runInDurableObject(ledger(name), async (object, state) => {
        const transact = state.storage.transactionSync.bind(state.storage);
        const full = vi.spyOn(state.storage, 'transactionSync').mockImplementationOnce((work) =>
          transact(() => {
            work();
            throw new Error('disk full');
          }),
        );
        const failing = {
          acquire: () => acquireIn(object),
          record: () => object.record([{ event: makeEvent(), charge: charge('before', 1, 10) }]),
          report: () =>
            object.report({
              holder: 'one',
              sequence: 1,
              renew: [],
              trims: [{ lease: 'before', drawn: amounts(0) }],
              slots: {},
            }),
        };
        await expect(failing[method]()).rejects.toThrow('disk full');
        full.mockRestore();
      });
      expect(await standing(name)).toMatchObject({ spent: 0, reserved: 60 });
      expect(await outboxIds(name)).toEqual([]);
      await ledger(name).record([{ charge: charge('before', 1, 10) }]);
      expect(await standing(name)).toMatchObject({ spent: 10, reserved: 50 });
    },
  );
});

function acquireIn(object: LeaseLedgerRpc): Promise<unknown> {
  const limits = [LIMIT];
  return object.acquire({
    lease: 'failed', holder: 'one', sequence: 0, plan: JSON.stringify(limits), limits, need: amounts(10), trims: [], slots: {},
  }); // prettier-ignore
}

function spent(cost: number): AuditEvent {
  return makeEvent({ at: Date.now(), customer: 'acme', cost_nano_usd: cost });
}

it('begins a new counter with what was settled before, and counts what comes with its first charge once', async () => {
  const name = 'customer:seeded';
  await ledger(name).record([{ event: spent(100) }, { event: { ...spent(5), charged_nano_usd: 7 } }]);
  await acquire(name, 'one', 10);
  expect(await standing(name)).toMatchObject({ spent: 107 });
  await restart(name, 'evicted');
  await ledger(name).record([{ event: spent(10), charge: charge('one', 1, 10) }]);
  expect(await standing(name)).toMatchObject({ spent: 117 });
  const longer = { ...LIMIT, id: 'customer acme cost 1M', window: { period: '1M', calendar: false } };
  expect(await standing(name, longer)).toMatchObject({ spent: 117 });
});

it('says which charges nobody leased', async () => {
  const warning = vi.spyOn(console, 'warn').mockImplementation(() => {});
  await ledger('customer:stray').record([{ event: makeEvent(), charge: charge('stranger', 3, 10) }]);
  expect(warning).toHaveBeenCalledWith('{"event":"ledger.charge_without_lease","lease":"stranger","draw":3}');
});

it('does not wait for hours to commit when the clock is set back', async () => {
  const name = 'customer:clock';
  const now = Date.now();
  await ledger(name).record([{ event: makeEvent() }]);
  vi.spyOn(Date, 'now').mockReturnValue(now - 3_600_000);
  await ledger(name).record([{ event: makeEvent() }]);
  expect(await outboxIds(name)).toHaveLength(2);
});

it('holds through the interleavings of the core, with everything read back from storage in between', async () => {
  const clock = { wall: Date.now() };
  vi.spyOn(Date, 'now').mockImplementation(() => clock.wall);
  let runs = 0;
  const property = fc.asyncProperty(
    fc.array(someStep, { minLength: 10, maxLength: 60, size: 'max' }),
    async (steps) => {
      const name = `customer:run-${runs++}`;
      const tested: TestedLedger = {
        acquire: (request) => leases(name).acquire(request),
        record: async (entries) => ledger(name).record(entries.map((entry) => ({ ...entry, event: makeEvent() }))),
        report: (report) => leases(name).report(report),
        standings: (limits) => leases(name).standings(limits),
        restart: () => restart(name, runs % 2 === 0 ? 'evicted' : 'killed'),
      };
      const world = new LedgerWorld(tested, clock, (ok, rule, facts) => {
        if (!ok) expect.fail(`${rule}: ${JSON.stringify(facts)}`);
      });
      for (const taken of steps) await world.take(taken);
      await world.finish();
      await evictDurableObject(ledger(name));
    },
  );
  await fc.assert(property, { numRuns: 25, endOnFailure: true });
}, 180_000);
