import { env } from 'cloudflare:workers';
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { AuditEvent } from '../../../src/audit/event.ts';
import { migrate } from '../../../src/stores/d1/migrate.ts';
import {
  alarmIn,
  AT,
  entriesOf,
  failingDatabase,
  HOUR,
  ledger,
  makeEvent,
  outboxIds,
  runAlarm,
  spend,
  storedIds,
  useDatabase,
} from './ledger-rig.ts';

beforeAll(() => migrate(env.DB));

function many(count: number, more: Partial<AuditEvent> = {}): AuditEvent[] {
  return Array.from({ length: count }, (_, index) => makeEvent({ at: AT + index, ...more }));
}

/** Keeps the alarm from emptying the outbox while a test looks at it. */
function holdBack(payer: string): Promise<void> {
  return useDatabase(payer, failingDatabase('before'));
}

describe('recording', () => {
  it('keeps each event once, whoever repeats it and wherever it is by then', async () => {
    const [first, second] = [makeEvent(), makeEvent()];
    await holdBack('repeats');
    await ledger('repeats').record(entriesOf([first, second, first]));
    await ledger('repeats').record(entriesOf([second]));
    expect(await outboxIds('repeats')).toEqual([first.id, second.id]);
    await useDatabase('repeats', env.DB);
    await runAlarm('repeats');
    await holdBack('repeats');
    await ledger('repeats').record(entriesOf([first]));
    expect(await outboxIds('repeats')).toEqual([]);
    expect(await storedIds([first.id, second.id])).toEqual([first.id, second.id]);
    expect(await spend('repeats')).toMatchObject([{ tier: 'virtual_key', calls: 2 }]);
  });

  it('commits concurrent calls together', async () => {
    await holdBack('together');
    const commits = await runInDurableObject(ledger('together'), async (object, state) => {
      const transaction = vi.spyOn(state.storage, 'transactionSync');
      await object.record(entriesOf([makeEvent()]));
      transaction.mockClear();
      await Promise.all(many(100).map((event) => object.record(entriesOf([event]))));
      const { length } = transaction.mock.calls;
      transaction.mockRestore();
      return length;
    });
    expect(commits).toBe(1);
    expect(await outboxIds('together')).toHaveLength(101);
  });

  it('does not let a lone call wait for company', async () => {
    const waits = await runInDurableObject(ledger('alone'), async (object) => {
      const clock = vi.spyOn(Date, 'now').mockReturnValue(AT);
      const wait = vi.spyOn(scheduler, 'wait');
      await object.record(entriesOf([makeEvent()]));
      await object.record(entriesOf([makeEvent()]));
      const asked = wait.mock.calls.map(([ms]) => ms);
      wait.mockRestore();
      clock.mockRestore();
      return asked;
    });
    expect(waits).toEqual([0, 4]);
  });

  it('rejects every caller whose commit failed, and goes on with the next', async () => {
    const [lost, kept] = [many(3), makeEvent()];
    await holdBack('rejects');
    const outcomes = await runInDurableObject(ledger('rejects'), async (object, state) => {
      const transaction = vi.spyOn(state.storage, 'transactionSync').mockImplementationOnce(() => {
        throw new Error('disk full');
      });
      const settled = await Promise.allSettled(lost.map((event) => object.record(entriesOf([event]))));
      transaction.mockRestore();
      await object.record(entriesOf([kept]));
      return settled.map((outcome) => outcome.status === 'rejected' && String(outcome.reason));
    });
    expect(outcomes).toEqual(['Error: disk full', 'Error: disk full', 'Error: disk full']);
    expect(await outboxIds('rejects')).toEqual([kept.id]);
  });

  it('leaves neither event nor spend of a commit that failed half-way', async () => {
    await holdBack('half');
    await runInDurableObject(ledger('half'), async (object, state) => {
      state.storage.sql.exec('ALTER TABLE spend RENAME TO spend_away');
      await expect(object.record(entriesOf([makeEvent()]))).rejects.toThrow(/spend/);
      state.storage.sql.exec('ALTER TABLE spend_away RENAME TO spend');
    });
    expect(await outboxIds('half')).toEqual([]);
  });

  it('arms the alarm with the commit', async () => {
    await ledger('alarm').record(entriesOf([makeEvent()]));
    expect(await alarmIn('alarm')).toBeGreaterThan(0);
    expect(await alarmIn('alarm')).toBeLessThanOrEqual(1_000);
  });
});

describe('settled spend', () => {
  it('is kept by customer, team, key and provider config, and by hour', async () => {
    const call = { kind: 'llm.call', customer: 'acme', team: 'eng', provider: 'openai' } as const;
    await ledger('customer:acme').record(
      entriesOf([
        makeEvent({ ...call, cost_nano_usd: 30, input_tokens: 5, output_tokens: 7 }),
        makeEvent({ ...call, key_id: 'vk_2', cost_nano_usd: 4, at: AT + HOUR }),
      ]),
    );
    await ledger('customer:acme').record(
      entriesOf([
        makeEvent({ ...call, input_tokens: 1 }),
        makeEvent({ ...call, outcome: 'denied', cost_nano_usd: 1_000 }),
        makeEvent({ ...call, kind: 'config.changed', cost_nano_usd: 1_000 }),
      ]),
    );
    // Never sent: no price is wanting, no request was made.
    const { upstream_ms: _none, ...unsent } = makeEvent({ ...call, outcome: 'error', cost_nano_usd: 0 });
    await ledger('customer:acme').record(entriesOf([unsent]));
    const hour = AT / HOUR - 0.5;
    const early = { hour, calls: 2, unpriced: 1, cost_nano_usd: 30, input_tokens: 6, output_tokens: 7 };
    const late = { hour: hour + 1, calls: 1, unpriced: 0, cost_nano_usd: 4, input_tokens: 0, output_tokens: 0 };
    expect(await spend('customer:acme')).toEqual([
      { tier: 'customer', name: 'acme', ...early },
      { tier: 'customer', name: 'acme', ...late },
      { tier: 'provider_config', name: 'vk_1/openai', ...early },
      { tier: 'provider_config', name: 'vk_2/openai', ...late },
      { tier: 'team', name: 'eng', ...early },
      { tier: 'team', name: 'eng', ...late },
      { tier: 'virtual_key', name: 'vk_1', ...early },
      { tier: 'virtual_key', name: 'vk_2', ...late },
    ]);
  });
});

