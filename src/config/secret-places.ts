// Where in a definition secrets may stand. All of it is sealed at rest and masked in answers. A URL and the arguments of
// a command are among them: many servers take their key in a query, a path or an argument.
import type { ObjectKind } from './objects.ts';

/** `*` stands for every member of a mapping or list. */
const SECRET_PLACES: { readonly [kind in ObjectKind]?: readonly string[] } = {
  server: ['url', 'base_url', 'spec.url', 'headers.*', 'env.*', 'command.*'],
  provider: ['base_url', 'headers.*', 'keys.*.value'],
  settings: ['alerts.webhook.url', 'alerts.webhook.secret'],
};

/** Of what nature the secret at a place is: it decides what of it may be shown. */
type SecretNature = 'value' | 'url' | 'argument';

export interface SecretPlace {
  /** Steps from the document down, joined by `/`. */
  readonly path: string;
  readonly nature: SecretNature;
}

/** A copy of the document in which `replace` has been applied at each place that exists, one after the other. */
export async function replaceSecrets(
  kind: ObjectKind,
  document: unknown,
  replace: (value: unknown, place: SecretPlace) => unknown,
): Promise<unknown> {
  let copy = document;
  for (const pattern of SECRET_PLACES[kind] ?? []) {
    const nature = pattern.endsWith('url') ? 'url' : pattern.startsWith('command') ? 'argument' : 'value';
    copy = await replaceAt(copy, pattern.split('.'), '', (value, path) => replace(value, { path, nature }));
  }
  return copy;
}

async function replaceAt(
  value: unknown,
  steps: readonly string[],
  path: string,
  replace: (value: unknown, path: string) => unknown,
): Promise<unknown> {
  const [step, ...rest] = steps;
  if (step === undefined) return replace(value, path);
  if (typeof value !== 'object' || value === null) return value;
  const entries: [string, unknown][] = [];
  for (const [member, inner] of Object.entries(value)) {
    const label = Array.isArray(value) ? labelOf(inner, member, value.length) : member;
    const here = step === '*' || step === member;
    entries.push([
      member,
      here ? await replaceAt(inner, rest, path === '' ? label : `${path}/${label}`, replace) : inner,
    ]);
  }
  return Array.isArray(value) ? entries.map(([, inner]) => inner) : Object.fromEntries(entries);
}

/**
 * An entry of a list goes by its name, else by its position and the list's length: when entries come or go, no secret
 * may be taken for its neighbour's.
 */
function labelOf(entry: unknown, position: string, length: number): string {
  const named = typeof entry === 'object' && entry !== null && 'name' in entry && typeof entry.name === 'string';
  return named ? String(entry.name) : `${position}:${length}`;
}
