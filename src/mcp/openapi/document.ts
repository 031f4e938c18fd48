// A description brought to the form of OpenAPI 3.1, and the references inside it. Pure.
import { upgradeFromTwoToThree } from '@scalar/openapi-upgrader/2.0-to-3.0';
import { upgradeFromThreeToThreeOne } from '@scalar/openapi-upgrader/3.0-to-3.1';
import { isObject, type JsonObject } from '../../lib/json-value.ts';
import { err, ok, type Result } from '../../lib/result.ts';

/** References that lead to references; a real description has one or two. */
const MOST_HOPS = 20;

/** Something of a description that cannot be served; the message is a predicate. */
export class SpecProblem extends Error {
  override readonly name = 'SpecProblem';
}

/** @param data is used up */
export function readDocument(data: JsonObject): Result<JsonObject, string> {
  const { swagger, openapi } = data;
  const named = String(swagger ?? openapi ?? '');
  // In YAML a version without quotes is a number.
  const version = /^[23]$/.test(named) ? `${named}.0` : named;
  if (version === '') return err('is not an OpenAPI document: it has neither "openapi" nor "swagger"');
  if (!/^(?:2\.0|3\.[012])\b/.test(version))
    return err('is of a version other than Swagger 2.0 and OpenAPI 3.0 to 3.2');
  const versioned = swagger === undefined ? { ...data, openapi: version } : { ...data, swagger: version };
  let document: unknown;
  try {
    document = upgradeFromThreeToThreeOne(upgradeFromTwoToThree(versioned));
  } catch {
    // The library takes a document to be what it says it is.
    return err('does not follow the OpenAPI specification so far that it could be read');
  }
  if (!isObject(document) || !isObject(document['paths'])) return err('describes no operations: it has no "paths"');
  return ok(document);
}

/**
 * What stands at the end of a reference, and all the way there.
 * @throws SpecProblem for what is not in this document: nothing is ever fetched because a description says so
 */
export function follow(document: JsonObject, value: unknown): unknown {
  let here = value;
  for (let hop = 0; isObject(here) && typeof here['$ref'] === 'string'; hop++) {
    if (hop === MOST_HOPS) throw new SpecProblem('has references that lead in a circle');
    here = resolvePointer(document, here['$ref']);
  }
  return here;
}

/** As `follow`; what is no object counts as an empty one. */
export function followObject(document: JsonObject, value: unknown): JsonObject {
  const found = follow(document, value);
  return isObject(found) ? found : {};
}

/** @param ref such as `#/components/schemas/Pet` */
export function resolvePointer(document: JsonObject, ref: string): unknown {
  if (!ref.startsWith('#')) {
    throw new SpecProblem(
      'has a reference to another file or address, and only those within the document are followed',
    );
  }
  if (!ref.startsWith('#/')) throw new SpecProblem('has a reference that names no place in the document');
  let here: unknown = document;
  for (const step of pointerSteps(ref)) {
    const inside = isObject(here) || Array.isArray(here);
    if (!inside || !Object.hasOwn(here as object, step)) throw new SpecProblem('has a reference that leads nowhere');
    here = (here as Record<string, unknown>)[step];
  }
  return here;
}

/** RFC 6901 §6: percent-encoded, then `~1` and `~0`. */
export function pointerSteps(ref: string): string[] {
  return ref
    .slice(2)
    .split('/')
    .map((step) => decoded(step).replaceAll('~1', '/').replaceAll('~0', '~'));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
