// Changes of the configuration, worked out on one state of it and not yet made. Pure.
import { err, ok, type Result } from '../lib/result.ts';
import { failure, type Failure, type FailureProblem } from '../policy/failure.ts';
import { formatConfigPath, type ConfigProblem } from './check.ts';
import type { GatewayDocument } from './document.ts';
import type { Keyring } from './keyring.ts';
import { restoreMasked } from './masking.ts';
import { introducedProblems, parseObject } from './object-check.ts';
import { objectKey, objectsOf, type ObjectKind } from './objects.ts';
import { planApply, sharedKeyOwners, type ConfigChange, type WantedObject } from './plan.ts';
import type { GeneratedKey } from './ports.ts';
import { payerProblems } from './references.ts';
import { openObject, type SealedObject } from './sealed-object.ts';
import type { Source } from './stored.ts';
import { wantObject, type Wanted } from './want.ts';

export interface Draft {
  readonly changes: readonly ConfigChange[];
  readonly source: Source;
  readonly writes: readonly WantedObject[];
  readonly removals: readonly SealedObject[];
  readonly generatedKeys: readonly GeneratedKey[];
  readonly warnings: readonly ConfigProblem[];
}

type Current = readonly SealedObject[];

/** The objects of source `file` become those of the document. */
export async function draftApply(
  keyring: Keyring,
  current: Current,
  document: GatewayDocument,
): Promise<Result<Draft, Failure>> {
  const kept = new Map(current.map((object) => [objectKey(object), object]));
  const wanted = await Promise.all(
    objectsOf(document).map((object) => wantObject(keyring, object, kept.get(objectKey(object))?.key, 'minted')),
  );
  const plan = planApply(current, wanted);
  const after = afterwards(current, plan.writes, plan.removals);
  const shared = sharedKeyFailure(after);
  if (shared !== undefined) return err(shared);
  const divided = introducedProblems(current, after, payerProblems);
  if (divided.length > 0) return err(dividedTeamFailure(divided));
  return ok({
    ...plan,
    source: 'file',
    generatedKeys: generatedKeysOf(wanted),
    // The document itself has been checked: what breaks now are references from objects of the admin API.
    warnings: [...plan.warnings, ...introducedProblems(current, after)],
  });
}

/** @param input the definition as it came; its name may be left out */
export async function draftPut(
  keyring: Keyring,
  current: Current,
  target: { readonly kind: ObjectKind; readonly name: string; readonly mustBeNew: boolean },
  input: Readonly<Record<string, unknown>>,
): Promise<Result<Draft, Failure>> {
  const { kind, name } = target;
  const present = findObject(current, kind, name);
  if (present !== undefined && target.mustBeNew)
    return err(failure('conflict', `${subject(kind, name)} exists already. PUT its own path to change it.`));
  if (present?.source === 'file') return err(ownedByFile(kind, name));

  const stored = present === undefined ? undefined : (await openObject(keyring, present)).document;
  const restored = await restoreMasked(kind, { [nameField(kind)]: name, ...input }, stored);
  if (restored.unknown.length > 0)
    return err(
      invalid(restored.unknown.map((path) => ({ path: [path], message: 'is masked', fix: 'send the secret' }))),
    );
  const checked = parseObject(kind, restored.document);
  if (!checked.ok) return err(invalid(checked.error));
  const { object, warnings } = checked.value;
  if (object.name !== name)
    return err(
      invalid([
        { path: [nameField(kind)], message: `must be "${name}", as in the path`, fix: 'a name cannot be changed' },
      ]),
    );

  const wanted = await wantObject(keyring, object, present?.key, 'any');
  const after = afterwards(current, [wanted], []);
  const shared = sharedKeyFailure(after);
  if (shared !== undefined) return err(shared);
  const broken = introducedProblems(current, after);
  if (broken.length > 0) return err(invalid(broken));
  const unchanged = present?.fingerprint === wanted.fingerprint;
  return ok({
    changes: unchanged ? [] : [{ kind, name, change: present === undefined ? 'created' : 'updated' }],
    source: 'api',
    writes: [wanted],
    removals: [],
    generatedKeys: generatedKeysOf([wanted]),
    warnings,
  });
}

