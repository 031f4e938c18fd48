// Which headers pass between caller and provider. Both ways everything passes but what is listed here: providers add
// headers of meaning (betas, rate limits) faster than a list of the good ones could follow.
import type { Provider } from '../policy/snapshot.ts';
import type { ProviderType } from './provider-types.ts';

/** RFC 9110 §7.6.1: of one connection, not of the message. */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'content-length',
];

const NOT_SENT_ON = new Set([
  ...HOP_BY_HOP,
  'host',
  'expect',
  // Not asked for: what the meter reads must not be compressed.
  'accept-encoding',
  'content-encoding',
  // The caller's browser and whatever stands in front of this gateway are none of the provider's business.
  'origin',
  'referer',
  'forwarded',
  'via',
  'cdn-loop',
  'true-client-ip',
  'traceparent',
  'tracestate',
  'baggage',
  // They name the caller's own account at the provider; the call is made on the operator's.
  'openai-organization',
  'openai-project',
]);
const NOT_SENT_ON_PREFIXES = [
  'x-sallyport-',
  'x-forwarded-',
  'x-real-',
  'x-original-',
  'x-envoy-',
  'x-amzn-',
  'cf-',
  'proxy-',
  'sec-',
  'mcp-',
];
/** In a header's name: whatever it is, it opens a door somewhere. */
const CREDENTIAL_WORDS = /auth|cookie|api-?key|token|secret|password|credential|assertion|jwt|session-key|signature/;

const MAX_REMEMBERED_NAMES = 500;

const NOT_SENT_BACK = new Set([
  ...HOP_BY_HOP,
  // The runtime has undone it.
  'content-encoding',
  'set-cookie',
  'set-cookie2',
  'www-authenticate',
  'proxy-authenticate',
  'alt-svc',
  'strict-transport-security',
  'server-timing',
  'nel',
  'report-to',
  'reporting-endpoints',
  'public-key-pins',
  'clear-site-data',
]);
const NOT_SENT_BACK_PREFIXES = ['x-sallyport-', 'access-control-', 'content-security-policy'];

/** Remembers its verdicts: the same few names come with every request. */
class HeaderRule {
  readonly #verdicts = new Map<string, boolean>();
  readonly #decide: (name: string) => boolean;

  constructor(decide: (name: string) => boolean) {
    this.#decide = decide;
  }

  allows(name: string): boolean {
    const known = this.#verdicts.get(name);
    if (known !== undefined) return known;
    const verdict = this.#decide(name);
    // Names come from outside, so there may be any number of them.
    if (this.#verdicts.size < MAX_REMEMBERED_NAMES) this.#verdicts.set(name, verdict);
    return verdict;
  }
}

const sentOn = new HeaderRule(
  (name) => !NOT_SENT_ON.has(name) && !hasPrefix(name, NOT_SENT_ON_PREFIXES) && !CREDENTIAL_WORDS.test(name),
);
const sentBack = new HeaderRule((name) => !NOT_SENT_BACK.has(name) && !hasPrefix(name, NOT_SENT_BACK_PREFIXES));

function hasPrefix(name: string, prefixes: readonly string[]): boolean {
  return prefixes.some((prefix) => name.startsWith(prefix));
}

/** What the provider is sent: the caller's headers, then the operator's for this provider, then the provider key. */
export function requestHeaders(
  from: Headers,
  provider: Provider,
  type: ProviderType,
  providerKey: string | undefined,
): Headers {
  const headers = new Headers();
  const named = from.get('connection');
  const perConnection = named === null ? '' : `,${named.toLowerCase().replaceAll(' ', '')},`;
  for (const [name, value] of from) {
    if (sentOn.allows(name) && !perConnection.includes(`,${name},`)) headers.set(name, value);
  }
  setOperatorHeaders(headers, provider, type, providerKey);
  return headers;
}

/** What a request of the gateway's own is sent with. */
export function ownRequestHeaders(provider: Provider, type: ProviderType, providerKey: string | undefined): Headers {
  const headers = new Headers({ accept: 'application/json', ...type.list?.headers });
  setOperatorHeaders(headers, provider, type, providerKey);
  return headers;
}

/** By name, in lower case. Not as `Headers`: a response would copy them. */
export function responseHeaders(from: Headers): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (const [name, value] of from) {
    if (sentBack.allows(name)) headers.set(name, value);
  }
  return headers;
}

function setOperatorHeaders(
  headers: Headers,
  provider: Provider,
  type: ProviderType,
  providerKey: string | undefined,
): void {
  for (const [name, value] of Object.entries(provider.headers ?? {})) headers.set(name, value);
  if (providerKey === undefined) return;
  headers.set(type.credentialHeader, type.credentialHeader === 'authorization' ? `Bearer ${providerKey}` : providerKey);
}
