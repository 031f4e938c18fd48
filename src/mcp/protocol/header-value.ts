// Values of bodies mirrored in headers (2026-07-28, Streamable HTTP): as they are where a header can carry them, else
// as `=?base64?<base64 of the UTF-8>?=`.
import { decodeBase64 } from '../../lib/base64url.ts';

const PREFIX = '=?base64?';
const SUFFIX = '?=';
/** Visible ASCII, with spaces and tabs inside only: whoever stands between may strip those at the ends. */
const HEADER_SAFE = /^[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?$/;
/** RFC 4648 §4, padded: another spelling of the same bytes is refused. */
const CANONICAL_BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

export function encodeHeaderValue(text: string): string {
  if (HEADER_SAFE.test(text) && !isEncoded(text)) return text;
  let binary = '';
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte);
  return PREFIX + btoa(binary) + SUFFIX;
}

/** @returns undefined for what is marked as base64 and is none, or not of UTF-8 */
export function decodeHeaderValue(value: string): string | undefined {
  const trimmed = trimHeaderValue(value);
  if (!isEncoded(trimmed)) return trimmed;
  const base64 = trimmed.slice(PREFIX.length, -SUFFIX.length);
  const bytes = CANONICAL_BASE64.test(base64) ? decodeBase64(base64) : undefined;
  if (bytes === undefined) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Without the white space around it that means nothing (RFC 9110 §5.5). */
export function trimHeaderValue(value: string): string {
  return value.replaceAll(/^[\t ]+|[\t ]+$/g, '');
}

function isEncoded(value: string): boolean {
  return value.startsWith(PREFIX) && value.endsWith(SUFFIX) && value.length >= PREFIX.length + SUFFIX.length;
}
