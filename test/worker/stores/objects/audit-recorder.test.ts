import { env } from 'cloudflare:workers';
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi, type MockInstance } from 'vitest';
import type { LedgerEntry } from '../../../../durable-objects/contracts.ts';
import type { AuditEvent } from '../../../../src/audit/event.ts';
import { AuditOverflow, type Recorder } from '../../../../src/audit/recorder.ts';
import type { Charge } from '../../../../src/budget/admission.ts';
import { NOTHING } from '../../../../src/budget/amounts.ts';
import type { Env } from '../../../../src/env.ts';
import { AuditBuffer, type Claim } from '../../../../src/stores/objects/audit-buffer.ts';
import { createRecorder, flushAll } from '../../../../src/stores/objects/audit-recorder.ts';
import { settle, TestClock } from './test-clock.ts';
import { failingDatabase, makeEvent, outboxIds, useDatabase } from '../../durable-objects/ledger-rig.ts';

type Record = (payer: string, events: readonly AuditEvent[]) => Promise<void>;

/** An isolate with its buffer, a clock of its own, and ledgers that do as `record` says. */
function isolate(record: Record) {
  const clock = new TestClock();
  const options = { buffer: new AuditBuffer(), now: () => clock.now, sleep: (ms: number) => clock.sleep(ms) };
  const arrived: [string, LedgerEntry][] = [];
  const calls: { at: number; payer: string; ids: string[] }[] = [];
  const namespace = {
    getByName: (payer: string) => ({
      record: (entries: readonly LedgerEntry[]) => {
        const events = entries.flatMap(({ event }) => event ?? []);
        for (const entry of entries) arrived.push([payer, entry]);
        calls.push({ at: clock.now - 1_000_000, payer, ids: events.map(({ id }) => id) });
        return record(payer, events);
      },
    }),
  };
  const ledgers = { BUDGET_LEDGER: namespace } as unknown as Pick<Env, 'BUDGET_LEDGER'>;
  const kept: Promise<unknown>[] = [];
  const request = (waitUntil = (promise: Promise<unknown>) => void kept.push(promise)): Recorder =>
    createRecorder(ledgers, waitUntil, options);
  const flush = (until: number): Promise<boolean> => flushAll(ledgers, until, options);
  return { clock, calls, entries: arrived, buffer: options.buffer, kept, request, sendEverything: flush };
}

const committed: Record = async () => {};
const refused: Record = async () => {
  throw new Error('no ledger');
};
const named = (id: string): AuditEvent => makeEvent({ id });

let complaint: MockInstance;
beforeEach(() => {
  complaint = vi.spyOn(console, 'error').mockImplementation(() => {});
});
afterEach(() => complaint.mockRestore());

describe('durable', () => {
  it('resolves with the commit', async () => {
    const commit = Promise.withResolvers<void>();
    const { calls, request } = isolate(() => commit.promise);
    let resolved = false;
    const recorded = request()
      .durable('key:a', named('evt_1'))
      .then(() => (resolved = true));
    await settle();
    expect(calls).toEqual([{ at: 0, payer: 'key:a', ids: ['evt_1'] }]);
    expect(resolved).toBe(false);
    commit.resolve();
    await recorded;
  });

  it.each([
    ['a retryable fault', { retryable: true }, 2],
    ['an object that was reset', { durableObjectReset: true }, 2],
    ['an overloaded object', { retryable: true, overloaded: true }, 1],
    ['any other fault', {}, 1],
  ])('meets %s', async (_name, properties, tries) => {
    const { calls, kept, request } = isolate(async () => {
      throw Object.assign(new Error('lost'), properties);
    });
    await expect(request().durable('key:a', named('evt_1'))).rejects.toThrow('lost');
    expect(calls.map(({ ids }) => ids)).toEqual(Array.from({ length: tries }, () => ['evt_1']));
    await Promise.all(kept);
  });

  it('resolves when the second try succeeds, and outlives its caller', async () => {
    const { calls, kept, request } = isolate(async () => {
      if (calls.length === 1) throw Object.assign(new Error('lost'), { retryable: true });
    });
    await request().durable('key:a', named('evt_1'));
    expect(calls).toHaveLength(2);
    expect(kept).toHaveLength(1);
  });

  it('cuts what a caller may have made overlong', async () => {
    const seen: AuditEvent[] = [];
    const { request } = isolate(async (_payer, events) => void seen.push(...events));
    const content = 'c'.repeat(60_000);
    await request().durable('key:a', makeEvent({ model: 'm'.repeat(5_000_000), arguments: content, result: content }));
    expect(seen[0]?.model).toHaveLength(4_097);
    expect(seen[0]?.arguments).toBe(content);
    expect(seen[0]?.result).toBe(content);
  });

  it.each([{ at: NaN }, { id: '' }, { cost_nano_usd: 0.5 }])(
    'refuses %o, which could never be stored',
    async (more) => {
      const { calls, request } = isolate(committed);
      await expect(request().durable('key:a', makeEvent(more))).rejects.toThrow(TypeError);
      expect(() => request().batched('key:a', makeEvent(more))).toThrow(TypeError);
      expect(calls).toEqual([]);
    },
  );
});

