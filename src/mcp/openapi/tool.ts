// One operation as a tool. Pure.
import type { Tool, ToolAnnotations } from '@modelcontextprotocol/client';
import { isObject, type JsonObject } from '../../lib/json-value.ts';
import { bodyOf } from './body-plan.ts';
import { followObject, SpecProblem } from './document.ts';
import { DESCRIPTION_LENGTH, TITLE_LENGTH } from './limits.ts';
import { argumentsOf, describedSchema } from './parameters.ts';
import { BODY_ARGUMENT, withPlan, type OperationPlan } from './plan.ts';
import { acceptOf, outputSchemaOf } from './response-plan.ts';
import type { SchemaConverter } from './schema.ts';
import type { Withheld } from './withheld.ts';

export interface Operation {
  /** In capitals. */
  readonly method: string;
  readonly path: string;
  readonly pathItem: JsonObject;
  readonly operation: JsonObject;
}

export interface ToolContext {
  readonly document: JsonObject;
  readonly withheld: Withheld;
  readonly requests: SchemaConverter;
  readonly responses: SchemaConverter;
  /** Where the API is, when the configuration does not say so. */
  readonly base?: string;
  /** The address of the whole API, by the description's own words. */
  readonly server: string | undefined;
}

/** @throws SpecProblem for an operation that cannot be offered */
export function toolOf(name: string, { method, path, pathItem, operation }: Operation, context: ToolContext): Tool {
  const { document, withheld, base } = context;
  refuseOtherServers(pathItem, operation, context.server);
  const [route = '', query] = splitAt(path, '?');
  refuseStrayPath(route);
  const body = method === 'GET' || method === 'HEAD' ? undefined : bodyOf(document, operation);
  const args = argumentsOf({ document, path: route, pathItem, operation, withheld, hasBody: body !== undefined });
  const required = args.filter(({ planned }) => planned.required === true).map(({ planned }) => planned.argument);
  const inputSchema = context.requests.standalone((convert) => ({
    type: 'object',
    properties: Object.fromEntries([
      ...args.map(({ planned, schema, description }) => [
        planned.argument,
        describedSchema(convert(schema), description),
      ]),
      ...(body === undefined ? [] : [[BODY_ARGUMENT, describedSchema(body.schema(convert), body.description)]]),
    ]),
    required: body?.planned.required === true ? [...required, BODY_ARGUMENT] : required,
    additionalProperties: false,
  }));
  const outputSchema = method === 'HEAD' ? undefined : outputSchemaOf(document, operation, context.responses);
  const plan: OperationPlan = {
    method,
    path: route,
    ...(query !== undefined && { query }),
    ...(base !== undefined && { base }),
    accept: acceptOf(document, operation),
    parameters: args.map(({ planned }) => planned),
    ...(body !== undefined && { body: body.planned }),
    ...(withheld.query.length > 0 && { withheld: withheld.query }),
  };
  const title = titleOf(operation);
  const tool: Tool = {
    name,
    ...(title !== undefined && { title }),
    description: describe({ method, path, pathItem, operation }),
    inputSchema: { ...inputSchema, type: 'object' },
    ...(outputSchema !== undefined && { outputSchema: { ...outputSchema, type: 'object' } }),
    annotations: annotationsOf(method),
  };
  return withPlan(tool, plan);
}

/** Where the API is by the description: of several addresses the first, its variables filled with their defaults. */
export function serverOf(owner: JsonObject): string | undefined {
  const { servers } = owner;
  const server: unknown = Array.isArray(servers) ? servers[0] : undefined;
  if (!isObject(server) || typeof server['url'] !== 'string') return undefined;
  const variables = isObject(server['variables']) ? server['variables'] : {};
  return server['url'].replaceAll(/\{([^{}]*)\}/g, (whole, name: string) => {
    const variable = Object.hasOwn(variables, name) ? variables[name] : undefined;
    return isObject(variable) && typeof variable['default'] === 'string' ? variable['default'] : whole;
  });
}

/** Credentials go to one place only. */
function refuseOtherServers(pathItem: JsonObject, operation: JsonObject, server: string | undefined): void {
  const own = serverOf(operation) ?? serverOf(pathItem);
  if (own !== undefined && own !== server) throw new SpecProblem('is served at another address than the rest');
}

/** What would leave the API's own path, or end it, were it put behind its address. */
function refuseStrayPath(path: string): void {
  const stray = path
    .slice(1)
    .split(/[/\\]/)
    .some((segment) => /^(?:\.|%2e){1,2}$/i.test(segment));
  if (!path.startsWith('/') || path.startsWith('//') || stray || !/^[^\p{Cc}#\\]*$/u.test(path)) {
    throw new SpecProblem('has a path that leads out of the API');
  }
  if (/\{[^{}]*\/[^{}]*\}/.test(path)) throw new SpecProblem('has a placeholder that spans several steps of its path');
}

function describe({ method, path, operation }: Operation): string {
  const { summary, description, deprecated } = operation;
  const words = [summary, description].filter((text): text is string => typeof text === 'string' && text.trim() !== '');
  // Many descriptions repeat the one in the other.
  const [first = `${method} ${path}`, second] = words.map((text) => text.trim());
  const text = second === undefined || second.startsWith(first) ? (second ?? first) : `${first}\n\n${second}`;
  return cut(deprecated === true ? `Deprecated. ${text}` : text, DESCRIPTION_LENGTH);
}

function titleOf({ summary }: JsonObject): string | undefined {
  if (typeof summary !== 'string') return undefined;
  const title = summary.trim();
  return title === '' || title.length > TITLE_LENGTH || title.includes('\n') ? undefined : title;
}

/** RFC 9110 §9.2: what a method promises. Of POST and PATCH nothing is known. */
function annotationsOf(method: string): ToolAnnotations {
  switch (method) {
    case 'GET':
    case 'HEAD':
    case 'OPTIONS':
      return { readOnlyHint: true, openWorldHint: true };
    case 'PUT':
      return { readOnlyHint: false, idempotentHint: true, openWorldHint: true };
    case 'DELETE':
      return { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: true };
    default:
      return { readOnlyHint: false, openWorldHint: true };
  }
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

function splitAt(text: string, mark: string): [string, string | undefined] {
  const at = text.indexOf(mark);
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + mark.length)];
}

/** What is said to be followed there, in a path item that is itself a reference. */
export function pathItemOf(document: JsonObject, value: unknown): JsonObject {
  const own = isObject(value) ? value : {};
  return typeof own['$ref'] === 'string' ? { ...followObject(document, own), ...own } : own;
}
