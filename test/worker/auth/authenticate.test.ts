import { describe, expect, it } from 'vitest';
import { authenticate, type PresentedRequest } from '../../../src/auth/authenticate.ts';
import { settingsDocument } from '../../../src/config/document.ts';
import type { PolicySnapshot, VirtualKey } from '../../../src/policy/snapshot.ts';

const NOW = 1_800_000_000_000;
const hash = async (key: string): Promise<string> => `hash of ${key}`;

function virtualKey(keyName: string, more: Partial<VirtualKey> = {}): VirtualKey {
  return {
    principal: { kind: 'virtual_key', keyId: `vk_${keyName}`, keyName, payer: `key:vk_${keyName}` },
    disabled: false,
    mode: 'direct',
    tools: new Map(),
    resources: new Map(),
    prompts: new Map(),
    toolGroups: [],
    providers: new Map(),
    ...more,
  };
}

function snapshotOf(keys: Record<string, VirtualKey>): PolicySnapshot {
  return {
    revision: 1,
    virtualKeys: new Map(Object.entries(keys).map(([key, value]) => [`hash of ${key}`, value])),
    upstreams: new Map(),
    toolGroups: new Map(),
    providers: new Map(),
    settings: settingsDocument.parse({}),
  };
}

const snapshot = snapshotOf({
  'vk-one': virtualKey('one'),
  'plain-old-key': virtualKey('old'),
  'vk-off': virtualKey('off', { disabled: true }),
  'vk-late': virtualKey('late', { expiresAt: NOW }),
  'vk-soon': virtualKey('soon', { expiresAt: NOW + 1 }),
});

function requestWith(key: string): PresentedRequest {
  return { url: 'http://gateway/', headers: new Headers({ 'x-api-key': key }) };
}

async function outcomeOf(headers: Record<string, string>, query = ''): Promise<string> {
  const request = { url: `http://gateway/mcp${query}`, headers: new Headers(headers) };
  const outcome = await authenticate(request, snapshot, hash, NOW);
  return outcome.ok ? outcome.value.principal.keyName : outcome.error.reason;
}

describe('a key', () => {
  it.each<[string, Record<string, string>, string]>([
    ['as bearer', { authorization: 'Bearer vk-one' }, 'one'],
    ['as bearer in other case', { Authorization: 'bearer  vk-one ' }, 'one'],
    ['in x-api-key', { 'x-api-key': 'vk-one' }, 'one'],
    ['in api-key', { 'api-key': 'vk-one' }, 'one'],
    ['in x-goog-api-key', { 'x-goog-api-key': 'vk-one' }, 'one'],
    ['without our prefix', { 'x-api-key': 'plain-old-key' }, 'old'],
    ['twice the same', { authorization: 'Bearer vk-one', 'x-api-key': 'vk-one' }, 'one'],
    ['two different', { authorization: 'Bearer vk-one', 'x-api-key': 'plain-old-key' }, 'several_keys'],
    ['one good and one unknown', { 'api-key': 'sk-other', 'x-api-key': 'vk-one' }, 'several_keys'],
    ['missing', {}, 'missing_key'],
    ['empty', { authorization: 'Bearer ', 'x-api-key': '' }, 'missing_key'],
    ['in another scheme', { authorization: 'Basic dms6b25l' }, 'missing_key'],
    ['unknown', { authorization: 'Bearer vk-two' }, 'unknown_key'],
    ['with the prefix only', { authorization: 'Bearer vk-' }, 'unknown_key'],
    ['of the prototype', { authorization: 'Bearer constructor' }, 'unknown_key'],
    ['far too long', { authorization: `Bearer vk-${'x'.repeat(100_000)}` }, 'unknown_key'],
    ['disabled', { authorization: 'Bearer vk-off' }, 'key_disabled'],
    ['expired', { authorization: 'Bearer vk-late' }, 'key_expired'],
    ['in its last millisecond', { authorization: 'Bearer vk-soon' }, 'soon'],
  ])('%s', async (_case, headers, expected) => {
    expect(await outcomeOf(headers)).toBe(expected);
  });
});

describe('a key in the query', () => {
  const good = { authorization: 'Bearer vk-one' };
  it.each([
    ['?key=whatever', 'key_in_query'],
    ['?API_KEY=x', 'key_in_query'],
    ['?access_token=x', 'key_in_query'],
    ['?a=1&x-goog-api-key=x', 'key_in_query'],
    ['?q=vk-anything', 'key_in_query'],
    ['?q=vk%2Danything', 'key_in_query'],
    ['?q=plain-old-key', 'key_in_query'],
    ['?alt=sse&monkey=1', 'one'],
    ['?', 'one'],
  ])('%s', async (query, expected) => {
    expect(await outcomeOf(good, query)).toBe(expected);
  });

  it('is answered with what to do, without the key', async () => {
    const request = { url: 'http://gateway/v1/models?key=vk-one', headers: new Headers() };
    const outcome = await authenticate(request, snapshot, hash, NOW);
    expect(outcome).toMatchObject({ ok: false, error: { failure: { code: 'invalid_request' } } });
    expect(JSON.stringify(outcome)).toContain('Authorization');
    expect(JSON.stringify(outcome)).not.toContain('vk-one');
  });
});

it('names whose key was refused, where that is known', async () => {
  expect(await authenticate(requestWith('vk-late'), snapshot, hash, NOW)).toMatchObject({
    error: { virtualKey: { principal: { keyName: 'late' } } },
  });
  expect(await authenticate(requestWith('vk-nobody'), snapshot, hash, NOW)).not.toHaveProperty('error.virtualKey');
});

it('hashes a known key once per snapshot, and remembers nothing of unknown ones', async () => {
  let hashed = 0;
  const counting = async (key: string): Promise<string> => {
    hashed++;
    return hash(key);
  };
  const first = snapshotOf({ 'vk-one': virtualKey('one') });
  for (let call = 0; call < 3; call++) await authenticate(requestWith('vk-one'), first, counting, NOW);
  expect(hashed).toBe(1);
  for (let call = 0; call < 3; call++) await authenticate(requestWith('vk-not'), first, counting, NOW);
  expect(hashed).toBe(4);
  // Revoked in the next snapshot: what was remembered of the last one does not let it in.
  expect(await authenticate(requestWith('vk-one'), snapshotOf({}), counting, NOW)).toMatchObject({ ok: false });
});
