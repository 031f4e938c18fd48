// Small descriptions for tests: one operation, or the parts of one, in OpenAPI 3.1.
import { readCatalog, type ApiCatalog, type ApiConfiguration } from '../../../../src/mcp/openapi/catalog.ts';
import { planOf, type OperationPlan } from '../../../../src/mcp/openapi/plan.ts';

export const API = 'https://api.example/v1';

export type Json = Readonly<Record<string, unknown>>;

/** @param paths as in a description; @param more beside them */
export function describe31(paths: Json, more: Json = {}): string {
  return JSON.stringify({ openapi: '3.1.0', info: { title: 'T', version: '1' }, paths, ...more });
}

export function read(text: string, configuration: Partial<ApiConfiguration> = {}): ReturnType<typeof readCatalog> {
  return readCatalog(text, { baseUrl: API, headers: [], maxTools: 100, ...configuration });
}

export function catalogOf(text: string, configuration: Partial<ApiConfiguration> = {}): ApiCatalog {
  const result = read(text, configuration);
  if (!result.ok) throw new Error(`the description ${result.error}`);
  return result.value;
}

export function problemOf(text: string, configuration: Partial<ApiConfiguration> = {}): string {
  const result = read(text, configuration);
  if (result.ok) throw new Error('the description was read');
  return result.error;
}

/** The one tool of a description with one operation. */
export function toolOf(
  operation: Json,
  more: Json = {},
  path = '/things',
  method = 'get',
): ApiCatalog['tools'][number] {
  const { tools, note } = catalogOf(describe31({ [path]: { [method]: operation } }, more));
  const [tool] = tools;
  if (tool === undefined) throw new Error(`no tool: ${note}`);
  return tool;
}

export function planFor(operation: Json, path = '/things', method = 'get', more: Json = {}): OperationPlan {
  const plan = planOf(toolOf(operation, more, path, method));
  if (plan === undefined) throw new Error('the tool has no plan');
  return plan;
}
