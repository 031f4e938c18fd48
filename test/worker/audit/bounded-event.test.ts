import { expect, it } from 'vitest';
import { boundedEvent } from '../../../src/audit/bounded-event.ts';
import type { AuditEvent } from '../../../src/audit/event.ts';

const event = (id: string, more: Partial<AuditEvent> = {}): AuditEvent => ({
  id,
  at: 1,
  kind: 'tool.call',
  outcome: 'ok',
  ...more,
});

it('leaves an ordinary event alone', () => {
  const ordinary = event('a', { model: 'm'.repeat(4_096), result: 'r'.repeat(60_000) });
  expect(boundedEvent(ordinary)).toBe(ordinary);
});

it('cuts overlong fields and no others', () => {
  const overlong = event('a', { model: 'm'.repeat(4_097), tool: 't', arguments: 'x'.repeat(5_000) });
  expect(boundedEvent(overlong)).toEqual({ ...overlong, model: `${'m'.repeat(4_096)}…` });
});
