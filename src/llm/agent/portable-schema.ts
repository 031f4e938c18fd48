// An input schema in the form that every model provider takes: an object with properties at the top, no references.
// One schema that a provider does not like fails the whole request. It guides the model and decides nothing: arguments
// are checked against the tool's own schema before a call.
import { isObject, type JsonObject } from '../../lib/json-value.ts';
import { DESCRIPTION_CHARACTERS, SCHEMA_DEPTH, SCHEMA_NODES } from './limits.ts';

export interface PortableSchema {
  readonly schema: JsonObject;
  /** What the schema no longer says, in words for the model. */
  readonly note?: string;
}

// A catalog is plain data that outlives requests, and so may what is derived from it.
const known = new WeakMap<JsonObject, PortableSchema>();

export function portableSchema(schema: JsonObject): PortableSchema {
  const seen = known.get(schema);
  if (seen !== undefined) return seen;
  const inlined = new Inliner(schema).inline(schema, 0, []);
  const { properties, required, notes } = flattened(isObject(inlined) ? inlined : {});
  const { description, title, additionalProperties } = isObject(inlined) ? inlined : {};
  const portable: PortableSchema = {
    schema: {
      type: 'object',
      ...(title !== undefined && { title }),
      ...(description !== undefined && { description }),
      properties: Object.fromEntries(properties),
      ...(required.size > 0 && { required: [...required] }),
      ...(additionalProperties !== undefined && { additionalProperties }),
    },
    ...(notes.length > 0 && { note: notes.join(' ') }),
  };
  known.set(schema, portable);
  return portable;
}

const DROPPED = new Set([
  '$schema',
  '$id',
  '$ref',
  '$defs',
  'definitions',
  '$anchor',
  '$dynamicAnchor',
  '$dynamicRef',
  '$recursiveAnchor',
  '$recursiveRef',
  '$vocabulary',
  '$comment',
]);
const MAPS_OF_SCHEMAS = new Set(['properties', 'patternProperties', 'dependentSchemas']);
const LISTS_OF_SCHEMAS = new Set(['anyOf', 'oneOf', 'allOf', 'prefixItems']);
const SCHEMAS = new Set([
  'items',
  'additionalItems',
  'additionalProperties',
  'contains',
  'else',
  'if',
  'not',
  'propertyNames',
  'then',
  'unevaluatedItems',
  'unevaluatedProperties',
]);

/** Puts what a reference names in its place. One that leads out of the document, or into itself, becomes "anything". */
class Inliner {
  readonly #root: JsonObject;
  #nodes = 0;

  constructor(root: JsonObject) {
    this.#root = root;
  }

  inline(schema: unknown, depth: number, path: readonly string[]): unknown {
    // Providers differ about schemas that are booleans.
    if (!isObject(schema)) return schema === false ? { not: {} } : {};
    if (depth > SCHEMA_DEPTH || ++this.#nodes > SCHEMA_NODES) return {};
    const own = Object.fromEntries(
      Object.entries(schema)
        .filter(([keyword]) => !DROPPED.has(keyword))
        .map(([keyword, value]) => [keyword, this.#keyword(keyword, value, depth + 1, path)]),
    );
    const { $ref: reference } = schema;
    if (typeof reference !== 'string') return own;
    const target = path.includes(reference) ? undefined : targetOf(this.#root, reference);
    const named = target === undefined ? {} : this.inline(target, depth + 1, [...path, reference]);
    return { ...(isObject(named) ? named : {}), ...own };
  }

  #keyword(keyword: string, value: unknown, depth: number, path: readonly string[]): unknown {
    if (MAPS_OF_SCHEMAS.has(keyword) && isObject(value))
      return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, this.inline(part, depth, path)]));
    if (keyword === 'description' && typeof value === 'string') return shortened(value);
    const isList = Array.isArray(value) && (LISTS_OF_SCHEMAS.has(keyword) || keyword === 'items');
    if (isList) return value.map((part: unknown) => this.inline(part, depth, path));
    if (!SCHEMAS.has(keyword) || typeof value === 'boolean') return value;
    return this.inline(value, depth, path);
  }
}

/** A description as a model is shown it. */
export function shortened(text: string): string {
  return text.length <= DESCRIPTION_CHARACTERS ? text : `${text.slice(0, DESCRIPTION_CHARACTERS)}…`;
}

/** Within the document only: a reference is never fetched. */
function targetOf(root: JsonObject, reference: string): unknown {
  if (reference === '#') return root;
  if (!reference.startsWith('#/')) return undefined;
  let here: unknown = root;
  for (const step of reference.slice(2).split('/')) {
    const name = decoded(step).replaceAll('~1', '/').replaceAll('~0', '~');
    if (Array.isArray(here)) here = here[Number(name)];
    else if (isObject(here) && Object.hasOwn(here, name)) here = here[name];
    else return undefined;
  }
  return here;
}

function decoded(step: string): string {
  try {
    return decodeURIComponent(step);
  } catch {
    return step;
  }
}

interface Flat {
  readonly properties: Map<string, unknown>;
  readonly required: Set<string>;
  readonly notes: string[];
}

/** An object schema and what its `allOf`, `anyOf`, `oneOf` and conditions say, as one list of properties. */
function flattened(schema: JsonObject): Flat {
  const own = schema['properties'];
  const flat: Flat = {
    properties: new Map(isObject(own) ? Object.entries(own) : []),
    required: new Set(texts(schema['required'])),
    notes: [],
  };
  for (const branch of branches(schema['allOf'])) {
    addProperties(flat, branch, 'allOf');
    for (const name of branch.required) flat.required.add(name);
    flat.notes.push(...branch.notes);
  }
  for (const keyword of ['anyOf', 'oneOf']) addAlternatives(flat, branches(schema[keyword]), keyword);
  const { dependentSchemas } = schema;
  const conditional = [
    schema['then'],
    schema['else'],
    ...Object.values(isObject(dependentSchemas) ? dependentSchemas : {}),
  ];
  for (const branch of branches(conditional)) addProperties(flat, branch, 'anyOf');
  return flat;
}

function addAlternatives(flat: Flat, alternatives: readonly Flat[], keyword: string): void {
  const [first, ...others] = alternatives;
  if (first === undefined) return;
  for (const branch of alternatives) addProperties(flat, branch, 'anyOf');
  for (const name of first.required) if (others.every(({ required }) => required.has(name))) flat.required.add(name);
  const sets = alternatives.map(({ required }) => [...required].filter((name) => !flat.required.has(name)));
  if (sets.every((names) => names.length === 0)) return;
  const choices = sets.map((names) => (names.length === 0 ? 'none of these' : names.join(' and '))).join(', or ');
  flat.notes.push(`Give ${keyword === 'oneOf' ? 'exactly' : 'at least'} one of: ${choices}.`);
}

function addProperties(flat: Flat, branch: Flat, conflict: 'allOf' | 'anyOf'): void {
  for (const [name, schema] of branch.properties) {
    const there = flat.properties.get(name);
    const isSame = there === undefined || JSON.stringify(there) === JSON.stringify(schema);
    flat.properties.set(name, isSame ? schema : { [conflict]: [there, schema] });
  }
}

/** Arguments are an object always: what a schema says of other types is of no use. */
function branches(schemas: unknown): readonly Flat[] {
  if (!Array.isArray(schemas)) return [];
  return schemas
    .filter(isObject)
    .filter(({ type }) => type === undefined || type === 'object' || (Array.isArray(type) && type.includes('object')))
    .map(flattened);
}

function texts(list: unknown): readonly string[] {
  return Array.isArray(list) ? list.filter((item) => typeof item === 'string') : [];
}
