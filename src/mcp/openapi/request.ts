// From the arguments of a call to its HTTP request. Pure.
import { nearest } from '../../lib/nearest.ts';
import { PRODUCT } from '../../lib/product.ts';
import { err, ok, type Result } from '../../lib/result.ts';
import { BODY_ARGUMENT, type OperationPlan, type PlannedParameter } from './plan.ts';
import { requestBody, type RequestBody } from './request-body.ts';
import { requestUrl } from './request-url.ts';
import { ArgumentProblem, cookiePair, headerValue } from './serialize.ts';

export interface ApiRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  readonly body?: RequestBody['body'];
}

/**
 * @param base where the API is
 * @returns as error what is wrong with the arguments, for the caller to read
 */
export function apiRequest(
  base: string,
  plan: OperationPlan,
  given: Readonly<Record<string, unknown>>,
): Result<ApiRequest, string> {
  try {
    refuseUnknown(plan, given);
    const values = valuesOf(plan, given);
    const headers = headersOf(plan, values);
    const url = requestUrl(base, plan, values);
    const body = plan.body === undefined ? undefined : bodyOf(plan.body, given);
    if (body !== undefined) headers.set('content-type', body.contentType);
    return ok({ url, method: plan.method, headers, ...(body !== undefined && { body: body.body }) });
  } catch (error) {
    if (error instanceof ArgumentProblem) return err(error.message);
    throw error;
  }
}

/** A misspelt argument would be left out of the request in silence. */
function refuseUnknown({ parameters, body }: OperationPlan, given: Readonly<Record<string, unknown>>): void {
  const known = [...parameters.map(({ argument }) => argument), ...(body === undefined ? [] : [BODY_ARGUMENT])];
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const meant = nearest(unknown, known);
  const hint = meant === undefined ? `known are: ${known.join(', ') || 'none'}` : `did you mean "${meant}"?`;
  throw new ArgumentProblem(`there is no argument "${unknown.slice(0, 100)}"; ${hint}`);
}

/** What is given; nothing and null are the same. */
function valuesOf(
  { parameters }: OperationPlan,
  given: Readonly<Record<string, unknown>>,
): Map<PlannedParameter, unknown> {
  const values = new Map<PlannedParameter, unknown>();
  const missing: string[] = [];
  for (const parameter of parameters) {
    const { argument } = parameter;
    const value = Object.hasOwn(given, argument) ? given[argument] : undefined;
    if (value !== undefined && value !== null) values.set(parameter, value);
    else if (parameter.required === true) missing.push(`"${argument}"`);
  }
  if (missing.length > 0) throw new ArgumentProblem(`${missing.join(', ')} must be given`);
  return values;
}

function headersOf({ parameters, accept }: OperationPlan, values: ReadonlyMap<PlannedParameter, unknown>): Headers {
  const headers = new Headers({ accept, 'user-agent': `${PRODUCT.name}/${PRODUCT.version}` });
  const given = parameters.filter((parameter) => values.has(parameter));
  for (const parameter of given) {
    if (parameter.in === 'header') headers.set(parameter.name, headerValue(parameter, values.get(parameter)));
  }
  const cookies = given
    .filter((parameter) => parameter.in === 'cookie')
    .map((parameter) => cookiePair(parameter, values.get(parameter)));
  if (cookies.length > 0) headers.set('cookie', cookies.join('; '));
  return headers;
}

function bodyOf(
  planned: NonNullable<OperationPlan['body']>,
  given: Readonly<Record<string, unknown>>,
): RequestBody | undefined {
  const value = Object.hasOwn(given, BODY_ARGUMENT) ? given[BODY_ARGUMENT] : undefined;
  if (value !== undefined) return requestBody(planned, value);
  if (planned.required) throw new ArgumentProblem(`"${BODY_ARGUMENT}" must be given`);
  return undefined;
}
