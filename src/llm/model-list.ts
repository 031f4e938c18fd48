// The models a virtual key may use. Names that grants spell out are listed as they stand; for patterns the provider is
// asked, and its answer kept for a minute.
import { deadlineSignal } from '../egress/fetch.ts';
import { readBody } from '../egress/response-limit.ts';
import { listAt, parseJson, textAt } from '../lib/json-value.ts';
import { describeFault, log } from '../lib/log.ts';
import { decideModel } from '../policy/model-scope.ts';
import { matchesAny } from '../policy/patterns.ts';
import type { PolicySnapshot, Provider, VirtualKey } from '../policy/snapshot.ts';
import { ownRequestHeaders } from './headers.ts';
import { MODEL_LIST_BYTES, MODEL_LIST_DEADLINE_MS, MODEL_LIST_LIFETIME_MS, MODEL_LIST_PAUSE_MS } from './limits.ts';
import type { LlmDialect } from './operation.ts';
import { providerTypeOf, providerUrl, type ProviderType } from './provider-types.ts';

export interface ListedModel {
  /** `provider/model`. */
  readonly id: string;
  readonly provider: string;
}

export interface ModelListPorts {
  readonly now: () => number;
  readonly fetch: typeof fetch;
}

interface CachedNames {
  readonly revision: number;
  /** Milliseconds since the epoch. */
  readonly until: number;
  readonly names: readonly string[];
}

// Plain data of the isolate, by provider; a changed configuration has another revision.
const cache = new Map<string, CachedNames>();

/** @param dialect leaves out the providers that do not speak it */
export async function listModels(
  ports: ModelListPorts,
  key: Pick<VirtualKey, 'providers'>,
  snapshot: Pick<PolicySnapshot, 'providers' | 'revision'>,
  dialect?: LlmDialect,
): Promise<readonly ListedModel[]> {
  const perProvider = await Promise.all(
    [...key.providers].map(async ([name, grant]) => {
      const provider = snapshot.providers.get(name);
      const type = provider === undefined ? undefined : providerTypeOf(provider);
      if (provider === undefined || type?.ok !== true) return [];
      if (dialect !== undefined && !type.value.dialects.includes(dialect)) return [];
      const exact = grant.models.filter((pattern) => !pattern.endsWith('*'));
      const isSpeltOut = exact.length === grant.models.length;
      const offered = isSpeltOut ? [] : await offeredModels(ports, provider, type.value, snapshot.revision);
      return [...new Set([...exact, ...offered])]
        .filter((model) => decideModel(key, name, model).allow && isServed(provider, model))
        .map((model) => ({ id: `${name}/${model}`, provider: name }));
    }),
  );
  return perProvider.flat();
}

function isServed(provider: Provider, model: string): boolean {
  return provider.keys.length === 0 || provider.keys.some((key) => matchesAny(key.models, model));
}

/** What a provider says it has; nothing where it does not say. One that fails does not spoil the list of the others. */
async function offeredModels(
  ports: ModelListPorts,
  provider: Provider,
  type: ProviderType,
  revision: number,
): Promise<readonly string[]> {
  const cached = cache.get(provider.name);
  const now = ports.now();
  if (cached?.revision === revision && now < cached.until) return cached.names;
  try {
    const names = await askForModels(ports, provider, type);
    cache.set(provider.name, { revision, until: now + MODEL_LIST_LIFETIME_MS, names });
    return names;
  } catch (fault) {
    log('warn', 'provider.models.failed', { provider: provider.name, fault: describeFault(fault) });
    const names = cached?.revision === revision ? cached.names : [];
    cache.set(provider.name, { revision, until: now + MODEL_LIST_PAUSE_MS, names });
    return names;
  }
}

async function askForModels(
  { fetch: send }: ModelListPorts,
  provider: Provider,
  type: ProviderType,
): Promise<readonly string[]> {
  const response = await (type.fetch ?? send)(providerUrl(provider, type, '/models', type.list?.search ?? ''), {
    headers: ownRequestHeaders(provider, type, provider.keys[0]?.value),
    signal: deadlineSignal(MODEL_LIST_DEADLINE_MS),
  });
  const body = parseJson(new TextDecoder().decode(await readBody(response, MODEL_LIST_BYTES)));
  if (!response.ok) throw new Error(`status ${response.status}`);
  // OpenAI and Anthropic answer `{data: [{id}]}`, Gemini `{models: [{name: "models/…"}]}`.
  return [
    ...listAt(body, 'data').flatMap((model) => textAt(model, 'id') ?? []),
    ...listAt(body, 'models').flatMap((model) => textAt(model, 'name')?.replace(/^models\//, '') ?? []),
  ];
}