export function draftRemoval(current: Current, kind: ObjectKind, name: string): Result<Draft, Failure> {
  const present = findObject(current, kind, name);
  if (present === undefined) return err(failure('not_found', `There is no ${words(kind)} named "${name}".`));
  if (present.source === 'file') return err(ownedByFile(kind, name));
  const broken = introducedProblems(
    current,
    current.filter((object) => object !== present),
  );
  if (broken.length > 0) {
    const problems = toFailureProblems(broken);
    return err(
      failure('conflict', `${subject(kind, name)} is in use. Remove the references to it first.`, { problems }),
    );
  }
  const changes = [{ kind, name, change: 'deleted' as const }];
  return ok({ changes, source: 'api', writes: [], removals: [present], generatedKeys: [], warnings: [] });
}

/** The failure that names every problem of a definition. */
export function invalid(problems: readonly ConfigProblem[]): Failure {
  const listed = toFailureProblems(problems);
  const text = listed.map(({ path, message, fix }) => `${path}: ${message}${fix === undefined ? '' : ` (${fix})`}`);
  return failure('invalid_request', text.join('; '), { problems: listed });
}

export function toFailureProblems(problems: readonly ConfigProblem[]): FailureProblem[] {
  return problems.flatMap((problem) => [{ ...problem, path: formatConfigPath(problem.path) }]);
}

function findObject(current: Current, kind: ObjectKind, name: string): SealedObject | undefined {
  return current.find((object) => object.kind === kind && object.name === name);
}

/** The objects as they would be, in no order; of secrets and ids it says nothing. */
function afterwards(
  current: Current,
  writes: readonly WantedObject[],
  removals: readonly { readonly kind: string; readonly name: string }[],
): Pick<SealedObject, 'kind' | 'name' | 'document' | 'key'>[] {
  const replaced = new Set([...writes.map(({ object }) => objectKey(object)), ...removals.map(objectKey)]);
  return [
    ...current.filter((object) => !replaced.has(objectKey(object))),
    ...writes.flatMap(({ object, key }) => [{ ...object, ...(key === undefined ? {} : { key }) }]),
  ];
}

function sharedKeyFailure(objects: readonly Pick<SealedObject, 'name' | 'key'>[]): Failure | undefined {
  const owners = sharedKeyOwners(objects);
  if (owners === undefined) return undefined;
  return failure(
    'conflict',
    `The virtual keys "${owners[0]}" and "${owners[1]}" have the same key. Give each its own.`,
  );
}

/** No warning is enough for it: limits would be passed. */
function dividedTeamFailure(problems: readonly ConfigProblem[]): Failure {
  const { message } = invalid(problems);
  return failure('conflict', `With keys of the admin API a team would have two customers: ${message}`, {
    problems: toFailureProblems(problems),
  });
}

function generatedKeysOf(wanted: readonly Wanted[]): GeneratedKey[] {
  return wanted.flatMap(({ object, generatedKey }) =>
    generatedKey === undefined ? [] : [{ keyName: object.name, key: generatedKey }],
  );
}

function ownedByFile(kind: ObjectKind, name: string): Failure {
  return failure('conflict', `${subject(kind, name)} is defined in the configuration file. Change it there.`);
}

function subject(kind: ObjectKind, name: string): string {
  return `The ${words(kind)} "${name}"`;
}

function words(kind: ObjectKind): string {
  return kind.replaceAll('_', ' ');
}

/** The field that holds an object's name. */
export function nameField(kind: ObjectKind): 'name' | 'key_name' {
  return kind === 'virtual_key' ? 'key_name' : 'name';
}
