// What an operation answers: which content to ask for, and the schema of a structured result. Pure.
import { isObject, type JsonObject } from '../../lib/json-value.ts';
import { followObject, SpecProblem } from './document.ts';
import { isJson } from './media-type.ts';
import type { Schema, SchemaConverter } from './schema.ts';

const MOST_MEDIA_TYPES = 4;
const ANY = '*/*;q=0.1';
/** `allOf` inside of `allOf`. */
const MOST_LAYERS = 8;

/** The `accept` header: what the API says it answers with, JSON first, and anything rather than nothing. */
export function acceptOf(document: JsonObject, operation: JsonObject): string {
  const mediaTypes = new Set(
    successes(document, operation)
      .flatMap(({ content }) => Object.keys(isObject(content) ? content : {}))
      .filter((mediaType) => /^[\w.!#$&^+-]+\/[\w.!#$&^+-]+$/.test(mediaType)),
  );
  const ordered = [...mediaTypes].toSorted((one, other) => Number(isJson(other)) - Number(isJson(one)));
  return ordered.length === 0 ? '*/*' : [...ordered.slice(0, MOST_MEDIA_TYPES), ANY].join(', ');
}

/**
 * The schema of `structuredContent`, where every success is one and the same JSON object: a client that reads a schema
 * refuses a result without what it promises.
 * @returns undefined also where the schema refers to what is outside of the document, or is too large
 */
export function outputSchemaOf(
  document: JsonObject,
  operation: JsonObject,
  converter: SchemaConverter,
): JsonObject | undefined {
  try {
    const [success, ...others] = successes(document, operation);
    const content = success?.['content'];
    if (others.length > 0 || !isObject(content)) return undefined;
    const medias = Object.entries(content);
    if (medias.length === 0 || !medias.every(([mediaType]) => isJson(mediaType))) return undefined;
    const media = medias[0]?.[1];
    const schema = isObject(media) ? media['schema'] : undefined;
    if (!isObjectSchema(document, schema, MOST_LAYERS)) return undefined;
    return converter.standalone((convert) => ({
      ...asObject(convert(followObject(document, schema))),
      // Clients of the legacy era refuse a list in which a schema does not say so itself.
      type: 'object',
    }));
  } catch (error) {
    if (error instanceof SpecProblem) return undefined;
    throw error;
  }
}

/** The responses for statuses 200 to 299. */
function successes(document: JsonObject, operation: JsonObject): JsonObject[] {
  const { responses } = operation;
  return Object.entries(isObject(responses) ? responses : {})
    .filter(([status]) => /^2(?:\d\d|XX)$/i.test(status))
    .map(([, response]) => followObject(document, response));
}

function isObjectSchema(document: JsonObject, schema: unknown, layers: number): boolean {
  if (layers === 0) return false;
  const { type, properties, allOf } = followObject(document, schema);
  if (type !== undefined) return type === 'object';
  if (isObject(properties)) return true;
  return Array.isArray(allOf) && allOf.some((member) => isObjectSchema(document, member, layers - 1));
}

function asObject(schema: Schema): JsonObject {
  return isObject(schema) ? schema : {};
}
