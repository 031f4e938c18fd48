import { assert, property, string } from 'fast-check';
import { expect, it } from 'vitest';
import { displayPrefix, hashVirtualKey, mintVirtualKey } from '../../../src/auth/virtual-key.ts';
import { openKeyring } from '../../../src/config/keyring.ts';

async function hashUnder(masterKey: string, key: string): Promise<string> {
  const keyring = await openKeyring(masterKey);
  if (!keyring.ok) throw new Error(keyring.error);
  return hashVirtualKey(keyring.value.virtualKeys, key);
}
const MASTER_KEY = btoa('a'.repeat(32));

it('mints keys of 32 characters, each likely', () => {
  const keys = Array.from({ length: 300 }, mintVirtualKey);
  for (const key of keys) expect(key).toMatch(/^vk-[0-9A-Za-z]{32}$/);
  expect(new Set(keys).size).toBe(keys.length);
  // Of 9600 draws every one of 62 characters is drawn, but for one in 10^65.
  expect(new Set(keys.map((key) => key.slice(3)).join('')).size).toBe(62);
});

it('hashes under the master key', async () => {
  const hash = await hashUnder(MASTER_KEY, 'vk-cc-eng');
  expect(hash).toMatch(/^[0-9a-f]{64}$/);
  expect(await hashUnder(MASTER_KEY, 'vk-cc-eng')).toBe(hash);
  expect(await hashUnder(MASTER_KEY, 'vk-cc-enG')).not.toBe(hash);
  expect(await hashUnder(btoa('b'.repeat(32)), 'vk-cc-eng')).not.toBe(hash);
});

it('shows six characters at most, and never more than a third', () => {
  expect(displayPrefix('vk-0123456789abcdef')).toBe('vk-012');
  expect(displayPrefix('vk-cc-eng')).toBe('vk-');
  assert(
    property(string(), (key) => {
      const shown = displayPrefix(key);
      expect(key.startsWith(shown)).toBe(true);
      expect(shown.length * 3).toBeLessThanOrEqual(key.length);
    }),
  );
});