const charge = (draw: number): Charge => ({ lease: 'lease_1', draw, at: 1, release: NOTHING, actual: NOTHING });

describe('charges', () => {
  const mine = { ledger: 'key:a', charge: charge(1) };
  const servers = { ledger: 'server:s', charge: charge(2) };

  it("of the payer are committed with the event, others' after it", async () => {
    const { clock, entries, request } = isolate(committed);
    const event = named('evt_1');
    await request().durable('key:a', event, [servers, mine]);
    expect(entries).toEqual([['key:a', { event, charge: mine.charge }]]);
    await clock.advance(60);
    expect(entries.slice(1)).toEqual([['server:s', { charge: servers.charge }]]);
  });

  it('travel in batches too, with an event or without', async () => {
    const { clock, entries, request } = isolate(committed);
    const event = named('evt_1');
    const recorder = request();
    recorder.batched('key:a', event, [mine, servers]);
    recorder.settled([{ ledger: 'key:a', charge: charge(3) }]);
    recorder.settled([]);
    await clock.advance(60);
    expect(entries).toEqual([
      ['key:a', { event, charge: mine.charge }],
      ['key:a', { charge: charge(3) }],
      ['server:s', { charge: servers.charge }],
    ]);
  });

  it("leave the event on record where others' cannot be kept", async () => {
    const { buffer, entries, request } = isolate(committed);
    vi.spyOn(buffer, 'append').mockImplementation(() => {
      throw new AuditOverflow('full');
    });
    await expect(request().durable('key:a', named('evt_1'), [mine, servers])).rejects.toThrow(AuditOverflow);
    expect(entries).toMatchObject([['key:a', { event: { id: 'evt_1' }, charge: mine.charge }]]);
  });
});

describe('everything', () => {
  it('is sent before the end, and what others are sending waited for', async () => {
    const commit = Promise.withResolvers<void>();
    let isHeld = true;
    const { clock, sendEverything, request } = isolate(() => (isHeld ? commit.promise : committed('', [])));
    const durable = request().durable('key:a', named('evt_1'));
    request().batched('key:b', named('evt_2'));
    const flushed = sendEverything(clock.now + 500);
    await clock.advance(100);
    isHeld = false;
    request().batched('key:c', named('evt_3'));
    commit.resolve();
    await clock.advance(100);
    expect(await flushed).toBe(true);
    await durable;
  });

  it('is not waited for for ever', async () => {
    const { clock, sendEverything, request } = isolate(refused);
    request().batched('key:a', named('evt_1'));
    const flushed = sendEverything(clock.now + 500);
    await settle();
    await clock.advance(600);
    expect(await flushed).toBe(false);
  });
});

