// What changed between two definitions, field by field, for a person to read before approving.
import type { ToolDefinition } from './definition.ts';
import { excerptAround } from './excerpt.ts';
import { walk } from './walk.ts';

export interface FieldChange {
  /** Such as `inputSchema.properties.path.description`. */
  readonly field: string;
  readonly change: 'added' | 'removed' | 'changed';
  /** Excerpts around the first difference. */
  readonly before?: string;
  readonly after?: string;
}

export interface DefinitionDiff {
  readonly fields: readonly FieldChange[];
  /** More changed than is listed, or than could be compared. */
  readonly incomplete: boolean;
}

const MAX_FIELDS = 200;
const EXCERPT_LENGTH = 400;

/** @param before absent for a definition that is new */
export function diffDefinitions(before: ToolDefinition | undefined, after: ToolDefinition): DefinitionDiff {
  const old = before === undefined ? { fields: new Map<string, string>(), whole: true } : fieldsOf(before);
  const young = fieldsOf(after);
  const fields: FieldChange[] = [];
  for (const field of new Set([...young.fields.keys(), ...old.fields.keys()])) {
    const change = changeOf(field, old.fields.get(field), young.fields.get(field));
    if (change !== undefined) fields.push(change);
    if (fields.length > MAX_FIELDS) break;
  }
  const incomplete = fields.length > MAX_FIELDS || !old.whole || !young.whole;
  return { fields: fields.slice(0, MAX_FIELDS), incomplete };
}

function changeOf(path: string, before: string | undefined, after: string | undefined): FieldChange | undefined {
  if (before === after) return undefined;
  const field = excerptAround(path, 0, EXCERPT_LENGTH);
  const at = firstDifference(before ?? '', after ?? '');
  const show = (text: string): string =>
    excerptAround(text, before === undefined || after === undefined ? 0 : at, EXCERPT_LENGTH);
  if (before === undefined) return { field, change: 'added', after: show(after ?? '') };
  if (after === undefined) return { field, change: 'removed', before: show(before) };
  return { field, change: 'changed', before: show(before), after: show(after) };
}

/** Each leaf as text; an empty object or list is one. Not whole when two leaves share a path, which can be written so. */
function fieldsOf(definition: ToolDefinition): { fields: Map<string, string>; whole: boolean } {
  const fields = new Map<string, string>();
  let isPlain = true;
  const unread = walk(definition, ({ where, value }) => {
    const isLeaf = typeof value !== 'object' || value === null || Object.keys(value).length === 0;
    if (!isLeaf) return 'more';
    if (fields.has(where)) isPlain = false;
    fields.set(where, typeof value === 'string' ? value : JSON.stringify(value));
    return 'more';
  });
  return { fields, whole: isPlain && unread === undefined };
}

function firstDifference(one: string, other: string): number {
  const end = Math.min(one.length, other.length);
  for (let at = 0; at < end; at++) if (one.charCodeAt(at) !== other.charCodeAt(at)) return at;
  return end;
}
