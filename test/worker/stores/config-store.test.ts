import { env } from 'cloudflare:workers';
import { array, assert, asyncProperty, constantFrom, option, record, uniqueArray, type Arbitrary } from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { gatewayDocument, type GatewayDocument } from '../../../src/config/document.ts';
import { openKeyring, type Keyring } from '../../../src/config/keyring.ts';
import type { Announce, ApplyReport, ConfigStore } from '../../../src/config/ports.ts';
import { openObject } from '../../../src/config/sealed-object.ts';
import { auditRetentionLimits } from '../../../src/stores/d1/audit-retention.ts';
import { createConfigStore } from '../../../src/stores/d1/config-store.ts';
import { readRevision, readState } from '../../../src/stores/d1/config-rows.ts';
import { MASTER_KEY, emptyConfiguration } from '../http/admin/admin-app.ts';
import { migrate } from '../../../src/stores/d1/migrate.ts';

async function keyringOf(masterKey: string): Promise<Keyring> {
  const opened = await openKeyring(masterKey);
  if (!opened.ok) throw new Error(opened.error);
  return opened.value;
}
const accept: Announce = async () => undefined;
const refuse: Announce = async () => ({ code: 'audit_unavailable', message: 'no' });
const keyring = await keyringOf(MASTER_KEY);
const store = storeUnder(keyring);

function storeUnder(keys: Keyring): ConfigStore {
  return createConfigStore({ db: env.DB, keyring: async () => keys, now: () => Date.now() });
}

async function apply(input: unknown, announce = accept, into = store): Promise<ApplyReport> {
  const report = await into.apply(gatewayDocument.parse(input), announce);
  if (!report.ok) throw new Error(report.error.message);
  return report.value;
}

/** What is kept, without what differs from run to run. */
async function keptObjects(): Promise<unknown[]> {
  const { objects } = await readState(env.DB, keyring);
  const opened = await Promise.all(objects.map((sealed) => openObject(keyring, sealed)));
  return opened
    .map(({ kind, name, source, document, fingerprint, key }) => ({ kind, name, source, document, fingerprint, key }))
    .toSorted((left, right) => (`${left.kind}/${left.name}` < `${right.kind}/${right.name}` ? -1 : 1));
}

beforeEach(async () => {
  await migrate(env.DB);
  await emptyConfiguration();
});

function named<T>(names: readonly string[], rest: (name: Arbitrary<string>) => Arbitrary<T & { name: string }>) {
  return uniqueArray(rest(constantFrom(...names)), { selector: ({ name }) => name, maxLength: names.length });
}
const secret = constantFrom('secret-one', 'secret-two');
const documents: Arbitrary<unknown> = record({
  servers: named(['a', 'b', 'c'], (name) =>
    record({
      name,
      type: constantFrom('http', 'sse'),
      url: constantFrom('http://h/one', 'http://h/two?k=1'),
      headers: option(record({ Authorization: secret }), { nil: undefined }),
    }),
  ),
  providers: named(['p', 'q'], (name) => record({ name, keys: array(record({ value: secret }), { maxLength: 2 }) })),
  customers: named(['acme', 'other'], (name) => record({ name })),
  keys: named(['k', 'l'], (name) => record({ name, disabled: constantFrom(true, false) })),
}).map(({ servers, providers, customers, keys }) => ({
  mcp: { servers },
  providers,
  customers,
  virtual_keys: keys.map(({ name, disabled }) => ({ key_name: name, key: `vk-key-of-${name}`, disabled })),
}));

describe('apply', () => {
  it('makes what is kept depend on the last document alone', async () => {
    await assert(
      asyncProperty(documents, documents, async (first, second) => {
        await emptyConfiguration();
        await store.put('customer', 'of-the-api', {}, { mustBeNew: true }, accept);
        await apply(second);
        const direct = await keptObjects();
        expect(direct).toContainEqual(expect.objectContaining({ name: 'of-the-api', source: 'api' }));
        const again = await apply(second);
        expect(again.changes).toEqual([]);

        await emptyConfiguration();
        await store.put('customer', 'of-the-api', {}, { mustBeNew: true }, accept);
        await apply(first);
        await apply(second);
        expect(await keptObjects()).toEqual(direct);
      }),
      { numRuns: 20 },
    );
  }, 60_000);

  it('lets both of two racing changes through, one after the other', async () => {
    const names = ['one', 'two', 'three'];
    const before = await readRevision(env.DB);
    await Promise.all(names.map((name) => store.put('customer', name, {}, { mustBeNew: true }, accept)));
    expect((await store.list('customer', { limit: 10 })).items.map(({ name }) => name)).toEqual(names.toSorted());
    expect(await readRevision(env.DB)).toBe(before + 3);
  });

  it('takes an announcement back when the change lost its race', async () => {
    const announced: string[] = [];
    let raced = false;
    const announce: Announce = async (changes, outcome) => {
      announced.push(`${outcome} ${changes.map(({ name, change }) => `${name} ${change}`).join()}`);
      if (raced) return undefined;
      raced = true;
      await apply({ customers: [{ name: 'acme' }] });
      return undefined;
    };
    await store.put('customer', 'other', {}, { mustBeNew: true }, announce);
    expect(announced).toEqual(['ok other created', 'failed other created', 'ok other created']);
  });

  it('changes nothing when the announcement is refused', async () => {
    const document: GatewayDocument = gatewayDocument.parse({ customers: [{ name: 'acme' }] });
    const before = await readRevision(env.DB);
    expect(await store.apply(document, refuse)).toMatchObject({ ok: false, error: { code: 'audit_unavailable' } });
    expect(await readRevision(env.DB)).toBe(before);
    expect(await keptObjects()).toEqual([]);
  });

  it('takes thousands of keys', async () => {
    const keys = Array.from({ length: 3000 }, (_, index) => ({
      key_name: `key-${index}`,
      key: `vk-number-${index}`,
      mcp_clients: [{ name: 'github', allowed_tools: ['*'] }],
    }));
    const document = { mcp: { servers: [{ name: 'github', type: 'http', url: 'http://h' }] }, virtual_keys: keys };
    expect((await apply(document)).changes).toHaveLength(3002);
    expect((await apply(document)).changes).toEqual([]);
    const { changes } = await apply({ ...document, virtual_keys: keys.slice(1) });
    expect(changes).toEqual([{ kind: 'virtual_key', name: 'key-0', change: 'deleted' }]);
  }, 30_000);
});

it('keeps the settings where retention finds them', async () => {
  await apply({ audit: { retention: { days: 7 } } });
  expect(await auditRetentionLimits(env.DB)).toEqual({ days: 7, rows: 10_000_000 });
});

describe('the master key', () => {
  it('of another configuration is refused before anything is read or written with it', async () => {
    await apply({ customers: [{ name: 'acme' }] });
    const foreign = storeUnder(await keyringOf(btoa('x'.repeat(32))));
    await expect(apply({}, accept, foreign)).rejects.toThrow('sealed with another SALLYPORT_MASTER_KEY');
    expect((await keptObjects()).length).toBe(2);
  });

  it('may change while nothing is kept', async () => {
    const report = await apply({}, accept, storeUnder(await keyringOf(btoa('y'.repeat(32)))));
    expect(report.changes).toEqual([{ kind: 'settings', name: 'settings', change: 'created' }]);
  });
});
