// The address of one call. Whatever the arguments are, it stays on the API's origin and under its path, each argument
// within the segment or the query parameter it was given for. Pure.
import { isObject } from '../../lib/json-value.ts';
import type { OperationPlan, PlannedParameter } from './plan.ts';
import { ArgumentProblem, pathValue, queryPairs } from './serialize.ts';

type Values = ReadonlyMap<PlannedParameter, unknown>;

/**
 * @param base where the API is; parameters in its query go with every call and give way to none
 * @throws ArgumentProblem for arguments that cannot be written into an address without changing what it means
 */
export function requestUrl(base: string, plan: OperationPlan, values: Values): URL {
  const root = new URL(base);
  const prefix = root.pathname.replace(/\/+$/, '');
  const path = prefix + fillPath(plan, values);
  const query = [plan.query, writeQuery(plan, values), root.search.slice(1)].filter(
    (part) => part !== undefined && part !== '',
  );
  const url = new URL(`${root.origin}${path}${query.length === 0 ? '' : `?${query.join('&')}`}`);
  // The path was made of encoded parts: if reading it moved anything, it is not the address that was meant.
  if (url.origin !== root.origin || !url.pathname.startsWith(`${prefix}/`) || depth(url.pathname) !== depth(path)) {
    throw new ArgumentProblem('the arguments do not make an address of this API');
  }
  return url;
}

function depth(path: string): number {
  return path.split('/').length;
}

function fillPath({ path, parameters }: OperationPlan, values: Values): string {
  const byName = new Map(
    parameters.flatMap((parameter) => (parameter.in === 'path' ? [[parameter.name, parameter]] : [])),
  );
  const filled = path.split('/').map((segment) => {
    const whole = segment.replaceAll(/\{([^{}]*)\}/g, (_, name: string) => {
      const parameter = byName.get(name);
      if (parameter === undefined) return '';
      const value = values.get(parameter);
      refuseSteps(parameter, value);
      return pathValue(parameter, value);
    });
    // Nothing in the place of an item's name names the whole collection; dots alone name a folder above.
    if (segment !== '' && (whole === '' || /^\.{1,2}$/.test(whole))) {
      throw new ArgumentProblem(`the path parameters of ${segment} must not be empty, "." or ".."`);
    }
    return whole;
  });
  return filled.join('/');
}

/** Encoded slashes stay within their segment, but some servers decode them before they look at the path. */
function refuseSteps(parameter: PlannedParameter, value: unknown): void {
  const texts = isObject(value) ? Object.entries(value).flat() : Array.isArray(value) ? (value as unknown[]) : [value];
  if (texts.some((text) => typeof text === 'string' && hasSteps(text))) {
    throw new ArgumentProblem(`"${parameter.argument}" must not hold "." or ".." as a step of a path`);
  }
}

function hasSteps(text: string): boolean {
  const decoded = text.replaceAll(/%(2e|2f|5c)/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
  return decoded.split(/[/\\]/).some((step) => step === '.' || step === '..');
}

function writeQuery({ parameters, withheld = [] }: OperationPlan, values: Values): string {
  const pairs = parameters
    .filter((parameter) => parameter.in === 'query' && values.has(parameter))
    .flatMap((parameter) => queryPairs(parameter, values.get(parameter)));
  const taken = pairs.map(([name]) => decodeURIComponent(name)).find((name) => withheld.includes(name));
  if (taken !== undefined) throw new ArgumentProblem(`"${taken}" is set by the gateway`);
  return pairs.map(([name, value]) => `${name}=${value}`).join('&');
}
