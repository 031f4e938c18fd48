// What may be asked of the audit log, and the port by which it is asked.
import { z } from 'zod';
import type { Result } from '../lib/result.ts';
import type { Failure } from '../policy/failure.ts';
import { AUDIT_KINDS, AUDIT_OUTCOMES, type AuditEvent } from './event.ts';
import { cursor, encodeCursor, limit, parseParameters, refuseParameter, tag, text, time } from './query-parameters.ts';

export const DEFAULT_LIMIT = 100;

/** A place in the log: events are ordered by time, and by arrival within a millisecond. */
export interface AuditPosition {
  readonly at: number;
  readonly seq: number;
}

export interface AuditPage {
  /** Newest first. */
  readonly items: readonly AuditEvent[];
  /** Where the next page goes on; absent at the end. A page may hold fewer events than asked for and yet have a next. */
  readonly next?: AuditPosition;
}

export interface AuditReader {
  read(query: AuditQuery): Promise<AuditPage>;
}

const QUERY = z.strictObject({
  /** From this moment on, and up to but not including that one. */
  from: time.optional(),
  to: time.optional(),
  kind: z.enum(AUDIT_KINDS).optional(),
  outcome: z.enum(AUDIT_OUTCOMES).optional(),
  /** Id or name of a virtual key. */
  key: text.optional(),
  team: text.optional(),
  customer: text.optional(),
  server: text.optional(),
  tool: text.optional(),
  provider: text.optional(),
  /** As the caller named it, or as the provider did. */
  model: text.optional(),
  request_id: text.optional(),
  /** Any one of the ids that an event may list. */
  tool_use_id: text.optional(),
  tag: tag.optional(),
  /** Part of any name, id, reason or tag, in any case. */
  q: text.optional(),
  cursor: cursor(2)
    .transform(([at = 0, seq = 0]) => ({ at, seq }))
    .optional(),
  limit: limit.default(DEFAULT_LIMIT),
});

export type AuditQuery = z.output<typeof QUERY>;
export const AUDIT_QUERY_PARAMETERS: readonly string[] = Object.keys(QUERY.shape);

export function parseAuditQuery(parameters: URLSearchParams): Result<AuditQuery, Failure> {
  const parsed = parseParameters(QUERY, parameters);
  if (!parsed.ok) return parsed;
  const { from, to } = parsed.value;
  if (from !== undefined && to !== undefined && from >= to) return refuseParameter('to', 'must be later than "from"');
  return parsed;
}

export function toCursor({ at, seq }: AuditPosition): string {
  return encodeCursor(at, seq);
}
