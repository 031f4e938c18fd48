// Parameters of a URL, read strictly: what is asked of a log and not applied misleads.
import { z } from 'zod';
import { decodeBase64, encodeBase64Url } from '../lib/base64url.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { failure, type Failure } from '../policy/failure.ts';

export const MAX_LIMIT = 1_000;

const DATE_TIME = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+ -]\d{2}:\d{2}))?$/;

export const text = z.string().min(1, 'must not be empty').max(1_000, 'is longer than 1000 characters');

/** Milliseconds since the epoch, or a date with or without a time; an unescaped "+" of its offset arrives as a space. */
export const time = text.transform((value, context) => {
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

/** A tag with its value, or alone. */
export const tag = text.transform((value, context) => {
  const separator = value.indexOf('=');
  const key = separator === -1 ? value : value.slice(0, separator);
  if (TAG_NAME.test(key)) return { key, ...(separator !== -1 && { value: value.slice(separator + 1) }) };
  context.addIssue({ code: 'custom', message: 'must be key=value, or a key alone' });
  return z.NEVER;
});
export const TAG_NAME = /^[A-Za-z0-9._:/-]+$/;

export const limit = text
  .regex(/^\d{1,5}$/, `must be an integer from 1 to ${MAX_LIMIT}`)
  .transform(Number)
  .refine((value) => value >= 1 && value <= MAX_LIMIT, `must be an integer from 1 to ${MAX_LIMIT}`);

/** A place in a list, made by `encodeCursor`: as many whole numbers. */
export function cursor(numbers: number) {
  return text.transform((value, context) => {
    const bytes = decodeBase64(value);
    const parts = (bytes === undefined ? '' : new TextDecoder().decode(bytes)).split('.');
    if (parts.length === numbers && parts.every((part) => /^\d{1,15}$/.test(part))) return parts.map(Number);
    context.addIssue({ code: 'custom', message: 'is not a next_cursor of an earlier answer' });
    return z.NEVER;
  });
}

export function encodeCursor(...numbers: readonly number[]): string {
  return encodeBase64Url(new TextEncoder().encode(numbers.join('.')));
}

/** An unknown parameter is refused like a bad one. */
export function parseParameters<T extends z.ZodObject>(
  schema: T,
  parameters: URLSearchParams,
): Result<z.output<T>, Failure> {
  const known = Object.keys(schema.shape);
  for (const name of new Set(parameters.keys())) {
    if (!known.includes(name)) return refuseParameter(name, `is not a filter; there are ${known.join(', ')}`);
    if (parameters.getAll(name).length > 1) return refuseParameter(name, 'is given more than once');
  }
  const parsed = schema.safeParse(Object.fromEntries(parameters));
  if (parsed.success) return ok(parsed.data);
  const [issue] = parsed.error.issues;
  return refuseParameter(
    String(issue?.path[0]),
    issue?.code === 'invalid_value' ? `must be one of ${issue.values.join(', ')}` : (issue?.message ?? 'is not valid'),
  );
}

export function refuseParameter(name: string, message: string): Result<never, Failure> {
  const problems = [{ path: name, message }];
  return err(failure('invalid_request', `The query parameter "${name}" ${message}.`, { param: name, problems }));
}
