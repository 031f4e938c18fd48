// Checks a single object with the schema and the words of a whole document, so that the file and the admin API agree.
import { err, ok, type Result } from '../lib/result.ts';
import { formatConfigPath, type ConfigPath, type ConfigProblem } from './check.ts';
import { gatewayDocument } from './document.ts';
import { objectsOf, rawGateway, type ConfigObject, type ObjectKind } from './objects.ts';
import { referenceProblems } from './references.ts';
import { schemaProblems } from './schema-problems.ts';
import { unenforcedSettings } from './unenforced.ts';

export interface CheckedObject {
  readonly object: ConfigObject;
  readonly warnings: readonly ConfigProblem[];
}

/** Fields and types only; `introducedProblems` looks at what the object refers to. */
export function parseObject(kind: ObjectKind, input: unknown): Result<CheckedObject, readonly ConfigProblem[]> {
  const raw = rawGateway([{ kind, document: input }]);
  const parsed = gatewayDocument.safeParse(raw);
  if (!parsed.success) return err(schemaProblems(parsed.error, raw).map(withinObject));
  const object = objectsOf(parsed.data).find((candidate) => candidate.kind === kind);
  if (object === undefined) throw new Error(`no ${kind} can be defined on its own`);
  return ok({ object, warnings: unenforcedSettings(parsed.data).map(withinObject) });
}

type Unchecked = readonly { readonly kind: string; readonly document: unknown }[];

/**
 * The problems that a change would bring. What was a problem before is not held against it.
 * @param find looks for problems of names that lead nowhere, when absent
 */
export function introducedProblems(before: Unchecked, after: Unchecked, find = referenceProblems): ConfigProblem[] {
  const known = new Set(problemsOf(before, find).map(identityOf));
  return problemsOf(after, find).filter((problem) => !known.has(identityOf(problem)));
}

/** Positions in a list change as objects come and go; names do not. */
function problemsOf(objects: Unchecked, find: typeof referenceProblems): ConfigProblem[] {
  const raw = rawGateway(objects);
  return find(raw).flatMap((problem) => [{ ...problem, path: named(problem.path, raw) }]);
}

function identityOf({ path, message }: ConfigProblem): string {
  return `${formatConfigPath(path)} ${message}`;
}

/** The path with the object's name in the place of its position. */
function named(path: ConfigPath, raw: unknown): ConfigPath {
  let value = raw;
  for (const [depth, step] of path.entries()) {
    value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[step] : undefined;
    if (typeof step !== 'number') continue;
    const fields = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
    const name = fields['key_name'] ?? fields['name'];
    return typeof name === 'string' ? [...path.slice(0, depth), name, ...path.slice(depth + 1)] : path;
  }
  return path;
}

/** Takes the list and the position off a path: the caller speaks of the one object. */
function withinObject(problem: ConfigProblem): ConfigProblem {
  const position = problem.path.findIndex((step) => typeof step === 'number');
  return { ...problem, path: problem.path.slice(position + 1) };
}
