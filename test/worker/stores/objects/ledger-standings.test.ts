// What an isolate knows of limits without asking: that is what callers are told with every answer.
import { beforeEach, describe, expect, it } from 'vitest';
import type { Ticket } from '../../../../src/budget/admission.ts';
import type { LimitWindow } from '../../../../src/budget/limits.ts';
import { admitted, CENT, limitOf, need, planOf, World, type Isolate } from './ledger-world.ts';

const PLENTY = planOf([limitOf('cost', 10_000 * CENT), limitOf('requests', 10_000)]);

let world: World;
let isolate: Isolate;
beforeEach(() => {
  world = new World();
  isolate = world.isolate();
});

const settled = (ticket: Ticket, actual = ticket.need): void => isolate.recorder.settled(ticket.settle(actual));

/** As the isolate knows it of a limit that was drawn on once. */
async function resetOf(id: string, window: LimitWindow): Promise<number> {
  const bounded = planOf([limitOf('requests', 60, { id, window })]);
  await admitted(isolate, [bounded], need(CENT));
  const [standing] = isolate.admission.standings([bounded]);
  return standing?.resetsAt ?? 0;
}

describe('standings', () => {
  it('tell what was drawn since the ledger was asked', async () => {
    expect(isolate.admission.standings([PLENTY])).toEqual([]);
    const bounded = planOf([limitOf('tokens', 100_000), limitOf('requests', 10_000)]);
    const left = (): number[] =>
      isolate.admission.standings([bounded]).map(({ limit: { amount }, spent, reserved }) => amount - spent - reserved);
    const tickets = [await admitted(isolate, [bounded], need(0, 10))];
    expect(left()).toEqual([99_990, 9_999]);
    tickets.push(await admitted(isolate, [bounded], need(0, 90)));
    expect(left()).toEqual([99_900, 9_998]);
    settled(tickets[1] as Ticket, need(0, 20));
    expect(left()).toEqual([99_970, 9_998]);
    settled(tickets[0] as Ticket, need(0));
    expect(left()).toEqual([99_980, 9_998]);
    expect(world.sent.map(({ kind }) => kind)).toEqual(['acquire']);
  });

  it('tell when what was drawn since then leaves the window', async () => {
    const { now } = world.clock;
    const rolling = await resetOf('rolling', { period: '1m', calendar: false });
    expect(rolling).toBeGreaterThanOrEqual(now + 60_000);
    expect(rolling).toBeLessThanOrEqual(now + 62_000);
    const hour = 3_600_000;
    expect(await resetOf('by the calendar', { period: '1h', calendar: true })).toBe(
      (Math.floor(now / hour) + 1) * hour,
    );
  });

  it('forget with the window', async () => {
    settled(await admitted(isolate, [PLENTY], need(CENT)));
    const [standing] = isolate.admission.standings([PLENTY]);
    expect(standing?.resetsAt).toBeDefined();
    world.clock.now = standing?.resetsAt ?? 0;
    expect(isolate.admission.standings([PLENTY])[0]).toMatchObject({ spent: 0 });
  });
});
