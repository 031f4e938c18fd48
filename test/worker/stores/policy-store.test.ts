import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { gatewayDocument } from '../../../src/config/document.ts';
import { openKeyring, type Keyring } from '../../../src/config/keyring.ts';
import { createConfigStore } from '../../../src/stores/d1/config-store.ts';
import { migrate } from '../../../src/stores/d1/migrate.ts';
import { createPolicyStore, expireSnapshot } from '../../../src/stores/d1/policy-store.ts';
import { MASTER_KEY, emptyConfiguration, testGateway } from '../http/admin/admin-app.ts';

const opened = await openKeyring(MASTER_KEY);
const keyring = async (): Promise<Keyring> => {
  if (!opened.ok) throw new Error(opened.error);
  return opened.value;
};

let time = 1_800_000_000_000;
let queries: string[] = [];
/** The whole configuration is read in a batch. */
let loads = 0;
/** What was read is not handed over before this. */
let gate: Promise<void> | undefined;
let reachable = true;
let behind: Promise<unknown>[] = [];

/** D1 with its queries written down, and a plug to pull. */
const watched = new Proxy(env.DB, {
  get(target, member: keyof D1Database) {
    if (!reachable) throw new Error('D1 is out of reach');
    if (member === 'batch')
      return async (statements: D1PreparedStatement[]) => {
        loads++;
        const results = await target.batch(statements);
        await gate;
        return results;
      };
    if (member !== 'prepare') return target[member].bind(target);
    return (query: string) => {
      queries.push(query);
      return target.prepare(query);
    };
  },
});
const snapshot = createPolicyStore({
  db: watched,
  keyring,
  now: () => time,
  waitUntil: (promise) => behind.push(promise),
});
const store = createConfigStore({ db: env.DB, keyring, now: () => time });

/** As another isolate or a person with SQL would: this isolate is told nothing. */
async function changeElsewhere(sql: string): Promise<void> {
  await env.DB.batch([env.DB.prepare(sql), env.DB.prepare('UPDATE config_revision SET revision = revision + 1')]);
}
async function keyNames(): Promise<string[]> {
  return [...(await snapshot()).virtualKeys.values()].map(({ principal }) => principal.keyName).toSorted();
}
async function settle(): Promise<void> {
  await Promise.all(behind.splice(0));
}

beforeEach(async () => {
  await migrate(env.DB);
  await emptyConfiguration();
  reachable = true;
  const keys = ['a', 'b'].map((name) => ({ key_name: name, key: `vk-key-of-${name}` }));
  await store.apply(gatewayDocument.parse({ virtual_keys: keys }), async () => undefined);
  time += 10_000;
  expect(await keyNames()).toEqual(['a', 'b']);
  queries = [];
  loads = 0;
  behind = [];
});

describe('the policy snapshot', () => {
  it('asks nothing while it is fresh', async () => {
    time += 499;
    await snapshot();
    await settle();
    expect(queries).toEqual([]);
  });

  it('asks for the revision alone, once, behind the answer when it ages', async () => {
    time += 500;
    await Promise.all([snapshot(), snapshot(), snapshot()]);
    expect(behind).toHaveLength(1);
    await settle();
    expect(queries).toEqual([expect.stringContaining('config_revision')]);
    expect(loads).toBe(0);
    time += 499;
    await snapshot();
    expect(behind).toEqual([]);
  });

  it('lets nobody in by a snapshot of a second ago', async () => {
    await changeElsewhere("DELETE FROM config_objects WHERE name = 'a'");
    time += 999;
    expect(await keyNames()).toEqual(['a', 'b']);
    await settle();
    expect(await keyNames()).toEqual(['b']);

    await changeElsewhere("DELETE FROM config_objects WHERE name = 'b'");
    time += 1000;
    expect(await keyNames()).toEqual([]);
  });

  it('sees a change of its own isolate at once', async () => {
    await store.put('virtual_key', 'c', {}, { mustBeNew: true }, async () => undefined);
    expect(await keyNames()).toEqual(['a', 'b', 'c']);
  });

  it('does not let a read from before its own change hide that change', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    gate = promise;
    await changeElsewhere("DELETE FROM config_objects WHERE name = 'a'");
    time += 600;
    await snapshot();
    await vi.waitFor(() => expect(loads).toBe(1));
    await store.put('virtual_key', 'c', {}, { mustBeNew: true }, async () => undefined);
    resolve();
    await settle();
    expect(await keyNames()).toEqual(['b', 'c']);
  });

  it('is refused when the database is out of reach for a second, and not before', async () => {
    reachable = false;
    time += 999;
    expect(await keyNames()).toEqual(['a', 'b']);
    await settle();
    time += 1;
    await expect(snapshot()).rejects.toThrow('out of reach');
    reachable = true;
    expect(await keyNames()).toEqual(['a', 'b']);
  });

  it('survives a clock that is set back', async () => {
    time -= 3_600_000;
    await changeElsewhere("DELETE FROM config_objects WHERE name = 'a'");
    expect(await keyNames()).toEqual(['b']);
    queries = [];
    await snapshot();
    expect(queries).toEqual([]);
  });

  it('loads a change once for many requests that find it together', async () => {
    await changeElsewhere("DELETE FROM config_objects WHERE name = 'a'");
    time += 1000;
    const snapshots = await Promise.all(Array.from({ length: 8 }, snapshot));
    expect(new Set(snapshots).size).toBe(1);
    expect(loads).toBe(1);
  });

  it('names what is wrong with a stored object', async () => {
    await changeElsewhere(
      `UPDATE config_objects SET document = json_set(document, '$.document.mcp_clients', 7) WHERE name = 'a'`,
    );
    time += 1000;
    await expect(snapshot()).rejects.toThrow('The stored virtual_key "a" cannot be used');
  });
});

it('stops a revoked key within one second of real time', async () => {
  expireSnapshot();
  const gateway = testGateway();
  const statusOf = async () =>
    (await gateway.fetch('/guarded', { headers: { authorization: 'Bearer vk-key-of-a' } })).status;
  expect(await statusOf()).toBe(200);
  await changeElsewhere("DELETE FROM config_objects WHERE name = 'a'");
  const revokedAt = Date.now();
  for (let sentAt = revokedAt; (await statusOf()) === 200; sentAt = Date.now()) {
    expect(sentAt - revokedAt).toBeLessThan(1000);
    await scheduler.wait(20);
  }
  expect(await statusOf()).toBe(401);
  await gateway.settle();
});
