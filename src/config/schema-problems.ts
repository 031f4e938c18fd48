// Turns what the schema library reports into problems a person can act on.
import { z } from 'zod';
import { nearest } from '../lib/nearest.ts';
import type { ConfigPath, ConfigProblem } from './check.ts';
import { gatewayDocument, upstreamDocument } from './document.ts';

type Issue = z.core.$ZodIssue;

const TYPE_WORDS: Readonly<Record<string, string>> = {
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
};

/** @param input what was parsed; looked at for its shape only */
export function schemaProblems(error: z.ZodError, input: unknown): ConfigProblem[] {
  return error.issues.flatMap((issue) => issueProblems(issue, toConfigPath(issue.path), input));
}

function issueProblems(issue: Issue, path: ConfigPath, input: unknown): ConfigProblem[] {
  const value = valueAt(input, path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownField(path, key, input));
    case 'invalid_type':
      return [typeProblem(path, value, [issue.expected])];
    case 'invalid_value':
      return [choiceProblem(path, value, issue.values.map(String))];
    case 'invalid_union':
      return unionProblems(issue, path, input);
    case 'invalid_key':
    case 'invalid_element':
      return issue.issues.flatMap((inner) => issueProblems(inner, path, input));
    case 'too_small':
    case 'too_big':
      return [{ path, message: boundMessage(issue) }];
    case 'invalid_format':
      return [issue.format === 'datetime' ? dateProblem(path) : { path, message: issue.message }];
    case 'custom':
      return [customProblem(path, issue)];
    default:
      return [{ path, message: issue.message }];
  }
}

/** What the schema itself has checked may say what to do about it. */
function customProblem(path: ConfigPath, { message, params }: z.core.$ZodIssueCustom): ConfigProblem {
  const fix: unknown = params?.['fix'];
  return { path, message, ...(typeof fix === 'string' && { fix }) };
}

function typeProblem(path: ConfigPath, value: unknown, expected: readonly string[]): ConfigProblem {
  const wanted = [...new Set(expected.map((type) => TYPE_WORDS[type] ?? type))].join(' or ');
  if (value === undefined) return { path, message: `is required and must be ${wanted}` };
  if (value === null) return { path, message: 'has no value', fix: `give it ${wanted} or remove the line` };
  const problem = { path, message: `must be ${wanted}` };
  const scalar = typeof value === 'number' || typeof value === 'boolean' || value instanceof Date;
  if (scalar && expected.includes('string')) return { ...problem, fix: 'put quotes around the value' };
  if (expected.includes('array') && typeof value === 'string') return { ...problem, fix: 'write ["…", "…"]' };
  return problem;
}

function choiceProblem(path: ConfigPath, value: unknown, choices: readonly string[]): ConfigProblem {
  const message = `${value === undefined ? 'is required and ' : ''}must be one of ${choices.join(', ')}`;
  const meant = typeof value === 'string' ? nearest(value, choices) : undefined;
  return { path, message, ...(meant === undefined ? {} : { fix: `did you mean ${meant}?` }) };
}

function unionProblems(issue: z.core.$ZodIssueInvalidUnion, path: ConfigPath, input: unknown): ConfigProblem[] {
  if (issue.discriminator !== undefined) return serverTypeProblems(path, input);
  // What fails as a whole says what kind of value the alternative is; another fails within, and knows better why.
  const whole = issue.errors.map(([first]) =>
    first?.path.length === 0 && first.code === 'invalid_type' ? first : undefined,
  );
  const kinds = whole.flatMap((first) => (first === undefined ? [] : [first.expected]));
  if (kinds.length === whole.length) return [typeProblem(path, valueAt(input, path), kinds)];
  const meant = issue.errors[whole.indexOf(undefined)] ?? [];
  return meant.flatMap((inner) => issueProblems(inner, [...path, ...toConfigPath(inner.path)], input));
}

