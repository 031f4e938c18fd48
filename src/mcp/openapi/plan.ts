// How a tool becomes an HTTP request: what of an operation is needed to call it. It travels with the tool's definition,
// so that a call needs neither the description nor whoever serves it.
import type { Tool } from '@modelcontextprotocol/client';
import { isObject } from '../../lib/json-value.ts';

/** OpenAPI 3.1 §4.8.12.2, those of a parameter's location. */
export type Style = 'simple' | 'label' | 'matrix' | 'form' | 'spaceDelimited' | 'pipeDelimited' | 'deepObject';
export type Location = 'path' | 'query' | 'header' | 'cookie';

export interface PlannedParameter {
  /** Under which the caller gives it. */
  readonly argument: string;
  /** Under which the API takes it. */
  readonly name: string;
  readonly in: Location;
  readonly style: Style;
  readonly explode: boolean;
  readonly required?: true;
  /** The value travels as JSON text. */
  readonly json?: true;
  /** In a query: what separates nothing there need not be encoded. */
  readonly allowReserved?: true;
}

export interface PlannedField {
  /** Given in base64. */
  readonly bytes?: true;
  readonly mediaType?: string;
  readonly style?: Style;
  readonly explode?: boolean;
}

export interface PlannedBody {
  readonly kind: 'json' | 'form' | 'multipart' | 'text' | 'bytes';
  readonly mediaType: string;
  readonly required: boolean;
  /** Of forms: the fields that are not plain text. */
  readonly fields?: Readonly<Record<string, PlannedField>>;
}

export interface OperationPlan {
  /** In capitals. */
  readonly method: string;
  /** With its placeholders: `/pets/{petId}`. */
  readonly path: string;
  /** Query parameters that the path itself brings. */
  readonly query?: string;
  /** Where the API is, when the configuration does not say so. */
  readonly base?: string;
  readonly accept: string;
  readonly parameters: readonly PlannedParameter[];
  readonly body?: PlannedBody;
  /** Names in the query that no argument may take: they are for credentials. */
  readonly withheld?: readonly string[];
}

/** The argument that holds the request's body. */
export const BODY_ARGUMENT = 'body';
const PLAN_META_KEY = 'sallyport/operation';

export function withPlan(tool: Tool, plan: OperationPlan): Tool {
  return { ...tool, _meta: { ...tool._meta, [PLAN_META_KEY]: plan } };
}

export function planOf(tool: Tool): OperationPlan | undefined {
  const plan = tool._meta?.[PLAN_META_KEY];
  // It was made here, and nobody else can write where it is kept.
  return isObject(plan) ? (plan as unknown as OperationPlan) : undefined;
}

/** The definition as clients may read it: where the API is, and how it is called, is not theirs to know. */
export function withoutPlan(tool: Tool): Tool {
  if (tool._meta?.[PLAN_META_KEY] === undefined) return tool;
  const { _meta: meta, ...definition } = tool;
  const { [PLAN_META_KEY]: _, ...rest } = meta ?? {};
  return Object.keys(rest).length === 0 ? (definition as Tool) : ({ ...definition, _meta: rest } as Tool);
}