describe('batched', () => {
  it('gathers the events of all requests for 50 ms and sends them payer by payer', async () => {
    const { calls, clock, kept, request } = isolate(committed);
    request().batched('key:a', named('evt_1'));
    await clock.advance(30);
    request().batched('key:b', named('evt_2'));
    request().batched('key:a', named('evt_3'));
    expect(calls).toEqual([]);
    await clock.advance(19);
    expect(calls).toEqual([]);
    await clock.advance(1);
    expect(calls).toEqual([
      { at: 50, payer: 'key:a', ids: ['evt_1', 'evt_3'] },
      { at: 50, payer: 'key:b', ids: ['evt_2'] },
    ]);
    expect(kept).toHaveLength(1);
    request().batched('key:a', named('evt_4'));
    await clock.advance(50);
    expect(calls.at(-1)).toEqual({ at: 100, payer: 'key:a', ids: ['evt_4'] });
    await clock.advance(60_000);
    expect(calls).toHaveLength(3);
  });

  it('takes along what came while a commit was slow, without waiting for another request', async () => {
    const commits: (() => void)[] = [];
    const { calls, clock, request } = isolate(() => new Promise((resolve) => void commits.push(resolve)));
    request().batched('key:a', named('evt_first'));
    await clock.advance(50);
    request().batched('key:a', named('evt_second'));
    await clock.advance(60);
    expect(calls.map(({ ids }) => ids)).toEqual([['evt_first']]);
    commits[0]?.();
    await settle();
    expect(calls.map(({ ids }) => ids)).toEqual([['evt_first'], ['evt_second']]);
  });

  it('sends a large backlog in bounded calls', async () => {
    const { calls, clock, request } = isolate(committed);
    const recorder = request();
    for (let index = 0; index < 2_500; index++) recorder.batched('key:a', named(`evt_${index}`));
    for (let index = 0; index < 40; index++) recorder.batched('key:b', makeEvent({ result: 'x'.repeat(400_000) }));
    await clock.advance(50);
    expect(calls.filter(({ payer }) => payer === 'key:a').map(({ ids }) => ids.length)).toEqual([1_000, 1_000, 500]);
    expect(calls.filter(({ payer }) => payer === 'key:b').map(({ ids }) => ids.length)).toEqual([9, 9, 9, 9, 4]);
  });

  it('tries again with growing pauses, one request for all, while others are not held up', async () => {
    const { calls, clock, request } = isolate((payer, events) =>
      payer === 'key:bad' ? refused(payer, events) : committed(payer, events),
    );
    request().batched('key:bad', named('evt_1'));
    await clock.advance(60);
    request().batched('key:good', named('evt_2'));
    request().batched('key:bad', named('evt_3'));
    await clock.advance(1_000);
    expect(calls.filter(({ payer }) => payer === 'key:bad')).toEqual([
      { at: 50, payer: 'key:bad', ids: ['evt_1'] },
      { at: 150, payer: 'key:bad', ids: ['evt_1', 'evt_3'] },
      { at: 350, payer: 'key:bad', ids: ['evt_1', 'evt_3'] },
      { at: 750, payer: 'key:bad', ids: ['evt_1', 'evt_3'] },
    ]);
    expect(clock.sleeping, 'requests that stay for the next try').toBe(1);
    expect(calls.filter(({ payer }) => payer === 'key:good')).toEqual([{ at: 110, payer: 'key:good', ids: ['evt_2'] }]);
  });

  it('does not resend what was acknowledged before the fault', async () => {
    let fail = true;
    const { calls, clock, request } = isolate(async (payer, events) => {
      if (fail && calls.length > 1) await refused(payer, events);
    });
    for (let index = 0; index < 1_500; index++) request().batched('key:a', named(`evt_${index}`));
    await clock.advance(50);
    fail = false;
    await clock.advance(100);
    expect(calls.map(({ ids }) => ids.length)).toEqual([1_000, 500, 500]);
    expect(calls[2]?.ids[0]).toBe('evt_1000');
  });

  it('stays for 25 s, then leaves the rest to whatever request comes next', async () => {
    let record = refused;
    const { calls, clock, kept, request } = isolate((payer, events) => record(payer, events));
    request().batched('key:a', named('evt_1'));
    await clock.advance(60_000);
    await Promise.all(kept);
    const last = calls.at(-1)?.at ?? 0;
    expect(last).toBeGreaterThan(20_000);
    expect(last).toBeLessThanOrEqual(25_050);
    record = committed;
    const { length } = calls;
    request();
    await clock.advance(50);
    expect(calls.slice(length)).toEqual([{ at: 60_050, payer: 'key:a', ids: ['evt_1'] }]);
    request();
    expect(kept, 'nothing left to take along').toHaveLength(2);
  });

  it('does not wait for a flush that was lost with its request', async () => {
    const { calls, clock, request } = isolate(committed);
    // The request ended: what it promised to do later never runs.
    const sleep = vi.spyOn(clock, 'sleep').mockImplementationOnce(() => new Promise(() => {}));
    request().batched('key:a', named('evt_1'));
    sleep.mockRestore();
    await clock.advance(400);
    request().batched('key:a', named('evt_2'));
    await clock.advance(200);
    expect(calls, 'still hoped for').toEqual([]);
    request().batched('key:a', named('evt_3'));
    await clock.advance(50);
    expect(calls).toEqual([{ at: 650, payer: 'key:a', ids: ['evt_1', 'evt_2', 'evt_3'] }]);
  });

  it('sends again what a lost request was sending', async () => {
    const { calls, clock, request } = isolate((_payer, events) =>
      calls.length === 1 ? new Promise(() => {}) : committed(_payer, events),
    );
    request().batched('key:a', named('evt_1'));
    await clock.advance(5_000);
    request().batched('key:a', named('evt_2'));
    await clock.advance(5_000);
    expect(calls, 'perhaps only slow').toHaveLength(1);
    request().batched('key:a', named('evt_3'));
    await clock.advance(100);
    expect(calls[1]?.ids).toEqual(['evt_1', 'evt_2', 'evt_3']);
  });

  it('stops traffic before it loses records', async () => {
    let record = refused;
    const { calls, clock, request } = isolate((payer, events) => record(payer, events));
    const recorder = request();
    for (let index = 0; index < 50_000; index++) recorder.batched(`key:${index % 3}`, named(`evt_${index}`));
    await clock.advance(1_000);
    expect(() => recorder.batched('key:new', named('evt_x'))).toThrow(AuditOverflow);
    record = committed;
    calls.length = 0;
    await clock.advance(5_000);
    expect(new Set(calls.flatMap(({ ids }) => ids)).size).toBe(50_000);
    recorder.batched('key:new', named('evt_x'));
  });

  it('counts what the events weigh', async () => {
    const { clock, request } = isolate(committed);
    const recorder = request();
    const heavy = (): void => recorder.batched('key:a', makeEvent({ result: 'x'.repeat(1024 * 1024) }));
    for (let index = 0; index < 63; index++) heavy();
    expect(heavy).toThrow(AuditOverflow);
    await clock.advance(50);
    heavy();
  });
});

