// Schemas of a description as JSON Schema 2020-12 that stands on its own. What one schema refers to is kept once, under
// `$defs`, so that recursion stays a reference. Pure.
import { isObject, type JsonObject } from '../../lib/json-value.ts';
import { follow, pointerSteps, resolvePointer, SpecProblem } from './document.ts';
import { NAME_LENGTH, SCHEMA_CHARACTERS, SCHEMA_DEPTH } from './limits.ts';
import { keywordValue, type Audience } from './schema-keywords.ts';

export type Schema = JsonObject | boolean;

/** A schema, whole and without annotations, and the names of those it refers to. */
interface Converted {
  readonly whole: Sized;
  readonly bare: Sized;
  readonly refs: ReadonlySet<string>;
}

interface Sized {
  readonly schema: Schema;
  /** Of its JSON text. */
  readonly characters: number;
}

const SCHEMAS = new Set([
  'items',
  'additionalProperties',
  'propertyNames',
  'contains',
  'not',
  'if',
  'then',
  'else',
  'unevaluatedItems',
  'unevaluatedProperties',
]);
const LISTS_OF_SCHEMAS = new Set(['allOf', 'anyOf', 'oneOf', 'prefixItems']);
const NAMED_SCHEMAS = new Set(['properties', 'patternProperties', 'dependentSchemas']);
/** Say what is meant and refuse nothing. */
const ANNOTATIONS = new Set(['title', 'description', 'examples', 'default', 'deprecated', 'format']);

/** Converts the schemas of one document for one audience; what many of them refer to is converted once. */
export class SchemaConverter {
  readonly #document: JsonObject;
  readonly #audience: Audience;
  readonly #names = new Map<string, string>();
  readonly #pointers = new Map<string, string>();
  readonly #definitions = new Map<string, Converted>();

  constructor(document: JsonObject, audience: Audience) {
    this.#document = document;
    this.#audience = audience;
  }

  /**
   * The schema with the `$defs` it needs; without its annotations where it is too large with them.
   * @param build makes the schema, which must have no `$defs` of its own
   * @throws SpecProblem when it refers to what is outside of the document, or is larger than a tool's schema may be
   */
  standalone(build: (convert: (schema: unknown) => Schema) => JsonObject): JsonObject {
    const refs = new Set<string>();
    const root = inBothForms(
      build((schema) => this.#convert(schema, refs, 0)),
      refs,
    );
    const definitions = this.#closure(root);
    for (const form of ['whole', 'bare'] as const) {
      const characters = [root, ...definitions.values()].reduce((sum, part) => sum + part[form].characters, 0);
      if (characters > SCHEMA_CHARACTERS) continue;
      const schema = root[form].schema as JsonObject;
      if (definitions.size === 0) return schema;
      const entries = [...definitions].toSorted(([one], [other]) => (one < other ? -1 : 1));
      return { ...schema, $defs: Object.fromEntries(entries.map(([name, part]) => [name, part[form].schema])) };
    }
    throw tooLarge();
  }

  /** Everything a schema refers to, and what that refers to. Given up as soon as it is certain to be too much. */
  #closure(root: Converted): Map<string, Converted> {
    const definitions = new Map<string, Converted>();
    const wanted = [...root.refs];
    let characters = root.bare.characters;
    // `wanted` grows while it is read.
    for (const name of wanted) {
      if (definitions.has(name)) continue;
      const definition = this.#definition(name);
      definitions.set(name, definition);
      wanted.push(...definition.refs);
      characters += definition.bare.characters;
      if (characters > SCHEMA_CHARACTERS) throw tooLarge();
    }
    return definitions;
  }

  #definition(name: string): Converted {
    const known = this.#definitions.get(name);
    if (known !== undefined) return known;
    const refs = new Set<string>();
    const target = resolvePointer(this.#document, this.#pointers.get(name) ?? '');
    const converted = inBothForms(this.#convert(target, refs, 0), refs);
    this.#definitions.set(name, converted);
    return converted;
  }

  #convert(source: unknown, refs: Set<string>, depth: number): Schema {
    if (typeof source === 'boolean') return source;
    // No constraint is what is left of what is no schema.
    if (!isObject(source)) return {};
    if (depth > SCHEMA_DEPTH) throw new SpecProblem(`has a schema nested more than ${SCHEMA_DEPTH} deep`);
    const schema: Record<string, unknown> = {};
    for (const [keyword, value] of Object.entries(source)) {
      const converted = this.#keyword(keyword, value, refs, depth + 1);
      if (converted !== undefined) schema[keyword] = converted;
    }
    // Before 2020-12 a list of items was a tuple.
    if (Array.isArray(source['items'])) schema['prefixItems'] = this.#list(source['items'], refs, depth + 1);
    return this.#forAudience(source, schema);
  }

