// Keys and tokens that stand in documentation: harmless on this machine alone, an open door on a network.
import type { GatewayDocument } from '../../src/config/document.ts';

const EXAMPLES = new Set([
  'vk-cc-eng',
  'vk-cc-write',
  'vk-example',
  'vk-test-key',
  'test-admin-token',
  'sp-admin-example',
  'changeme',
  'change-me',
  'changeme123',
  'password',
  'secret',
  'password123',
  'your-virtual-key',
  'your-admin-token',
  '<your virtual key>',
]);

/** What of this must not be reachable from other machines, in words. */
export function exampleValues(document: GatewayDocument, adminToken: string | undefined): string[] {
  const keys = document.virtual_keys.flatMap(({ key_name: name, key }) =>
    isExample(key) ? [`the key of "${name}"`] : [],
  );
  return isExample(adminToken) ? ['the admin token', ...keys] : keys;
}

function isExample(value: string | undefined): boolean {
  return value !== undefined && EXAMPLES.has(value.toLowerCase());
}
