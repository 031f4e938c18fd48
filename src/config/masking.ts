// What of a secret may be shown, and how an answer that was read, edited and sent back finds its secrets again.
import { replaceSecrets, type SecretPlace } from './secret-places.ts';
import type { ObjectKind } from './objects.ts';

export const MASK = '•••';

/** A part of a URL as long as this that mixes letters and digits is taken for a key: some servers carry theirs there. */
const TELLING_PART = /^(?=.*[0-9])(?=.*[A-Za-z])[\w-]{20,}$/;
/** An option without a value, a scoped package, a path: what a reader needs to recognise a command. */
const HARMLESS_ARGUMENT = /^(?:--?[A-Za-z][\w-]*|@[a-z0-9][\w.-]*\/[a-z0-9][\w.-]*(?:@[\w.^~-]+)?|\.{0,2}\/[^=?]*)$/;

/** A copy of a definition that holds no secret. */
export function maskSecrets(kind: ObjectKind, document: unknown): Promise<unknown> {
  return replaceSecrets(kind, document, maskValue);
}

/**
 * Puts back the stored secret wherever the new definition says what the answer had shown for it.
 * @param previous the stored definition in clear
 * @returns the definition, and the places that are masked and have no stored counterpart
 */
export async function restoreMasked(
  kind: ObjectKind,
  document: unknown,
  previous: unknown,
): Promise<{ readonly document: unknown; readonly unknown: readonly string[] }> {
  const stored = new Map<string, { readonly masked: unknown; readonly value: unknown } | undefined>();
  await replaceSecrets(kind, previous, (value, place) => {
    // Two entries of one name: whose secret it was cannot be told.
    stored.set(place.path, stored.has(place.path) ? undefined : { masked: maskValue(value, place), value });
    return value;
  });
  const unknown: string[] = [];
  const restored = await replaceSecrets(kind, document, (value, { path }) => {
    if (typeof value !== 'string' || !isMasked(value)) return value;
    const counterpart = stored.get(path);
    if (counterpart !== undefined && counterpart.masked === value) return counterpart.value;
    unknown.push(path);
    return value;
  });
  return { document: restored, unknown };
}

function isMasked(text: string): boolean {
  return text.includes(MASK) || text.includes(encodeURIComponent(MASK));
}

function maskValue(value: unknown, { path, nature }: SecretPlace): string {
  if (typeof value !== 'string' || nature === 'value') return MASK;
  if (nature === 'url') return maskUrl(value);
  const isProgram = /^command\/0:\d+$/.test(path);
  return isProgram || HARMLESS_ARGUMENT.test(value) ? value : MASK;
}

/** Keeps host, path and the names of the query. */
function maskUrl(text: string): string {
  const url = URL.parse(text);
  if (url === null) return MASK;
  const show = (part: string) => (TELLING_PART.test(part) ? MASK : part);
  const path = url.pathname.split('/').map(show).join('/');
  const query = [...url.searchParams.keys()].map((name) => `${show(name)}=${MASK}`).join('&');
  return `${url.origin}${path}${query === '' ? '' : `?${query}`}`;
}
