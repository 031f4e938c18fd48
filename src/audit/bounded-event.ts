import type { AuditEvent } from './event.ts';

/** Some fields hold what a caller wrote, and a model's name may be megabytes long. Room for the ids of 60 tool uses. */
const MAX_FIELD_LENGTH = 4_096;

/**
 * The event with every overlong text field cut; content has its own limits in `content.ts`.
 * @throws TypeError when the event could never be stored, so that it cannot hold up those behind it
 */
export function boundedEvent(event: AuditEvent): AuditEvent {
  if (event.id === '' || !Number.isSafeInteger(event.at)) throw new TypeError('an audit event needs an id and a time');
  if (event.cost_nano_usd !== undefined && !Number.isSafeInteger(event.cost_nano_usd)) {
    throw new TypeError(`the cost of audit event ${event.id} is not an integer of NanoUsd`);
  }
  const cut: Record<string, string> = {};
  // Not by `Object.entries`: this is done to every event.
  for (const name in event) {
    const value = event[name as keyof AuditEvent];
    if (typeof value !== 'string' || value.length <= MAX_FIELD_LENGTH) continue;
    if (name !== 'arguments' && name !== 'result') cut[name] = `${value.slice(0, MAX_FIELD_LENGTH)}…`;
  }
  return Object.keys(cut).length === 0 ? event : { ...event, ...cut };
}

/** What the event weighs in memory and on the wire, roughly, in characters. */
export function approximateSize(event: AuditEvent): number {
  return 600 + (event.arguments?.length ?? 0) + (event.result?.length ?? 0);
}
