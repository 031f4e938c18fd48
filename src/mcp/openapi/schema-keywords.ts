// The keywords of JSON Schema 2020-12 that hold no schemas, and what each may be. A value of another kind is left out:
// a validator refuses a whole schema, and some clients a whole list of tools, because of one such value. Pure.

/** For whom a schema is: a caller who sends, or one who reads. */
export type Audience = 'request' | 'response';

const TYPES = new Set(['string', 'number', 'integer', 'boolean', 'object', 'array', 'null']);
const LONGEST_EXAMPLES = 500;

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string';
const isFlag: Check = (value) => typeof value === 'boolean';
const isNumber: Check = (value) => typeof value === 'number';
const isCount: Check = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
const isPositive: Check = (value) => typeof value === 'number' && value > 0;
const isNames: Check = (value) => Array.isArray(value) && value.every(isText) && new Set(value).size === value.length;
const isType: Check = (value) =>
  Array.isArray(value)
    ? value.length > 0 && isNames(value) && value.every((type) => TYPES.has(String(type)))
    : TYPES.has(String(value));

const CHECKS: Readonly<Record<string, Check>> = {
  type: isType,
  enum: (value) => Array.isArray(value) && value.length > 0,
  const: () => true,
  multipleOf: isPositive,
  maximum: isNumber,
  exclusiveMaximum: isNumber,
  minimum: isNumber,
  exclusiveMinimum: isNumber,
  maxLength: isCount,
  minLength: isCount,
  pattern: isPattern,
  maxItems: isCount,
  minItems: isCount,
  uniqueItems: isFlag,
  maxContains: isCount,
  minContains: isCount,
  maxProperties: isCount,
  minProperties: isCount,
  required: isNames,
  dependentRequired: (value) => typeof value === 'object' && value !== null && Object.values(value).every(isNames),
  title: isText,
  description: isText,
  default: () => true,
  examples: (value) => Array.isArray(value) && JSON.stringify(value).length <= LONGEST_EXAMPLES,
  deprecated: isFlag,
  readOnly: isFlag,
  writeOnly: isFlag,
  format: isText,
  contentEncoding: isText,
  contentMediaType: isText,
};

/** @returns the value where it may stand in a schema, else undefined */
export function keywordValue(keyword: string, value: unknown, audience: Audience): unknown {
  // What an API says is matched against no expression that the API's description brought along: some never end.
  if (keyword === 'pattern' && audience === 'response') return undefined;
  return Object.hasOwn(CHECKS, keyword) && CHECKS[keyword]?.(value) === true ? value : undefined;
}

/** Many descriptions are written for expressions of another language. */
function isPattern(value: unknown): boolean {
  if (typeof value !== 'string') return false;
  try {
    return new RegExp(value, 'u') instanceof RegExp;
  } catch {
    return false;
  }
}