/** A server of unknown type: its other fields are checked as those of the type most likely meant. */
function serverTypeProblems(path: ConfigPath, input: unknown): ConfigProblem[] {
  const serverPath = path.slice(0, -1);
  const server = valueAt(input, serverPath);
  const typed = valueAt(server, ['type']);
  const types = ['stdio', 'http', 'sse', 'openapi'];
  const has = (field: string): boolean => valueAt(server, [field]) !== undefined;
  const guess = has('command') ? 'stdio' : has('spec') ? 'openapi' : 'http';
  const meant = (typeof typed === 'string' ? nearest(typed, types) : undefined) ?? guess;
  const problem = choiceProblem(path, typed, types);
  const rest = upstreamDocument.safeParse({ ...(typeof server === 'object' ? server : {}), type: meant });
  return [
    typed === undefined ? { ...problem, fix: `add type: ${guess}` } : problem,
    ...(rest.error?.issues ?? []).flatMap((issue) =>
      issueProblems(issue, [...serverPath, ...toConfigPath(issue.path)], input),
    ),
  ];
}

function boundMessage(issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig): string {
  const least = issue.code === 'too_small';
  const bound = String(least ? issue.minimum : issue.maximum);
  if (issue.origin === 'string') {
    if (least && bound === '1') return 'must not be empty';
    return `must have at ${least ? 'least' : 'most'} ${bound} characters`;
  }
  if (issue.origin === 'array')
    return least && bound === '1' ? 'must not be empty' : `must have at most ${bound} items`;
  if (issue.inclusive === false) return `must be ${least ? 'more' : 'less'} than ${bound}`;
  return `must be at ${least ? 'least' : 'most'} ${bound}`;
}

function dateProblem(path: ConfigPath): ConfigProblem {
  return { path, message: 'must be a date and time with a zone', fix: 'write it as 2027-01-01T00:00:00Z' };
}

function unknownField(path: ConfigPath, key: string, input: unknown): ConfigProblem {
  const known = fieldsAt(path, input);
  const meant = nearest(key, known);
  return {
    path: [...path, key],
    message: 'unknown field',
    fix: meant === undefined ? `known here: ${known.join(', ')}` : `did you mean ${meant}?`,
  };
}

/** The field names that the schema knows at a path. */
function fieldsAt(path: ConfigPath, input: unknown): readonly string[] {
  let schema: unknown = gatewayDocument;
  for (let depth = 0; ; depth++) {
    schema = concrete(schema, valueAt(input, path.slice(0, depth)));
    const step = path[depth];
    if (step === undefined) return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
    if (schema instanceof z.ZodArray) schema = schema.element;
    else if (schema instanceof z.ZodRecord) schema = schema.valueType;
    else if (schema instanceof z.ZodObject) schema = schema.shape[step];
    else return [];
  }
}

/** Takes off defaults and the like, and picks the alternative of a union that the value says it is. */
function concrete(wrapped: unknown, value: unknown): unknown {
  let schema = wrapped;
  while (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    schema = schema.unwrap();
  }
  if (schema instanceof z.ZodPipe) return concrete(schema.in, value);
  if (schema instanceof z.ZodUnion && !(schema instanceof z.ZodDiscriminatedUnion)) {
    const options = schema.options.map((option) => concrete(option, value));
    return options.find((option) => option instanceof (Array.isArray(value) ? z.ZodArray : z.ZodObject));
  }
  if (!(schema instanceof z.ZodDiscriminatedUnion)) return schema;
  const { discriminator } = schema.def;
  const said = valueAt(value, [discriminator]);
  const options = schema.options.filter((option) => option instanceof z.ZodObject);
  const fits = (option: z.ZodObject) =>
    z.object({ field: option.shape[discriminator] }).safeParse({ field: said }).success;
  return options.find(fits) ?? options.find((option) => 'url' in option.shape);
}

function valueAt(input: unknown, path: ConfigPath): unknown {
  let value: unknown = input;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}

function toConfigPath(path: readonly PropertyKey[]): ConfigPath {
  return path.map((step) => (typeof step === 'symbol' ? String(step) : step));
}
