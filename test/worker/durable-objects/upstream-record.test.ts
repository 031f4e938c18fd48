import { env } from 'cloudflare:workers';
import { runInDurableObject } from 'cloudflare:test';
import { expect, it } from 'vitest';
import { UpstreamRecord } from '../../../durable-objects/upstream-record.ts';

it('reads what an earlier version stored', async () => {
  const stub = env.UPSTREAM_HEALTH.getByName('from-an-earlier-version');
  await runInDurableObject(stub, async (_object, { storage }) => {
    await storage.deleteAll();
    const { sql } = storage;
    sql.exec('CREATE TABLE schema_migrations (version INTEGER PRIMARY KEY) STRICT');
    sql.exec('CREATE TABLE record (id INTEGER PRIMARY KEY CHECK (id = 1), body TEXT NOT NULL) STRICT');
    sql.exec('CREATE TABLE tools (position INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT');
    sql.exec('INSERT INTO schema_migrations (version) VALUES (1)');
    const catalog = { fingerprint: 'c', tools: [], era: 'legacy', capabilities: { tools: {} }, at: 1 };
    const body = { condition: { failures: 0 }, lastUsedAt: 2, listedAt: 3, eraAt: 4, catalog };
    sql.exec('INSERT INTO record (id, body) VALUES (1, ?)', JSON.stringify(body));
    for (const [position, name] of ['b', 'a'].entries()) {
      sql.exec('INSERT INTO tools (position, body) VALUES (?, ?)', position, JSON.stringify({ name }));
    }
    const record = new UpstreamRecord(storage);
    expect(record.body).toEqual({ ...body, catalog: { ...catalog, tools: [{ name: 'b' }, { name: 'a' }] } });
  });
});
