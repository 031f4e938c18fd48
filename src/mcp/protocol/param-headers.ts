// Arguments of tools mirrored in `Mcp-Param-*` headers (2026-07-28, `x-mcp-header`): those who route by a header must
// not be told something else than those who read the body.
import { at, isObject, type JsonObject } from '../../lib/json-value.ts';
import { decodeHeaderValue, encodeHeaderValue } from './header-value.ts';

const PREFIX = 'Mcp-Param-';
const ANNOTATION = 'x-mcp-header';
/** RFC 9110 §5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const DECIMAL = /^-?\d+(?:\.\d+)?$/;
/** Where schemas stand that a property's value need not meet; an annotation there makes the definition invalid. */
const CONDITIONAL =
  'items prefixItems contains additionalProperties unevaluatedProperties unevaluatedItems propertyNames oneOf anyOf allOf not if then else'.split(
    ' ',
  );
const CONDITIONAL_BY_NAME = ['patternProperties', 'dependentSchemas', '$defs', 'definitions'];
/** No schema that people write is as deep; one that is has no annotation that is heeded. */
const MAX_DEPTH = 64;

export interface ParamHeader {
  /** Of properties, from the arguments down. */
  readonly path: readonly string[];
  /** Of the header, whole. */
  readonly name: string;
  readonly numeric: boolean;
  /** As the schema says it. */
  readonly type: string;
}

const known = new WeakMap<object, readonly ParamHeader[]>();

/** Remembered by the schema, which is not changed. @returns none where the annotations are invalid */
export function paramHeadersOf(inputSchema: unknown): readonly ParamHeader[] {
  if (!isObject(inputSchema)) return [];
  const found = known.get(inputSchema);
  if (found !== undefined) return found;
  const headers: ParamHeader[] = [];
  const valid = collect(inputSchema, [], headers);
  const names = new Set(headers.map(({ name }) => name.toLowerCase()));
  const usable = valid && names.size === headers.length ? headers : [];
  known.set(inputSchema, usable);
  return usable;
}

/** Whether clients must leave a tool of this schema alone: an annotation is misplaced, of a wrong type, or given twice. */
export function hasInvalidParamHeaders(inputSchema: unknown): boolean {
  if (!isObject(inputSchema)) return false;
  const headers: ParamHeader[] = [];
  if (!collect(inputSchema, [], headers)) return true;
  const names = new Set(headers.map(({ name }) => name.toLowerCase()));
  // A server checks a header of a `number` all the same; only clients are told to refuse it.
  return names.size !== headers.length || headers.some(({ type }) => type === 'number');
}

/** What a client sends with these arguments. */
export function mirroredParams(headers: readonly ParamHeader[], args: unknown): Record<string, string> {
  const mirrored: Record<string, string> = {};
  for (const { path, name } of headers) {
    const text = headerText(at(args, ...path));
    if (text !== undefined) mirrored[name] = encodeHeaderValue(text);
  }
  return mirrored;
}

/** @returns what is wrong with the headers sent for these arguments, if anything */
export function paramHeaderFault(
  headers: readonly ParamHeader[],
  args: unknown,
  sent: Pick<Headers, 'get'>,
): string | undefined {
  for (const { path, name, numeric } of headers) {
    const value = at(args, ...path);
    const text = headerText(value);
    // Without a value in the body no header is expected, and one that came says nothing.
    if (text === undefined) continue;
    const header = sent.get(name);
    if (header === null) return `the argument ${path.join('.')} is given, but the header ${name} is not`;
    const decoded = decodeHeaderValue(header);
    if (decoded === undefined) return `the header ${name} holds what is not base64`;
    const equal = numeric && DECIMAL.test(decoded) ? Number(decoded) === value : decoded === text;
    if (!equal) return `the header ${name} differs from the argument ${path.join('.')}`;
  }
  return undefined;
}

function headerText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return String(value);
  if (typeof value !== 'number' || !Number.isFinite(value)) return undefined;
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? undefined : String(value);
}

/** Adds the annotated properties; false where an annotation is invalid. */
function collect(schema: JsonObject, path: readonly string[], into: ParamHeader[]): boolean {
  if (path.length > MAX_DEPTH) return false;
  if (ANNOTATION in schema) {
    const { [ANNOTATION]: name, type } = schema;
    const numeric = type === 'integer' || type === 'number';
    if (path.length === 0 || typeof name !== 'string' || !TOKEN.test(name)) return false;
    if (!numeric && type !== 'string' && type !== 'boolean') return false;
    into.push({ path, name: PREFIX + name, numeric, type });
  }
  const { properties } = schema;
  for (const [name, property] of isObject(properties) ? Object.entries(properties) : []) {
    if (isObject(property) && !collect(property, [...path, name], into)) return false;
  }
  return !conditionalSchemas(schema).some((conditional) => isAnnotated(conditional, path.length + 1));
}

function isAnnotated(schema: unknown, depth: number): boolean {
  if (!isObject(schema)) return false;
  if (depth > MAX_DEPTH || ANNOTATION in schema) return true;
  const { properties } = schema;
  const inside = [...(isObject(properties) ? Object.values(properties) : []), ...conditionalSchemas(schema)];
  return inside.some((one) => isAnnotated(one, depth + 1));
}

function conditionalSchemas(schema: JsonObject): unknown[] {
  return [
    ...CONDITIONAL.flatMap((keyword) => schema[keyword] ?? []),
    ...CONDITIONAL_BY_NAME.flatMap((keyword) => {
      const named = schema[keyword];
      return isObject(named) ? Object.values(named) : [];
    }),
  ];
}
