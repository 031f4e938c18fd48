// Which models of which providers a virtual key may use.
import { ALLOW, deny, type Decision } from './decision.ts';
import { matchesAny } from './patterns.ts';
import type { VirtualKey } from './snapshot.ts';

/** @param model as the provider knows it, without the `provider/` prefix */
export function decideModel(key: Pick<VirtualKey, 'providers'>, provider: string, model: string): Decision {
  const grant = key.providers.get(provider);
  if (grant === undefined) return deny('provider_not_granted');
  return matchesAny(grant.models, model) ? ALLOW : deny('model_not_granted');
}

/** The providers from which a key may use a model, heaviest first, in the order of its grants among equals. */
export function providersInScope(key: Pick<VirtualKey, 'providers'>, model: string): string[] {
  return [...key.providers]
    .filter(([, grant]) => matchesAny(grant.models, model))
    .toSorted(([, left], [, right]) => right.weight - left.weight)
    .map(([provider]) => provider);
}