  #keyword(keyword: string, value: unknown, refs: Set<string>, depth: number): unknown {
    if (keyword === '$ref') {
      if (typeof value !== 'string') return undefined;
      const name = this.#nameOf(value);
      refs.add(name);
      return `#/$defs/${name}`;
    }
    if (SCHEMAS.has(keyword)) return Array.isArray(value) ? undefined : this.#convert(value, refs, depth);
    if (LISTS_OF_SCHEMAS.has(keyword)) {
      return Array.isArray(value) && value.length > 0 ? this.#list(value, refs, depth) : undefined;
    }
    if (NAMED_SCHEMAS.has(keyword)) {
      if (!isObject(value)) return undefined;
      const members = Object.entries(value).map(
        ([name, member]) => [name, this.#convert(member, refs, depth)] as const,
      );
      return Object.fromEntries(members);
    }
    return keywordValue(keyword, value, this.#audience);
  }

  #list(values: readonly unknown[], refs: Set<string>, depth: number): Schema[] {
    return values.map((value) => this.#convert(value, refs, depth));
  }

  /** A caller does not send what only the API sets, nor reads what only the API takes. */
  #forAudience(source: JsonObject, schema: Record<string, unknown>): JsonObject {
    const hidden = this.#audience === 'request' ? 'readOnly' : 'writeOnly';
    // An API that grows says more than its description, and is right.
    if (this.#audience === 'response') {
      if (schema['additionalProperties'] === false) delete schema['additionalProperties'];
      if (schema['unevaluatedProperties'] === false) delete schema['unevaluatedProperties'];
    }
    const { properties } = source;
    if (!isObject(properties)) return schema;
    const unseen = new Set(
      Object.keys(properties).filter((name) => {
        const property = properties[name];
        return isObject(property) && property[hidden] === true;
      }),
    );
    if (unseen.size === 0) return schema;
    const shown = Object.entries(schema['properties'] as JsonObject).filter(([name]) => !unseen.has(name));
    const required = Array.isArray(schema['required']) ? schema['required'] : [];
    return {
      ...schema,
      properties: Object.fromEntries(shown),
      required: required.filter((name) => !unseen.has(String(name))),
    };
  }

  /** The name under which the target of a reference stands in `$defs`: the last step, made unique. */
  #nameOf(pointer: string): string {
    const known = this.#names.get(pointer);
    if (known !== undefined) return known;
    // A reference to nowhere, or in a circle, is no schema at all.
    follow(this.#document, { $ref: pointer });
    const base = (pointerSteps(pointer).at(-1) ?? '').replaceAll(/[^\w.-]/g, '_').slice(0, NAME_LENGTH) || 'schema';
    let name = base;
    for (let number = 2; this.#pointers.has(name); number++) name = `${base}_${number}`;
    this.#names.set(pointer, name);
    this.#pointers.set(name, pointer);
    return name;
  }
}

function tooLarge(): SpecProblem {
  return new SpecProblem(`has a schema of more than ${SCHEMA_CHARACTERS / 1024} KiB`);
}

function inBothForms(schema: Schema, refs: ReadonlySet<string>): Converted {
  const sized = (form: Schema): Sized => ({ schema: form, characters: JSON.stringify(form).length });
  return { whole: sized(schema), bare: sized(isObject(schema) ? bareSchema(schema) : schema), refs };
}

/** The schema without what only explains it. */
function bareSchema(schema: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(schema).flatMap(([keyword, value]): [string, unknown][] => {
      if (ANNOTATIONS.has(keyword)) return [];
      if (SCHEMAS.has(keyword) && isObject(value)) return [[keyword, bareSchema(value)]];
      if (LISTS_OF_SCHEMAS.has(keyword) && Array.isArray(value)) {
        return [[keyword, value.map((member: unknown) => (isObject(member) ? bareSchema(member) : member))]];
      }
      if (NAMED_SCHEMAS.has(keyword) && isObject(value)) {
        const members = Object.entries(value).map(([name, member]) => [
          name,
          isObject(member) ? bareSchema(member) : member,
        ]);
        return [[keyword, Object.fromEntries(members)]];
      }
      return [[keyword, value]];
    }),
  );
}
