// The body of an operation's request as an argument of a tool. Pure.
import { isObject, type JsonObject } from '../../lib/json-value.ts';
import { follow, followObject } from './document.ts';
import { essenceOf, isJson, isText } from './media-type.ts';
import type { PlannedBody, PlannedField, Style } from './plan.ts';
import type { Schema } from './schema.ts';

export interface BodyArgument {
  readonly planned: PlannedBody;
  readonly schema: (convert: (schema: unknown) => Schema) => Schema;
  readonly description?: string;
}

/** @returns undefined where the operation takes no body. @throws SpecProblem for references that cannot be followed */
export function bodyOf(document: JsonObject, operation: JsonObject): BodyArgument | undefined {
  const body = followObject(document, operation['requestBody']);
  const content = body['content'];
  const chosen = isObject(content) ? choose(content) : undefined;
  if (chosen === undefined) return undefined;
  const { mediaType, kind, media } = chosen;
  const fields = kind === 'form' || kind === 'multipart' ? fieldsOf(document, media) : undefined;
  return {
    planned: {
      kind,
      mediaType,
      required: body['required'] === true,
      ...(fields !== undefined && Object.keys(fields).length > 0 && { fields }),
    },
    schema: (convert) => bodySchema(document, chosen, fields, convert),
    ...(typeof body['description'] === 'string' && { description: body['description'] }),
  };
}

interface Chosen {
  readonly kind: PlannedBody['kind'];
  /** As it is sent. */
  readonly mediaType: string;
  readonly media: JsonObject;
}

/** The kinds of content a model writes best come first. */
const PREFERENCE: readonly PlannedBody['kind'][] = ['json', 'form', 'multipart', 'text', 'bytes'];

function choose(content: JsonObject): Chosen | undefined {
  const offered = Object.entries(content).map(([mediaType, media]) => kindOf(mediaType, isObject(media) ? media : {}));
  return offered.toSorted((one, other) => PREFERENCE.indexOf(one.kind) - PREFERENCE.indexOf(other.kind))[0];
}

function kindOf(mediaType: string, media: JsonObject): Chosen {
  const essence = essenceOf(mediaType);
  if (isJson(essence)) return { kind: 'json', mediaType, media };
  if (essence === 'application/x-www-form-urlencoded') return { kind: 'form', mediaType: essence, media };
  if (essence === 'multipart/form-data') return { kind: 'multipart', mediaType: essence, media };
  if (!essence.includes('*')) return { kind: isText(essence) ? 'text' : 'bytes', mediaType, media };
  if (essence === 'text/*') return { kind: 'text', mediaType: 'text/plain', media };
  const { schema } = media;
  const structured = isObject(schema) && !isBinary(schema) && schema['type'] !== 'string';
  return structured
    ? { kind: 'json', mediaType: 'application/json', media }
    : { kind: 'bytes', mediaType: 'application/octet-stream', media };
}

/** As 3.1 writes what was `format: binary` or `type: file`, and what 3.0 leaves as it was. */
function isBinary(schema: JsonObject): boolean {
  if (schema['format'] === 'binary' || schema['contentEncoding'] === 'base64') return true;
  const { contentMediaType, type } = schema;
  return type === undefined && typeof contentMediaType === 'string' && !isText(contentMediaType);
}

function propertiesOf(document: JsonObject, media: JsonObject): JsonObject {
  const { properties } = followObject(document, media['schema']);
  return isObject(properties) ? properties : {};
}

/** The fields of a form that are more than text. */
function fieldsOf(document: JsonObject, media: JsonObject): Record<string, PlannedField> {
  const encodings = isObject(media['encoding']) ? media['encoding'] : {};
  const fields: [string, PlannedField][] = [];
  for (const [name, property] of Object.entries(propertiesOf(document, media))) {
    const encoding = isObject(encodings[name]) ? encodings[name] : {};
    const { contentType, style, explode } = encoding;
    const field: PlannedField = {
      ...(bytesIn(document, property) && { bytes: true }),
      ...(typeof contentType === 'string' && isSingle(contentType) && { mediaType: contentType.trim() }),
      ...(isFormStyle(style) && { style }),
      ...(typeof explode === 'boolean' && { explode }),
    };
    if (Object.keys(field).length > 0) fields.push([name, field]);
  }
  return Object.fromEntries(fields);
}

/** Not a list, nor a range, of which one would have to be chosen. */
function isSingle(mediaType: string): boolean {
  return /^[\w.!#$&^+-]+\/[\w.!#$&^+-]+(?:\s*;[\t\x20-\x7e]*)?$/.test(mediaType.trim());
}

function isFormStyle(style: unknown): style is Style {
  return style === 'form' || style === 'spaceDelimited' || style === 'pipeDelimited' || style === 'deepObject';
}

/** Whether the field, or each entry of it, is a file. */
function bytesIn(document: JsonObject, property: unknown): boolean {
  const schema = followObject(document, property);
  if (schema['type'] === 'array') return isBinary(followObject(document, schema['items']));
  return isBinary(schema);
}

function bodySchema(
  document: JsonObject,
  { kind, mediaType, media }: Chosen,
  fields: Readonly<Record<string, PlannedField>> | undefined,
  convert: (schema: unknown) => Schema,
): Schema {
  if (kind === 'bytes') return { type: 'string', contentEncoding: 'base64', contentMediaType: essenceOf(mediaType) };
  if (kind === 'text') return { type: 'string' };
  if (kind === 'json') return convert(media['schema'] ?? {});
  const files = Object.entries(fields ?? {}).filter(([, { bytes }]) => bytes === true);
  const converted = convert(files.length === 0 ? (media['schema'] ?? {}) : follow(document, media['schema']));
  const form: JsonObject = isObject(converted) ? converted : {};
  if (files.length === 0) return '$ref' in form ? form : { type: 'object', ...form };
  const declared = propertiesOf(document, media);
  const properties = files.map(([name]) => [name, fileSchema(document, declared[name])]);
  const others = isObject(form['properties']) ? form['properties'] : {};
  return { type: 'object', ...form, properties: { ...others, ...Object.fromEntries(properties) } };
}

function fileSchema(document: JsonObject, property: unknown): JsonObject {
  const schema = followObject(document, property);
  const file = { type: 'string', contentEncoding: 'base64' };
  const { description } = schema;
  return {
    ...(schema['type'] === 'array' ? { type: 'array', items: file } : file),
    ...(typeof description === 'string' && { description }),
  };
}