describe('draining', () => {
  it('moves more than one statement takes, oldest first', async () => {
    const events = many(2_500);
    await ledger('bulk').record(entriesOf(events));
    await runAlarm('bulk');
    expect(await outboxIds('bulk')).toEqual([]);
    expect(await storedIds(events.map(({ id }) => id))).toEqual(events.map(({ id }) => id));
  });

  it('splits heavy events over statements', async () => {
    const events = many(5, { result: 'x'.repeat(400_000) });
    await ledger('heavy').record(entriesOf(events));
    await runAlarm('heavy');
    const { results } = await env.DB.prepare('SELECT length(result) AS size FROM audit_events WHERE id IN (?,?,?,?,?)')
      .bind(...events.map(({ id }) => id))
      .all();
    expect(results).toEqual(events.map(() => ({ size: 400_000 })));
  });

  it('keeps everything while the database is down, tries ever less often, and recovers', async () => {
    const complaint = vi.spyOn(console, 'error').mockImplementation(() => {});
    const first = makeEvent();
    await useDatabase('down', failingDatabase('before'));
    await ledger('down').record(entriesOf([first]));
    const delays: (number | undefined)[] = [];
    for (let attempt = 0; attempt < 8; attempt++) {
      await runAlarm('down');
      delays.push(Math.round(((await alarmIn('down')) ?? 0) / 1_000));
    }
    expect(delays).toEqual([2, 4, 8, 16, 32, 60, 60, 60]);
    const second = makeEvent();
    await ledger('down').record(entriesOf([second]));
    expect(await alarmIn('down'), 'a new event does not shorten the wait').toBeGreaterThan(50_000);
    expect(complaint).toHaveBeenCalledWith(
      expect.stringContaining('"retry_in_ms":60000,"fault":"Error: D1_ERROR: out of reach"'),
    );
    complaint.mockRestore();

    await useDatabase('down', env.DB);
    await runAlarm('down');
    expect(await storedIds([first.id, second.id])).toEqual([first.id, second.id]);
    expect(await outboxIds('down')).toEqual([]);
    await ledger('down').record(entriesOf([makeEvent()]));
    expect(await alarmIn('down')).toBeLessThanOrEqual(1_000);
  });

  it('stores once what D1 took without being able to say so', async () => {
    const complaint = vi.spyOn(console, 'error').mockImplementation(() => {});
    const event = makeEvent();
    await useDatabase('unsaid', failingDatabase('after'));
    await ledger('unsaid').record(entriesOf([event]));
    await runAlarm('unsaid');
    complaint.mockRestore();
    expect(await storedIds([event.id])).toEqual([event.id]);
    expect(await outboxIds('unsaid')).toEqual([event.id]);
    await useDatabase('unsaid', env.DB);
    await runAlarm('unsaid');
    expect(await storedIds([event.id])).toEqual([event.id]);
    expect(await outboxIds('unsaid')).toEqual([]);
  });

  it('takes up an overdue alarm by itself after an eviction', async () => {
    const event = makeEvent();
    await ledger('evicted').record(entriesOf([event]));
    await evictDurableObject(ledger('evicted'));
    await expect.poll(() => storedIds([event.id]), { timeout: 5_000 }).toEqual([event.id]);
  });

  it('knows after an eviction whether its alarm is armed', async () => {
    await ledger('again').record(entriesOf([makeEvent()]));
    await evictDurableObject(ledger('again'));
    await runInDurableObject(ledger('again'), async (object, state) => {
      const setAlarm = vi.spyOn(state.storage, 'setAlarm');
      await object.record(entriesOf([makeEvent()]));
      expect(setAlarm).not.toHaveBeenCalled();
      setAlarm.mockRestore();
      await state.storage.deleteAlarm();
    });
    await evictDurableObject(ledger('again'));
    expect(await alarmIn('again'), 'a lost alarm is armed again').toBeGreaterThan(0);
  });

  it('looks after retention, and sleeps once there is nothing left to expire', async () => {
    await env.DB.prepare('DELETE FROM audit_events').run();
    const DAY = 24 * HOUR;
    const [old, young] = [makeEvent({ at: Date.now() - 91 * DAY }), makeEvent({ at: Date.now() - 89 * DAY })];
    await ledger('retention').record(entriesOf([old, young]));
    await runAlarm('retention');
    expect(await storedIds([old.id, young.id])).toEqual([young.id]);
    expect(await alarmIn('retention')).toBeGreaterThan(23 * HOUR);
    await ledger('retention').record(entriesOf([makeEvent()]));
    expect(await alarmIn('retention'), 'a new event brings it forward').toBeLessThanOrEqual(1_000);
    await runAlarm('retention');
    expect(await alarmIn('retention'), 'not after each drain').toBeLessThanOrEqual(600_000);

    await env.DB.prepare('DELETE FROM audit_events').run();
    await evictDurableObject(ledger('retention'));
    await runAlarm('retention');
    expect(await alarmIn('retention')).toBeUndefined();
  });
});
