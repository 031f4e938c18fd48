// The body of one call. Pure, but for the boundary that chance draws.
import { decodeBase64 } from '../../lib/base64url.ts';
import { isObject } from '../../lib/json-value.ts';
import type { PlannedBody, PlannedField } from './plan.ts';
import { ArgumentProblem, queryPairs, scalar } from './serialize.ts';

export interface RequestBody {
  readonly body: string | Uint8Array<ArrayBuffer> | Blob;
  readonly contentType: string;
}

/** @throws ArgumentProblem for a value that is not of the body's kind */
export function requestBody(planned: PlannedBody, value: unknown): RequestBody {
  const { kind, mediaType, fields = {} } = planned;
  switch (kind) {
    case 'json':
      return { body: JSON.stringify(value), contentType: mediaType };
    case 'text':
      return { body: scalar(value), contentType: mediaType };
    case 'bytes':
      return { body: bytesOf(value, 'body'), contentType: mediaType };
    case 'form':
      return { body: urlEncoded(membersOf(value), fields), contentType: mediaType };
    case 'multipart':
      return multipart(membersOf(value), fields);
  }
}

type Members = readonly (readonly [string, unknown])[];
type Fields = Readonly<Record<string, PlannedField>>;

function membersOf(value: unknown): Members {
  if (!isObject(value)) throw new ArgumentProblem('"body" must be an object: its members are the fields of the form');
  return Object.entries(value).filter(([, member]) => member !== null && member !== undefined);
}

/** OpenAPI 3.1 §4.8.15: lists are repeated, objects are JSON, unless the description says otherwise. */
function urlEncoded(members: Members, fields: Fields): string {
  return members
    .flatMap(([name, value]) => {
      const field = fieldOf(fields, name);
      const style = field.style ?? 'form';
      const explode = field.explode ?? style === 'form';
      const json = isObject(value) && field.style === undefined;
      return queryPairs({ name, style, explode, ...(json && { json: true }) }, value);
    })
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

/** RFC 7578. Not by `FormData`, which makes a file of every part that has a content type. */
function multipart(members: Members, fields: Fields): RequestBody {
  const boundary = `sallyport-${crypto.randomUUID()}`;
  const parts: (string | Uint8Array<ArrayBuffer>)[] = [];
  for (const [name, value] of members) {
    const items: readonly unknown[] = Array.isArray(value) ? value : [value];
    for (const item of items) parts.push(`--${boundary}\r\n`, ...part(name, item, fieldOf(fields, name)), '\r\n');
  }
  const body = new Blob([...parts, `--${boundary}--\r\n`]);
  return { body, contentType: `multipart/form-data; boundary=${boundary}` };
}

function part(name: string, value: unknown, { bytes, mediaType }: PlannedField): (string | Uint8Array<ArrayBuffer>)[] {
  const isFile = bytes === true;
  const usual = isFile ? 'application/octet-stream' : typeof value === 'object' ? 'application/json' : undefined;
  const type = mediaType ?? usual;
  return [
    `content-disposition: form-data; name="${quoted(name)}"`,
    isFile ? `; filename="${quoted(name)}"` : '',
    type === undefined ? '' : `\r\ncontent-type: ${type}`,
    '\r\n\r\n',
    isFile ? bytesOf(value, `body.${name}`) : scalar(value),
  ];
}

/** As browsers write it: nothing ends the quotes or the line. */
function quoted(name: string): string {
  return name.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function fieldOf(fields: Fields, name: string): PlannedField {
  return Object.hasOwn(fields, name) ? (fields[name] ?? {}) : {};
}

function bytesOf(value: unknown, where: string): Uint8Array<ArrayBuffer> {
  const bytes = typeof value === 'string' ? decodeBase64(value) : undefined;
  if (bytes === undefined) throw new ArgumentProblem(`"${where}" must be in base64`);
  return bytes;
}
