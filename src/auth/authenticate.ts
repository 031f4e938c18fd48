// From a request's credential to the virtual key it stands for.
import { failure, type Failure } from '../policy/failure.ts';
import type { PolicySnapshot, VirtualKey } from '../policy/snapshot.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { decideStanding } from '../policy/authorize.ts';
import { CREDENTIAL_HEADERS, isCredentialParameter, presentedKey } from './credential.ts';
import { VIRTUAL_KEY_PREFIX } from './virtual-key.ts';

type AuthDenialReason =
  | 'missing_key'
  | 'several_keys'
  | 'key_in_query'
  | 'unknown_key'
  | 'key_disabled'
  | 'key_expired';

export interface AuthDenial {
  readonly reason: AuthDenialReason;
  readonly failure: Failure;
  /** Whose key it was, where that is known. */
  readonly virtualKey?: VirtualKey;
}

export interface PresentedRequest {
  readonly url: string;
  readonly headers: Headers;
}

/** Longer ones cannot be ours, and are not worth hashing. */
const MAX_KEY_CHARACTERS = 200;
const MAX_QUERY_VALUES = 50;

// Spares the hash for a key seen before. It holds none but valid keys and goes with its snapshot.
const recognised = new WeakMap<PolicySnapshot, Map<string, VirtualKey>>();

/**
 * @param hash the keyed hash of a virtual key (`hashVirtualKey`)
 * @param now milliseconds since the epoch
 */
export async function authenticate(
  request: PresentedRequest,
  snapshot: PolicySnapshot,
  hash: (key: string) => Promise<string>,
  now: number,
): Promise<Result<VirtualKey, AuthDenial>> {
  if (request.url.includes('?') && (await hasKeyInQuery(request.url, snapshot, hash)))
    return err(denial('key_in_query'));
  const presented = presentedKey(request.headers);
  if (!presented.ok) return err(denial(presented.error));
  const virtualKey = await lookUp(presented.value, snapshot, hash);
  if (virtualKey === undefined) return err(denial('unknown_key'));
  const standing = decideStanding(virtualKey, now);
  if (standing.allow) return ok(virtualKey);
  return err({ ...denial(standing.reason === 'key_expired' ? 'key_expired' : 'key_disabled'), virtualKey });
}

async function lookUp(
  key: string,
  snapshot: PolicySnapshot,
  hash: (key: string) => Promise<string>,
): Promise<VirtualKey | undefined> {
  if (key.length > MAX_KEY_CHARACTERS) return undefined;
  const memo = recognised.get(snapshot);
  const seen = memo?.get(key);
  if (seen !== undefined) return seen;
  const virtualKey = snapshot.virtualKeys.get(await hash(key));
  if (virtualKey === undefined) return undefined;
  if (memo === undefined) recognised.set(snapshot, new Map([[key, virtualKey]]));
  else memo.set(key, virtualKey);
  return virtualKey;
}

async function hasKeyInQuery(
  url: string,
  snapshot: PolicySnapshot,
  hash: (key: string) => Promise<string>,
): Promise<boolean> {
  const parameters = [...new URL(url).searchParams];
  if (parameters.some(([name, value]) => isCredentialParameter(name) || value.startsWith(VIRTUAL_KEY_PREFIX)))
    return true;
  for (const [, value] of parameters.slice(0, MAX_QUERY_VALUES))
    if (value !== '' && (await lookUp(value, snapshot, hash)) !== undefined) return true;
  return false;
}

function denial(reason: AuthDenialReason): AuthDenial {
  switch (reason) {
    case 'missing_key':
      return invalid(reason, 'No key was sent. Send your virtual key as `Authorization: Bearer <key>`.');
    case 'several_keys':
      return invalid(reason, `Several different keys were sent (${CREDENTIAL_HEADERS.join(', ')}). Send one only.`);
    case 'key_in_query':
      return {
        reason,
        failure: failure(
          'invalid_request',
          'A key was sent in the URL, where logs keep it. Send it as `Authorization: Bearer <key>`, and replace this one.',
        ),
      };
    case 'unknown_key':
      return invalid(
        reason,
        'This key is not known here, or was revoked. Ask whoever runs this gateway for a new one.',
      );
    case 'key_disabled':
      return invalid(reason, 'This key is disabled. Ask whoever runs this gateway to enable it.');
    case 'key_expired':
      return invalid(reason, 'This key has expired. Ask whoever runs this gateway for a new one.');
  }
}

function invalid(reason: AuthDenialReason, message: string): AuthDenial {
  return { reason, failure: failure('invalid_key', message) };
}
