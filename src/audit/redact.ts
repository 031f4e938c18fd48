// Takes secrets out of what a call carried, before it may be kept. Errs on the side of taking too much: what remains
// is for reading, not for replaying.

export const REDACTED = '[redacted]';
/** A longer string is cut before it is looked at, so that no pattern runs over megabytes. */
const MAX_STRING_LENGTH = 16_384;
const MAX_DEPTH = 64;

/** Words that make a name secret wherever they stand in it. */
const SECRET_WORDS = new Set([
  'password', 'passwd', 'passphrase', 'secret', 'secrets', 'credential', 'credentials',
  'authorization', 'cookie', 'apikey', 'apitoken', 'authtoken', 'accesstoken', 'bearer',
]); // prettier-ignore
/** Words that make it secret at its end only: `github_token` is one, `token_count` is not. */
const SECRET_ENDINGS = new Set(['token', 'pwd', 'pass', 'jwt', 'otp', 'pin', 'auth', 'signature']);
/** `api_key`, `privateKey`, `x-access-key`: a key with one of these before it. */
const KEY_KINDS = new Set([
  'api', 'access', 'private', 'secret', 'signing', 'encryption', 'master', 'client', 'ssh', 'auth', 'service', 'account',
]); // prettier-ignore

const CREDENTIAL_SHAPES: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|$)/g, REDACTED],
  // An authorization header, wherever it is quoted.
  [/\b(Bearer|Basic)\s+[A-Za-z0-9+/._~=-]{8,}/gi, `$1 ${REDACTED}`],
  // User name and password inside a URL; a token may stand as the name alone.
  [/\b([a-z][a-z0-9+.-]{1,20}:\/\/)[^\s/@]{1,512}@/gi, `$1${REDACTED}@`],
  // JSON Web Tokens.
  [/\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*/g, REDACTED],
  // Prefixes that make a key recognisable.
  [/\b(?:vk|sk|pk|rk)[-_](?:[a-z]{2,10}[-_]){0,3}[A-Za-z0-9_-]{16,}/g, REDACTED],
  [
    /\b(?:gh[pousr]_|github_pat_|glpat-|xox[abeoprs]-|xapp-|npm_|hf_|lin_api_|dop_v1_|shpat_|SG\.|ya29\.|pypi-)[A-Za-z0-9._-]{16,}/g,
    REDACTED,
  ],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g, REDACTED],
  [/\bAIza[A-Za-z0-9_-]{35}/g, REDACTED],
  // An assignment in a query string, a shell line or a configuration text.
  [
    /\b([A-Za-z0-9_.-]{0,40}(?:password|passwd|secret|token|api[_-]?key|access[_-]?key))(["']?\s{0,3}[=:]\s{0,3}["']?)[^\s"'&,;]{3,}/gi,
    `$1$2${REDACTED}`,
  ],
];

/** A copy in which the values of secret-looking names and credential-shaped pieces of strings are replaced. */
export function redact(value: unknown): unknown {
  return redactAt(value, 0);
}

function redactAt(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) return '[nested too deeply]';
  if (Array.isArray(value)) return value.map((item) => redactAt(item, depth + 1));
  const namedSecret = isNamedSecret(value);
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      isSecretName(name) || (namedSecret && name === 'value') ? hide(member) : redactAt(member, depth + 1),
    ]),
  );
}

/** Lists of headers and of environment variables spell a secret as `{name: "X-Api-Key", value: "…"}`. */
function isNamedSecret(value: object): boolean {
  const name = 'name' in value ? value.name : 'key' in value ? value.key : undefined;
  return typeof name === 'string' && isSecretName(name);
}

/** Whether there was a value at all may be seen, and yes or no gives nothing away. */
function hide(value: unknown): unknown {
  return value === null || typeof value === 'boolean' ? value : REDACTED;
}

function isSecretName(name: string): boolean {
  if (name.length > 200) return false;
  const words = name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');
  const last = words.at(-1) ?? '';
  if (words.some((word) => SECRET_WORDS.has(word)) || SECRET_ENDINGS.has(last)) return true;
  return last === 'key' && KEY_KINDS.has(words.at(-2) ?? '');
}

function redactText(text: string): string {
  let redacted = cut(text);
  for (const [shape, replacement] of CREDENTIAL_SHAPES) redacted = redacted.replaceAll(shape, replacement);
  return redacted;
}

/** Shortens at white space: half a credential would no longer look like one. */
function cut(text: string): string {
  if (text.length <= MAX_STRING_LENGTH) return text;
  const head = text.slice(0, MAX_STRING_LENGTH);
  const end = /\s\S*$/.exec(head)?.index ?? 0;
  return `${head.slice(0, end)}[… ${text.length - end} characters left out]`;
}
