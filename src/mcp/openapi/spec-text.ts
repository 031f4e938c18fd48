// From the text of a description to data. Pure.
import { parse } from 'yaml';
import { isObject, type JsonObject } from '../../lib/json-value.ts';
import { err, ok, type Result } from '../../lib/result.ts';
import { SPEC_BYTES, YAML_ALIASES } from './limits.ts';

/**
 * JSON or YAML.
 * @returns as error what is wrong, as a predicate: "the description" + "is a web page". Nothing of the text is quoted
 */
export function parseSpecText(text: string): Result<JsonObject, string> {
  // A byte order mark is white space to `trim`.
  const trimmed = text.trim();
  if (trimmed === '') return err('is empty');
  if (new TextEncoder().encode(text).byteLength > SPEC_BYTES) return err(tooLarge);
  if (trimmed.startsWith('<')) return err('is a web page or XML instead of an OpenAPI document in JSON or YAML');
  const data = trimmed.startsWith('{') ? fromJson(trimmed) : fromYaml(trimmed);
  if (data === undefined) return err('is neither valid JSON nor valid YAML');
  if (!isObject(data)) return err('is not an OpenAPI document: it is no mapping');
  return ok(data);
}

export const tooLarge = `is larger than ${SPEC_BYTES / 1024 ** 2} MiB, the most allowed`;

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // YAML in flow style begins with a brace too.
    return fromYaml(text);
  }
}

function fromYaml(text: string): unknown {
  try {
    const data: unknown = parse(text, { maxAliasCount: YAML_ALIASES, merge: true, logLevel: 'error' });
    // What an alias stands for is shared, or contains itself; JSON is neither.
    return data === undefined ? undefined : (JSON.parse(JSON.stringify(data)) as unknown);
  } catch {
    return undefined;
  }
}
