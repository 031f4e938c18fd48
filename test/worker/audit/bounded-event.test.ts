import { expect, it } from 'vitest';
import { boundedEvent, inChunks } from '../../../src/audit/bounded-event.ts';
import type { AuditEvent } from '../../../src/audit/event.ts';

const event = (id: string, more: Partial<AuditEvent> = {}): AuditEvent => ({
  id,
  at: 1,
  kind: 'tool.call',
  outcome: 'ok',
  ...more,
});
const chunks = (events: AuditEvent[], limit: { events: number; characters: number }): string[] =>
  [...inChunks(events, limit)].map((chunk) => chunk.map(({ id }) => id).join(''));

it('leaves an ordinary event alone', () => {
  const ordinary = event('a', { model: 'm'.repeat(4_096), result: 'r'.repeat(60_000) });
  expect(boundedEvent(ordinary)).toBe(ordinary);
});

it('cuts overlong fields and no others', () => {
  const overlong = event('a', { model: 'm'.repeat(4_097), tool: 't', arguments: 'x'.repeat(5_000) });
  expect(boundedEvent(overlong)).toEqual({ ...overlong, model: `${'m'.repeat(4_096)}…` });
});

it('splits by number', () => {
  const events = ['a', 'b', 'c', 'd', 'e'].map((id) => event(id));
  expect(chunks(events, { events: 2, characters: 1e6 })).toEqual(['ab', 'cd', 'e']);
  expect(chunks(events, { events: 5, characters: 1e6 })).toEqual(['abcde']);
  expect(chunks([], { events: 5, characters: 1e6 })).toEqual([]);
});

it('splits by weight, and never drops one that is too heavy', () => {
  const result = 'x'.repeat(10_000);
  const events = [event('a', { result }), event('b'), event('c'), event('d', { result }), event('e')];
  expect(chunks(events, { events: 9, characters: 2_000 })).toEqual(['a', 'bc', 'd', 'e']);
});
