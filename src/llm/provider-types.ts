// What is known of each kind of provider. The rest of the gateway reads these properties and never a provider's name.
import type { ProviderTypeName } from '../config/provider-type-names.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { failure, type Failure } from '../policy/failure.ts';
import type { Provider } from '../policy/snapshot.ts';
import { echoFetch } from './echo/echo-fetch.ts';
import type { LlmDialect } from './operation.ts';

export interface ProviderType {
  readonly dialects: readonly LlmDialect[];
  /** As the vendor's documentation gives it to an SDK; absent where the operator has to name one. */
  readonly baseUrl?: string;
  /** What stands between the base URL and an operation's path, unless the base URL ends with it already. */
  readonly versionPath: '' | '/v1' | '/v1beta';
  readonly credentialHeader: 'authorization' | 'x-api-key' | 'x-goog-api-key';
  /** Whether a provider of this type without a key is a mistake. */
  readonly needsKey: boolean;
  /** The provider's name in the price list, `free` where every call is known to cost nothing, or neither. */
  readonly prices?: { readonly list: string } | 'free';
  /** Its streams tell their usage unasked, and to ask is an error or of no effect. */
  readonly tellsUsage?: true;
  /** What listing models needs beyond a plain GET. */
  readonly list?: { readonly headers: Readonly<Record<string, string>>; readonly search: string };
  /** Answers in place of the network. */
  readonly fetch?: typeof fetch;
}

function compatible(baseUrl: string | undefined, priceList?: string): ProviderType {
  return {
    dialects: ['openai'],
    ...(baseUrl !== undefined && { baseUrl }),
    versionPath: '',
    credentialHeader: 'authorization',
    needsKey: priceList !== undefined,
    ...(priceList !== undefined && { prices: { list: priceList } }),
  };
}

const TYPES = {
  openai: compatible('https://api.openai.com/v1', 'openai'),
  anthropic: {
    dialects: ['anthropic'],
    baseUrl: 'https://api.anthropic.com',
    // Its SDKs are given the host alone; people write both.
    versionPath: '/v1',
    credentialHeader: 'x-api-key',
    needsKey: true,
    prices: { list: 'anthropic' },
    list: { headers: { 'anthropic-version': '2023-06-01' }, search: '?limit=1000' },
  },
  gemini: {
    dialects: ['gemini'],
    baseUrl: 'https://generativelanguage.googleapis.com',
    versionPath: '/v1beta',
    credentialHeader: 'x-goog-api-key',
    needsKey: true,
    prices: { list: 'google' },
    list: { headers: {}, search: '?pageSize=1000' },
  },
  groq: compatible('https://api.groq.com/openai/v1', 'groq'),
  mistral: { ...compatible('https://api.mistral.ai/v1', 'mistral'), tellsUsage: true },
  deepseek: compatible('https://api.deepseek.com/v1', 'deepseek'),
  openrouter: compatible('https://openrouter.ai/api/v1', 'openrouter'),
  xai: compatible('https://api.x.ai/v1', 'x-ai'),
  together: compatible('https://api.together.xyz/v1', 'together'),
  fireworks: compatible('https://api.fireworks.ai/inference/v1', 'fireworks'),
  perplexity: { ...compatible('https://api.perplexity.ai', 'perplexity'), tellsUsage: true },
  cerebras: compatible('https://api.cerebras.ai/v1', 'cerebras'),
  ollama: compatible('http://127.0.0.1:11434/v1'),
  echo: {
    dialects: ['openai', 'anthropic', 'gemini'],
    baseUrl: 'https://echo.invalid/v1',
    versionPath: '/v1',
    credentialHeader: 'authorization',
    needsKey: false,
    prices: 'free',
    fetch: echoFetch,
  },
} satisfies Record<ProviderTypeName, ProviderType>;
const TYPE_BY_NAME: ReadonlyMap<string, ProviderType> = new Map<string, ProviderType>(Object.entries(TYPES));

/** Everything else that the operator gives a base URL: OpenAI's dialect is what such servers speak. */
const CUSTOM = compatible(undefined);

export function providerTypeOf(provider: Provider): Result<ProviderType, Failure> {
  const type = TYPE_BY_NAME.get(provider.type);
  if (type !== undefined) return ok(type);
  if (provider.base_url !== undefined) return ok(CUSTOM);
  return err(
    failure(
      'upstream_unavailable',
      `The provider "${provider.name}" cannot be called: its type "${provider.type}" is not one this gateway knows, and it has no base_url.`,
    ),
  );
}

/** The address of `path` (`/chat/completions`) at a provider. */
export function providerUrl(provider: Provider, type: ProviderType, path: string, search: string): string {
  const base = (provider.base_url ?? type.baseUrl ?? '').replace(/\/+$/, '');
  const version = base.endsWith(type.versionPath) ? '' : type.versionPath;
  return `${base}${version}${path}${search}`;
}
