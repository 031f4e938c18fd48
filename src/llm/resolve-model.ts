// From the model a caller names to the provider that serves it. Pure; what nothing grants is denied, and a denial does
// not tell what is configured.
import { err, ok, type Result } from '../lib/result.ts';
import { failure, type Failure } from '../policy/failure.ts';
import { decideModel, providersInScope } from '../policy/model-scope.ts';
import { matchesAny } from '../policy/patterns.ts';
import type { PolicySnapshot, Provider, VirtualKey } from '../policy/snapshot.ts';
import { MAIN_PATH, type LlmDialect } from './operation.ts';
import { providerTypeOf, type ProviderType } from './provider-types.ts';

export interface ModelTarget {
  readonly provider: Provider;
  readonly type: ProviderType;
  /** As the provider knows it. */
  readonly model: string;
}

type Grants = Pick<VirtualKey, 'providers'>;

/**
 * `provider/model` names both. A bare model goes to the heaviest granted provider that speaks the dialect, the first of
 * equals; only grants count, never what a provider says it has.
 */
export function resolveModel(
  requested: string,
  dialect: LlmDialect,
  key: Grants,
  providers: PolicySnapshot['providers'],
): Result<ModelTarget, Failure> {
  const candidates = candidatesFor(requested, key, providers);
  const speaking = candidates.find(({ type }) => type.ok && type.value.dialects.includes(dialect));
  if (speaking?.type.ok === true)
    return ok({ provider: speaking.provider, type: speaking.type.value, model: speaking.model });
  const first = candidates[0];
  if (first === undefined) return err(notAllowed(requested));
  return err(first.type.ok ? wrongDialect(requested, first.type.value, dialect) : first.type.error);
}

interface Candidate {
  readonly provider: Provider;
  readonly type: Result<ProviderType, Failure>;
  readonly model: string;
}

function candidatesFor(requested: string, key: Grants, providers: PolicySnapshot['providers']): readonly Candidate[] {
  const slash = requested.indexOf('/');
  const prefix = requested.slice(0, Math.max(0, slash));
  const named = key.providers.has(prefix)
    ? [{ name: prefix, model: requested.slice(slash + 1) }]
    : bareNames(requested, slash !== -1, key);
  return named.flatMap(({ name, model }) => {
    const provider = providers.get(name);
    if (provider === undefined || model === '' || !decideModel(key, name, model).allow || !hasKeyFor(provider, model))
      return [];
    return [{ provider, type: providerTypeOf(provider), model }];
  });
}

/**
 * Some providers' own model names hold a slash (`meta-llama/llama-3.3-70b`). Such a name is taken for a bare one only
 * where a grant spells it out: under `*` an unknown provider's prefix would otherwise reach a provider it never meant.
 */
function bareNames(model: string, hasSlash: boolean, key: Grants): { name: string; model: string }[] {
  return providersInScope(key, model)
    .filter((name) => {
      const patterns = key.providers.get(name)?.models ?? [];
      return (
        !hasSlash ||
        matchesAny(
          patterns.filter((pattern) => pattern.includes('/')),
          model,
        )
      );
    })
    .map((name) => ({ name, model }));
}

/** A provider without keys is called without a credential. */
function hasKeyFor(provider: Provider, model: string): boolean {
  return provider.keys.length === 0 || provider.keys.some((key) => matchesAny(key.models, model));
}

function notAllowed(requested: string): Failure {
  return failure(
    'model_not_allowed',
    `The model "${shown(requested)}" is not available to this key; GET /v1/models lists what is.`,
    { param: 'model' },
  );
}

function wrongDialect(requested: string, type: ProviderType, dialect: LlmDialect): Failure {
  const spoken = type.dialects[0] ?? dialect;
  return failure(
    'invalid_request',
    `The model "${shown(requested)}" is not served in this dialect, and translation is not available yet; use ${MAIN_PATH[spoken]} for it.`,
    { param: 'model' },
  );
}

function shown(model: string): string {
  return model.length > 200 ? `${model.slice(0, 200)}…` : model;
}

/**
 * The provider key for one call, drawn by weight among those that serve the model; undefined where there is none.
 * @param random in [0, 1)
 */
export function pickProviderKey(provider: Provider, model: string, random: number): string | undefined {
  const usable = provider.keys.filter((key) => matchesAny(key.models, model));
  const total = usable.reduce((sum, { weight }) => sum + weight, 0);
  let left = random * total;
  for (const key of usable) {
    left -= key.weight;
    if (left < 0) return key.value;
  }
  return usable.at(-1)?.value;
}
