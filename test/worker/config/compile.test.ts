import { expect, it } from 'vitest';
import { compileSnapshot } from '../../../src/config/compile.ts';
import { snapshotOf } from './compiled.ts';

it('grants nothing to a key that is granted nothing', () => {
  const key = snapshotOf({ virtual_keys: [{ key_name: 'bare' }] }).virtualKeys.get('hash of bare');
  expect(key).toMatchObject({ disabled: false, mode: 'direct', toolGroups: [] });
  expect(key?.tools.size).toBe(0);
  expect(key?.providers.size).toBe(0);
  expect(key).not.toHaveProperty('expiresAt');
});

it('unites what a key and its tool groups allow', () => {
  const { virtualKeys, toolGroups } = snapshotOf({
    mcp: {
      tool_groups: [
        { name: 'read', tools: { github: ['get_*'], files: ['read'] } },
        { name: 'all', tools: { files: ['*'] } },
      ],
    },
    virtual_keys: [
      {
        key_name: 'k',
        mcp_clients: [{ name: 'github', allowed_tools: ['search'] }],
        tool_groups: ['read', 'all', 'gone'],
      },
    ],
  });
  const key = virtualKeys.get('hash of k');
  expect([...(key?.tools ?? [])]).toEqual([
    ['github', ['search', 'get_*']],
    ['files', ['*']],
  ]);
  expect(key?.toolGroups).toEqual(['read', 'all']);
  expect(toolGroups.get('read')?.tools.get('files')).toEqual(['read']);
});

it.each([
  ['all, where all tools are', { allowed_tools: ['*'] }, ['*'], ['*']],
  ['none, where some tools are', { allowed_tools: ['get_*'] }, [], []],
  ['what is said', { allowed_tools: ['*'], allowed_resources: ['x://*'], allowed_prompts: [] }, ['x://*'], []],
])('grants of resources and prompts %s', (_case, client, resources, prompts) => {
  const { virtualKeys } = snapshotOf({
    virtual_keys: [{ key_name: 'k', mcp_clients: [{ name: 's', ...client }] }],
  });
  const key = virtualKeys.get('hash of k');
  expect(key?.resources.get('s')).toEqual(resources);
  expect(key?.prompts.get('s')).toEqual(prompts);
});

it('grants of resources and prompts through a tool group likewise', () => {
  const { virtualKeys, toolGroups } = snapshotOf({
    mcp: {
      tool_groups: [
        { name: 'g', tools: { s: ['*'], t: ['a'] }, resources: { t: ['x://*'], u: ['y://*'] }, prompts: { s: ['p'] } },
      ],
    },
    virtual_keys: [{ key_name: 'k', tool_groups: ['g'] }],
  });
  const key = virtualKeys.get('hash of k');
  for (const granted of [key, toolGroups.get('g')]) {
    expect(Object.fromEntries(granted?.resources ?? [])).toEqual({ s: ['*'], t: ['x://*'], u: ['y://*'] });
    expect(Object.fromEntries(granted?.prompts ?? [])).toEqual({ s: ['p'], t: [], u: [] });
    expect(granted?.tools.get('u')).toEqual([]);
  }
});

it.each([
  ['its team’s customer', { team: 'eng' }, { team: 'eng', customer: 'acme', payer: 'customer:acme' }],
  ['its team, where that has no customer', { team: 'ops' }, { team: 'ops', payer: 'team:ops' }],
  ['its customer', { customer: 'acme' }, { customer: 'acme', payer: 'customer:acme' }],
  ['itself', {}, { payer: 'key:id_k' }],
])('lets a key be paid for by %s', (_case, owner, expected) => {
  const { virtualKeys } = snapshotOf({
    customers: [{ name: 'acme' }],
    teams: [{ name: 'eng', customer: 'acme' }, { name: 'ops' }],
    virtual_keys: [{ key_name: 'k', ...owner }],
  });
  const principal = { kind: 'virtual_key', keyId: 'id_k', keyName: 'k', ...expected };
  expect(virtualKeys.get('hash of k')?.principal).toEqual(principal);
});

it('knows servers by fingerprint, providers by type, and every setting', () => {
  const snapshot = snapshotOf({
    mcp: { servers: [{ name: 's', type: 'http', url: 'http://h/mcp', timeout: '3s' }] },
    providers: [{ name: 'openai' }, { name: 'local', type: 'openai', base_url: 'http://h/v1' }],
    limits: { request_bytes: '1MiB' },
    virtual_keys: [{ key_name: 'k', expires_at: '2027-01-01T00:00:00+01:00', disabled: true }],
  });
  expect(snapshot.revision).toBe(7);
  expect(snapshot.upstreams.get('s')).toMatchObject({ timeout: 3000, fingerprint: 'print of s' });
  expect([...snapshot.providers.values()].map(({ type }) => type)).toEqual(['openai', 'openai']);
  expect(snapshot.settings).toMatchObject({ limits: { request_bytes: 1024 ** 2 }, audit: { content: 'hash' } });
  expect(snapshot.virtualKeys.get('hash of k')).toMatchObject({
    disabled: true,
    expiresAt: Date.UTC(2026, 11, 31, 23),
  });
  expect(compileSnapshot(0, []).settings.limits.concurrent_requests).toBe(1000);
});
