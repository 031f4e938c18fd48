// What may be asked of the audit log, and the port by which it is asked.
import { z } from 'zod';
import { decodeBase64, encodeBase64Url } from '../lib/base64url.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { failure, type Failure } from '../policy/failure.ts';
import { AUDIT_KINDS, AUDIT_OUTCOMES, type AuditEvent } from './event.ts';

export const DEFAULT_LIMIT = 100;
export const MAX_LIMIT = 1_000;

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

const DATE_TIME = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+ -]\d{2}:\d{2}))?$/;

const text = z.string().min(1, 'must not be empty').max(1_000, 'is longer than 1000 characters');

/** Milliseconds since the epoch, or a date with or without a time; an unescaped "+" of its offset arrives as a space. */
const time = text.transform((value, context) => {
  const parsed = /^\d{1,15}$/.test(value)
    ? Number(value)
    : DATE_TIME.test(value)
      ? Date.parse(value.replace(' ', '+'))
      : NaN;
  if (!Number.isNaN(parsed)) return parsed;
  context.addIssue({
    code: 'custom',
    message: 'must be a time such as 2026-11-22T10:00:00Z, or milliseconds since the epoch',
  });
  return z.NEVER;
});

const tag = text.transform((value, context) => {
  const separator = value.indexOf('=');
  const key = separator === -1 ? value : value.slice(0, separator);
  if (/^[A-Za-z0-9._:/-]+$/.test(key)) return { key, ...(separator !== -1 && { value: value.slice(separator + 1) }) };
  context.addIssue({ code: 'custom', message: 'must be key=value, or a key alone' });
  return z.NEVER;
});

const cursor = text.transform((value, context) => {
  const bytes = decodeBase64(value);
  const [, at, seq] = /^(\d{1,15})\.(\d{1,15})$/.exec(bytes === undefined ? '' : new TextDecoder().decode(bytes)) ?? [];
  if (at !== undefined && seq !== undefined) return { at: Number(at), seq: Number(seq) };
  context.addIssue({ code: 'custom', message: 'is not a next_cursor of an earlier answer' });
  return z.NEVER;
});

const limit = text
  .regex(/^\d{1,5}$/, `must be an integer from 1 to ${MAX_LIMIT}`)
  .transform(Number)
  .refine((value) => value >= 1 && value <= MAX_LIMIT, `must be an integer from 1 to ${MAX_LIMIT}`);

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
  cursor: cursor.optional(),
  limit: limit.default(DEFAULT_LIMIT),
});

export type AuditQuery = z.output<typeof QUERY>;
export const AUDIT_QUERY_PARAMETERS: readonly string[] = Object.keys(QUERY.shape);

/** Reads the parameters of a URL. An unknown one is refused like a bad one: a filter that is not applied misleads. */
export function parseAuditQuery(parameters: URLSearchParams): Result<AuditQuery, Failure> {
  for (const name of new Set(parameters.keys())) {
    if (!AUDIT_QUERY_PARAMETERS.includes(name)) {
      return refuse(name, `is not a filter; there are ${AUDIT_QUERY_PARAMETERS.join(', ')}`);
    }
    if (parameters.getAll(name).length > 1) return refuse(name, 'is given more than once');
  }
  const parsed = QUERY.safeParse(Object.fromEntries(parameters));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return refuse(
      String(issue?.path[0]),
      issue?.code === 'invalid_value'
        ? `must be one of ${issue.values.join(', ')}`
        : (issue?.message ?? 'is not valid'),
    );
  }
  const { from, to } = parsed.data;
  if (from !== undefined && to !== undefined && from >= to) return refuse('to', 'must be later than "from"');
  return ok(parsed.data);
}

function refuse(parameter: string, message: string): Result<never, Failure> {
  const problems = [{ path: parameter, message }];
  return err(
    failure('invalid_request', `The query parameter "${parameter}" ${message}.`, { param: parameter, problems }),
  );
}

export function toCursor(position: AuditPosition): string {
  return encodeBase64Url(new TextEncoder().encode(`${position.at}.${position.seq}`));
}
