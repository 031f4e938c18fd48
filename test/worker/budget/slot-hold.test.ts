import { describe, expect, it } from 'vitest';
import { SlotHold } from '../../../src/budget/slot-hold.ts';

/** With this many held. */
function granted(slots: number): SlotHold {
  const hold = new SlotHold('c');
  hold.granted(0, hold.ask(0), slots);
  return hold;
}

describe('slots', () => {
  it('serve others while something is asked for', () => {
    const slots = granted(4);
    expect(slots.ask(1)).toBe(2);
    expect(slots.isFree).toBe(true);
    slots.take();
    slots.take();
    expect(slots.isFree).toBe(false);
    expect(slots.ask(2)).toBe(5);
    slots.granted(2, 5, 7);
    slots.granted(1, 2, 4);
    expect(slots.room).toBe(2);
  });

  it('that are being asked for are not reported, which would take them away again', () => {
    const slots = granted(1);
    slots.ask(1);
    expect(slots.report(2, true)).toBeUndefined();
    slots.granted(1, 2, 2);
    expect(slots.report(3, true)).toBe(2);
  });

  it('go back though something is asked for, whose answer may be older than the report', () => {
    const slots = granted(9);
    expect(slots.ask(1)).toBe(2);
    expect(slots.report(2, false)).toBeUndefined();
    expect(slots.report(3, false)).toBeUndefined();
    expect(slots.report(4, false)).toBe(2);
    slots.granted(1, 2, 9);
    expect(slots.isFree).toBe(false);
  });

  it('to spare stay while requests begin, and not for one that is long', () => {
    const slots = granted(5);
    slots.take();
    slots.free();
    expect(slots.report(1, false), 'two ran, and there were four to spare').toBeUndefined();
    expect(slots.report(2, false), 'a request began since the look before the last').toBeUndefined();
    expect(slots.report(3, false)).toBe(1);
    slots.free();
    slots.heard(3);
    expect(slots.report(4, false), 'one ran').toBeUndefined();
    expect(slots.report(5, false), 'one ran').toBeUndefined();
    expect(slots.report(6, false)).toBe(0);
    expect(slots.isAtRest).toBe(false);
    slots.heard(6);
    expect(slots.isAtRest).toBe(true);
  });

  it('that a lost message may have brought are told of again, by a later one than it', () => {
    const slots = new SlotHold('c');
    slots.ask(1);
    slots.lost(1);
    expect(slots.isFree).toBe(false);
    slots.heard(0);
    expect(slots.isAtRest).toBe(false);
    expect(slots.report(2, false)).toBe(0);
    slots.heard(2);
    expect(slots.isAtRest).toBe(true);
  });

  it('that were refused change nothing', () => {
    const slots = new SlotHold('c');
    slots.ask(0);
    slots.refused();
    expect(slots.isAtRest).toBe(true);
  });
});
