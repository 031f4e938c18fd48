import { describe, expect, it } from 'vitest';
import { SlotHold } from '../../../src/budget/slot-hold.ts';

describe('slots', () => {
  it('that were granted are lowered by what was said since', () => {
    const slots = new SlotHold('c');
    expect(slots.ask(0)).toBe(1);
    slots.granted(0, 4);
    for (let running = 1; running < 4; running++) slots.take();
    expect(slots.isFree).toBe(false);
    expect(slots.ask(1)).toBe(5);
    for (let ended = 0; ended < 3; ended++) slots.free();
    // The ledger may have heard already that no more than three are running.
    expect(slots.ask(2)).toBe(3);
    slots.granted(1, 5);
    expect(slots.isFree).toBe(false);
    slots.granted(2, 6);
    expect(slots.isFree).toBe(true);
  });

  it('are not reported while some are asked for, which the report would take away again', () => {
    const slots = new SlotHold('c');
    slots.ask(0);
    expect(slots.report(1, true)).toBeUndefined();
    slots.granted(0, 3);
    expect(slots.report(2, true)).toBe(1);
    expect(slots.isFree).toBe(false);
  });

  it('stay while they were in use since the last report', () => {
    const slots = new SlotHold('c');
    slots.ask(0);
    slots.granted(0, 2);
    slots.take();
    slots.free();
    expect(slots.report(1, false), 'two were running').toBeUndefined();
    expect(slots.report(2, false)).toBe(1);
    slots.free();
    slots.heard(2);
    expect(slots.report(3, false), 'one was running').toBeUndefined();
    expect(slots.report(4, false)).toBe(0);
    expect(slots.isAtRest).toBe(false);
    slots.heard(4);
    expect(slots.isAtRest).toBe(true);
  });

  it('that a refused message may have changed are told again', () => {
    const slots = new SlotHold('c');
    slots.ask(0);
    slots.notGranted();
    expect(slots.isFree).toBe(false);
    expect(slots.isAtRest).toBe(false);
    expect(slots.report(1, false)).toBe(0);
  });
});
