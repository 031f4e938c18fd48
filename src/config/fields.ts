// The fields that definitions of several kinds share.
import { z } from 'zod';
import { parseByteSize, parseDurationMs } from './units.ts';

const NAME = /^[a-z0-9][a-z0-9_-]*$/;
export const name = z
  .string()
  .max(64)
  .regex(NAME, 'use lower-case letters, digits, "-" and "_", beginning with a letter or digit');
export const upstreamName = z
  .string()
  .max(40)
  .regex(/^[a-z0-9][a-z0-9-]*$/, 'use lower-case letters, digits and "-", beginning with a letter or digit');
export const keyName = z.string().min(1).max(100);

export const httpUrl = z.string().refine((text) => {
  try {
    const url = new URL(text);
    return (url.protocol === 'http:' || url.protocol === 'https:') && url.username === '' && url.password === '';
  } catch {
    return false;
  }
}, 'must be an http:// or https:// URL without user name or password');

export const durationMs = z.union([z.string(), z.number()]).transform((value, context) => {
  const parsed = parseDurationMs(value);
  if (parsed !== undefined) return parsed;
  context.addIssue({ code: 'custom', message: 'must be a duration such as 500ms, 30s, 5m or 1h' });
  return z.NEVER;
});
export const byteSize = z.union([z.string(), z.number()]).transform((value, context) => {
  const parsed = parseByteSize(value);
  if (parsed !== undefined) return parsed;
  context.addIssue({ code: 'custom', message: 'must be a size such as 512KiB or 20MiB' });
  return z.NEVER;
});

export const headerMap = z.record(
  z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, 'is not a valid header name'),
  z.string().regex(/^[\t\x20-\x7e\x80-\xff]*$/, 'must not hold control characters'),
);

/** `*`, a name, or a name ending in `*`. */
export const pattern = z
  .string()
  .min(1)
  .max(256)
  .refine((text) => !text.slice(0, -1).includes('*'), '"*" may stand alone or at the end only');
