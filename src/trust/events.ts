// What the audit learns of definitions.
import type { AuditEvent } from '../audit/event.ts';
import { newId } from '../lib/ids.ts';
import type { FieldChange } from './diff.ts';
import type { Change, Standing } from './standing.ts';

interface Concerned {
  readonly server: string;
  /** Wire name. */
  readonly tool: string;
}

/** Of a list of fields, for a person to read. */
const MAX_FIELDS = 20;

export function definitionChanged(
  { server, tool }: Concerned,
  { change, withheld, fields }: { change: Change; withheld: Standing['withheld']; fields: readonly FieldChange[] },
  now: number,
): AuditEvent {
  const named = fields.slice(0, MAX_FIELDS).map(({ field }) => field);
  const more = fields.length - named.length;
  const list = [...named, ...(more > 0 ? [`${more} more`] : [])].join(', ');
  return {
    id: newId('evt', now),
    at: now,
    kind: 'tool.definition.changed',
    ...(withheld === undefined ? { outcome: 'ok' } : { outcome: 'denied', reason: `withheld: ${withheld}` }),
    server,
    tool,
    subject: change === 'new' ? 'new' : `changed: ${list}`,
  };
}

export function definitionApproved(
  { server, tool }: Concerned,
  { hash, requestId }: { readonly hash: string; readonly requestId: string },
  now: number,
): AuditEvent {
  return {
    id: newId('evt', now),
    at: now,
    kind: 'tool.definition.approved',
    outcome: 'ok',
    request_id: requestId,
    principal: 'admin',
    server,
    tool,
    subject: `approved: ${hash}`,
  };
}
