// The parameters of an operation as arguments of a tool. Pure.
import { isObject, type JsonObject } from '../../lib/json-value.ts';
import { followObject } from './document.ts';
import { NAME_LENGTH } from './limits.ts';
import { isJson } from './media-type.ts';
import { BODY_ARGUMENT, type Location, type PlannedParameter, type Style } from './plan.ts';
import type { Schema } from './schema.ts';
import type { Withheld } from './withheld.ts';

/** The first is the one meant when none is named. */
const STYLES: Readonly<Record<Location, readonly [Style, ...Style[]]>> = {
  path: ['simple', 'label', 'matrix'],
  query: ['form', 'spaceDelimited', 'pipeDelimited', 'deepObject'],
  header: ['simple'],
  cookie: ['form'],
};
const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;

export interface Argument {
  readonly planned: PlannedParameter;
  /** As the description has it. */
  readonly schema: unknown;
  readonly description?: string;
}

export interface ParameterSource {
  readonly document: JsonObject;
  readonly path: string;
  /** Of the path and of the operation; the operation's count where both name one. */
  readonly pathItem: JsonObject;
  readonly operation: JsonObject;
  readonly withheld: Withheld;
  readonly hasBody: boolean;
}

/** @throws SpecProblem for references that cannot be followed */
export function argumentsOf(source: ParameterSource): Argument[] {
  const declared = declaredParameters(source);
  const placeholders = new Set([...source.path.matchAll(/\{([^{}]*)\}/g)].map(([, name = '']) => name));
  const parameters = declared.filter((parameter) => parameter.in !== 'path' || placeholders.has(parameter.name));
  for (const name of placeholders) {
    const known = parameters.some((parameter) => parameter.in === 'path' && parameter.name === name);
    // A path without it cannot be called, however the description forgot about it.
    if (!known) parameters.push({ name, in: 'path', source: { schema: { type: 'string' } } });
  }
  const names = argumentNames(parameters, source.hasBody);
  return parameters.map((parameter, index) => toArgument(parameter, names[index] ?? parameter.name));
}

interface Declared {
  readonly name: string;
  readonly in: Location;
  readonly source: JsonObject;
}

function declaredParameters({ document, pathItem, operation, withheld }: ParameterSource): Declared[] {
  const declared = new Map<string, Declared>();
  for (const { parameters } of [pathItem, operation]) {
    for (const listed of Array.isArray(parameters) ? (parameters as readonly unknown[]) : []) {
      const source = followObject(document, listed);
      const { name, in: location } = source;
      if (typeof name !== 'string' || name === '' || !isLocation(location)) continue;
      if (withheld.has(location, name) || (location === 'header' && !HEADER_NAME.test(name))) continue;
      declared.set(`${location} ${name}`, { name, in: location, source });
    }
  }
  return [...declared.values()];
}

function isLocation(value: unknown): value is Location {
  return typeof value === 'string' && Object.hasOwn(STYLES, value);
}

/**
 * One name each, of characters that every model provider accepts. Where several parameters would have one name, each
 * says where it belongs: none of them has the plain name, so that it never means another than it did.
 */
function argumentNames(parameters: readonly Declared[], hasBody: boolean): string[] {
  const plain = parameters.map(({ name }) => name.replaceAll(/[^\w.-]/g, '_').slice(0, NAME_LENGTH));
  const taken = new Set(hasBody ? [BODY_ARGUMENT] : []);
  const isShared = (name: string): boolean => taken.has(name) || plain.filter((other) => other === name).length > 1;
  const shared = plain.map(isShared);
  for (const [index, name] of plain.entries()) if (shared[index] !== true) taken.add(name);
  return plain.map((name, index) => {
    if (shared[index] !== true) return name;
    const suffix = `_${parameters[index]?.in ?? ''}`;
    const base = name.slice(0, NAME_LENGTH - suffix.length - 3) + suffix;
    let free = base;
    for (let number = 2; taken.has(free); number++) free = `${base}_${number}`;
    taken.add(free);
    return free;
  });
}

function toArgument({ name, in: location, source }: Declared, argument: string): Argument {
  const { content, description } = source;
  const [mediaType, media] = Object.entries(isObject(content) ? content : {})[0] ?? [];
  const [usual, ...others] = STYLES[location];
  const style = others.find((other) => other === source['style']) ?? usual;
  const explode = typeof source['explode'] === 'boolean' ? source['explode'] : style === 'form';
  return {
    planned: {
      argument,
      name,
      in: location,
      style,
      explode: style === 'deepObject' || explode,
      ...((location === 'path' || source['required'] === true) && { required: true }),
      ...(mediaType !== undefined && isJson(mediaType) && { json: true }),
      ...(location === 'query' && source['allowReserved'] === true && { allowReserved: true }),
    },
    schema: mediaType === undefined ? source['schema'] : isObject(media) ? media['schema'] : undefined,
    ...(typeof description === 'string' && { description }),
  };
}

/** The parameter's own words win over those of a schema that many share. */
export function describedSchema(schema: Schema, description: string | undefined): Schema {
  if (description === undefined || description === '') return schema;
  return isObject(schema) ? { ...schema, description } : { description };
}