it('takes no answer from a sender that was given up for lost', () => {
  const buffer = new AuditBuffer();
  buffer.append('key:a', { event: named('evt_1') });
  const [slow] = buffer.claimEntries(1_000_000);
  buffer.append('key:a', { event: named('evt_2') });
  const [second] = buffer.claimEntries(1_010_000);
  if (slow === undefined || second === undefined) throw new Error('nothing was claimed');
  buffer.acknowledge(slow, 1, 1_010_001);
  buffer.giveBack(slow, 1_010_002);
  expect(buffer.claimEntries(1_010_003), 'the second is still sending').toEqual([]);
  buffer.giveBack(second, 1_010_004);
  const [third] = buffer.claimEntries(1_020_000);
  expect(third?.entries.map(({ event }) => event?.id)).toEqual(['evt_1', 'evt_2']);
});

it('loses no event, whatever happens to those who send', () => {
  // A sender that takes too long is given up for lost; its answer may still come, after another has taken over.
  const step = fc.constantFrom('append', 'claim', 'acknowledge', 'part', 'fail', 'wait');
  const property = fc.property(fc.array(fc.tuple(step, fc.nat(8)), { maxLength: 80 }), (steps) => {
    const buffer = new AuditBuffer();
    const appended: string[] = [];
    const sent = new Set<string>();
    let claims: Claim[] = [];
    let now = 1_000_000;
    const acknowledge = (claim: Claim, count: number): void => {
      for (const { event } of claim.entries.slice(0, count)) sent.add(event?.id ?? '');
      buffer.acknowledge(claim, count, now);
    };
    for (const [what, which] of steps) {
      const claim = claims[which % Math.max(1, claims.length)];
      if (what === 'append') {
        const event = named(`evt_${appended.length}`);
        appended.push(event.id);
        buffer.append(`key:${which % 3}`, { event });
      } else if (what === 'claim') claims.push(...buffer.claimEntries(now));
      else if (what === 'wait') now += 10_000;
      else if (claim !== undefined) {
        if (what === 'part') acknowledge(claim, 1);
        else claims = claims.filter((other) => other !== claim);
        if (what === 'acknowledge') acknowledge(claim, claim.entries.length);
        if (what === 'fail') buffer.giveBack(claim, now);
      }
    }
    for (let round = 0; round < 3; round++) {
      now += 60_000;
      for (const claim of buffer.claimEntries(now)) acknowledge(claim, claim.entries.length);
    }
    expect([...sent].toSorted()).toEqual(appended.toSorted());
    expect(buffer.isEmpty).toBe(true);
  });
  fc.assert(property, { numRuns: 2_000 });
});

it('reaches the real ledger, both ways', async () => {
  const context = createExecutionContext();
  const recorder = createRecorder(env, (promise) => context.waitUntil(promise));
  const [now, later] = [makeEvent(), makeEvent()];
  await useDatabase('key:real', failingDatabase('before')); // so that nothing leaves the outbox meanwhile
  recorder.batched('key:real', later);
  await recorder.durable('key:real', now);
  expect(await outboxIds('key:real')).toEqual([now.id]);
  await waitOnExecutionContext(context);
  expect(await outboxIds('key:real')).toEqual([now.id, later.id]);
});
