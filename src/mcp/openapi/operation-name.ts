// The names of tools. Pure.
import { NAME_LENGTH } from './limits.ts';

export interface NamedOperation {
  readonly method: string;
  readonly path: string;
  readonly operationId?: string;
}

/**
 * One name each, which depends on the operation alone: its `operationId`, else its method and path. Where two would
 * share a name, none of them has it, whichever comes first.
 */
export function toolNames(operations: readonly NamedOperation[]): string[] {
  const wanted = operations.map(({ operationId }) => slug(operationId ?? ''));
  const first = withoutShared(wanted);
  const routes = operations.map(({ method, path }) => slug(`${method.toLowerCase()} ${path}`));
  const second = withoutShared(first.map((name, index) => (name === '' ? (routes[index] ?? '') : name)));
  const taken = new Set(second);
  return second.map((name, index) => {
    if (name !== '') return name;
    const { method = '', path = '' } = operations[index] ?? {};
    const route = routes[index] ?? '';
    for (let attempt = 0; ; attempt++) {
      const mark = `_${shortHash(`${method} ${path} ${attempt}`)}`;
      const free = route.slice(0, NAME_LENGTH - mark.length) + mark;
      if (taken.has(free)) continue;
      taken.add(free);
      return free;
    }
  });
}

/** Empty in the place of each name that is too long, is none, or stands there more than once. */
function withoutShared(names: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return names.map((name) => (counts.get(name) === 1 && name.length <= NAME_LENGTH ? name : ''));
}

/** Of characters that every model provider accepts. */
function slug(text: string): string {
  return text.replaceAll(/[^a-zA-Z0-9_-]+/g, '_').replaceAll(/^_+|_+$/g, '');
}

/** FNV-1a, 32 bits. It keeps names apart, and nothing secret depends on it. */
function shortHash(text: string): string {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(36).padStart(7, '0');
}
