// Values of arguments as parameters are written: OpenAPI 3.1 §4.8.12.2, after RFC 6570. Pure.
import { isObject } from '../../lib/json-value.ts';
import type { PlannedParameter, Style } from './plan.ts';

/** What a caller gave that cannot be sent; the message tells the caller. */
export class ArgumentProblem extends Error {
  override readonly name = 'ArgumentProblem';
}

type Encode = (text: string) => string;

/** How the members of a value are joined in a path: first sign, sign between members. */
const PATH_SIGNS: Readonly<Partial<Record<Style, { readonly before: string; readonly between: string }>>> = {
  simple: { before: '', between: ',' },
  label: { before: '.', between: '.' },
  matrix: { before: ';', between: ';' },
};

/** The value in the place of its placeholder, every reserved character in it encoded. */
export function pathValue(parameter: PlannedParameter, value: unknown): string {
  const { style, name, explode } = parameter;
  if (parameter.json === true) return encode(JSON.stringify(value));
  const { before, between } = PATH_SIGNS[style] ?? { before: '', between: ',' };
  const inner = explode ? between : ',';
  const key = encode(name);
  if (Array.isArray(value)) {
    const items = value.map((item) => encode(scalar(item)));
    if (style !== 'matrix') return before + items.join(inner);
    return explode ? items.map((item) => `;${key}=${item}`).join('') : `;${key}=${items.join(',')}`;
  }
  if (isObject(value)) {
    const members = pairs(value).map(([member, text]) => `${encode(member)}${explode ? '=' : ','}${encode(text)}`);
    return style === 'matrix' && !explode ? `;${key}=${members.join(',')}` : before + members.join(inner);
  }
  const text = encode(scalar(value));
  return style === 'matrix' ? `;${key}=${text}` : before + text;
}

/** Names and values as they stand in a query, encoded already. */
export function queryPairs(parameter: Omit<PlannedParameter, 'argument' | 'in'>, value: unknown): [string, string][] {
  const { style, explode } = parameter;
  const text: Encode = parameter.allowReserved === true ? encodeLess : encode;
  const name = encode(parameter.name);
  if (parameter.json === true) return [[name, text(JSON.stringify(value))]];
  if (Array.isArray(value)) {
    const items = value.map((item) => text(scalar(item)));
    if (items.length === 0) return [];
    return explode ? items.map((item) => [name, item]) : [[name, items.join(separatorOf(style))]];
  }
  if (!isObject(value)) return [[name, text(scalar(value))]];
  if (style === 'deepObject') return deepPairs(parameter.name, value, text);
  const members = pairs(value);
  if (members.length === 0) return [];
  if (explode) return members.map(([member, inner]) => [encode(member), text(inner)]);
  return [[name, members.flatMap(([member, inner]) => [encode(member), text(inner)]).join(separatorOf(style))]];
}

/** As it stands in a header. */
export function headerValue(parameter: PlannedParameter, value: unknown): string {
  const text = plain(parameter, value);
  if (!/^[\t\x20-\x7e]*$/.test(text)) {
    throw new ArgumentProblem(`"${parameter.argument}" may hold no line breaks and no characters other than ASCII`);
  }
  return text;
}

/** `name=value` as it stands in the `cookie` header, without what separates cookies. */
export function cookiePair(parameter: PlannedParameter, value: unknown): string {
  return `${encode(parameter.name)}=${encode(plain(parameter, value))}`;
}

/** What of a value is text by itself; what is not is written as JSON. */
export function scalar(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

function plain({ json, explode }: PlannedParameter, value: unknown): string {
  if (json === true) return JSON.stringify(value);
  if (Array.isArray(value)) return value.map(scalar).join(',');
  if (!isObject(value)) return scalar(value);
  return pairs(value)
    .map(([member, text]) => `${member}${explode ? '=' : ','}${text}`)
    .join(',');
}

function pairs(value: Readonly<Record<string, unknown>>): [string, string][] {
  return Object.entries(value)
    .filter(([, inner]) => inner !== null && inner !== undefined)
    .map(([member, inner]) => [member, scalar(inner)]);
}

/** Written so by everyone, though the specification stops after the first level. */
function deepPairs(name: string, value: unknown, text: Encode): [string, string][] {
  if (Array.isArray(value)) return value.flatMap((item) => deepPairs(name, item, text));
  if (isObject(value)) {
    return Object.entries(value).flatMap(([member, inner]) => deepPairs(`${name}[${member}]`, inner, text));
  }
  return value === null || value === undefined ? [] : [[encode(name), text(scalar(value))]];
}

function separatorOf(style: Style): string {
  if (style === 'spaceDelimited') return '%20';
  return style === 'pipeDelimited' ? '%7C' : ',';
}

/** RFC 3986 §2.3: everything but unreserved characters. */
function encode(text: string): string {
  try {
    return encodeURIComponent(text).replaceAll(
      /[!'()*]/g,
      (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
    );
  } catch {
    throw new ArgumentProblem('a text holds half a character (a lone surrogate)');
  }
}

/** What means something in a query, or ends it, is encoded all the same. */
function encodeLess(text: string): string {
  return encode(text).replaceAll(/%(?:3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)/g, decodeURIComponent);
}
