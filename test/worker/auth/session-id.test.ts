import { describe, expect, it } from 'vitest';
import { createSessionIds, newSessionNonce } from '../../../src/auth/session-id.ts';
import { openKeyring } from '../../../src/config/keyring.ts';

async function idsUnder(masterKey: string) {
  const keyring = await openKeyring(masterKey);
  if (!keyring.ok) throw new Error(keyring.error);
  return createSessionIds(async () => keyring.value.sessionIds);
}

const ids = await idsUnder(btoa('a'.repeat(32)));
const place = { slot: 7, nonce: newSessionNonce() };
const holder = { keyId: 'vk_1', endpoint: 'github' };
const id = await ids.seal(place, holder);

describe('the id of a session', () => {
  it('says where the session is, to its holder', async () => {
    expect(await ids.open(id, holder)).toEqual(place);
  });

  it('is visible ASCII and means itself in a URL', () => {
    expect(id).toMatch(/^[\x21-\x7e]+$/);
    expect(encodeURIComponent(id)).toBe(id);
  });

  it.each([
    ['of another key', { ...holder, keyId: 'vk_2' }],
    ['of another endpoint', { ...holder, endpoint: 'linear' }],
    ['of the endpoint of all', { keyId: 'vk_1' }],
  ])('is none %s', async (_what, other) => {
    expect(await ids.open(id, other)).toBeUndefined();
  });

  it('is none under another master key', async () => {
    expect(await (await idsUnder(btoa('b'.repeat(32)))).open(id, holder)).toBeUndefined();
  });

  it.each([
    ['another slot', id.replace(/^7/, '8')],
    ['a slot written otherwise', id.replace(/^7/, '07')],
    ['another nonce', id.replace(place.nonce, newSessionNonce())],
    ['no proof', id.replace(/\.[^.]*$/, '')],
    ['an empty proof', id.replace(/[^.]*$/, '')],
    ['a shorter proof', id.slice(0, -1)],
    ['more', `${id}.x`],
    ['a space', `${id} `],
    ['nothing', ''],
    ['a random id', crypto.randomUUID()],
  ])('is none with %s', async (_what, forged) => {
    expect(forged).not.toBe(id);
    expect(await ids.open(forged, holder)).toBeUndefined();
  });

  it('does not repeat', () => {
    expect(new Set(Array.from({ length: 1000 }, newSessionNonce)).size).toBe(1000);
  });
});
