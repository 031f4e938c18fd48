// What the operator alone sets on a request: credentials, and the headers of HTTP itself. Pure.
import { isObject, type JsonObject } from '../../lib/json-value.ts';
import { SpecProblem, followObject } from './document.ts';
import type { Location } from './plan.ts';

/** Of one connection or one message, or of the gateway; `authorization` and the like by OpenAPI 3.1 §4.8.12.1. */
const HEADERS = new Set([
  'accept',
  'accept-encoding',
  'authorization',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'cookie',
  'expect',
  'forwarded',
  'host',
  'keep-alive',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'user-agent',
  'via',
]);

/** What the configuration of the server sets itself. */
export interface ConfiguredNames {
  readonly headers: readonly string[];
  readonly query: readonly string[];
}

export class Withheld {
  readonly #names = new Set<string>();
  readonly #noCookies: boolean;
  /** Names in the query. */
  readonly query: readonly string[];

  /** Those of the configuration, and those of the description's security schemes. */
  constructor(document: JsonObject, configured: ConfiguredNames) {
    for (const name of configured.headers) this.#names.add(keyOf('header', name));
    const query = new Set(configured.query);
    for (const scheme of securitySchemes(document)) {
      const { type, in: location, name } = scheme;
      if (type !== 'apiKey' || typeof name !== 'string') continue;
      if (location === 'query') query.add(name);
      if (location === 'header' || location === 'cookie') this.#names.add(keyOf(location, name));
    }
    for (const name of query) this.#names.add(keyOf('query', name));
    this.query = [...query].toSorted();
    // The configured header would take the place of all of them.
    this.#noCookies = configured.headers.some((name) => name.toLowerCase() === 'cookie');
  }

  has(location: Location, name: string): boolean {
    if (location === 'header' && HEADERS.has(name.toLowerCase())) return true;
    return (location === 'cookie' && this.#noCookies) || this.#names.has(keyOf(location, name));
  }
}

function keyOf(location: Location, name: string): string {
  return `${location} ${location === 'header' ? name.toLowerCase() : name}`;
}

function securitySchemes(document: JsonObject): JsonObject[] {
  const { components } = document;
  const schemes = isObject(components) ? components['securitySchemes'] : undefined;
  return Object.values(isObject(schemes) ? schemes : {}).map((scheme) => {
    try {
      return followObject(document, scheme);
    } catch (error) {
      if (error instanceof SpecProblem) return {};
      throw error;
    }
  });
}
