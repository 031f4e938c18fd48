import { env } from 'cloudflare:workers';
import { beforeAll, beforeEach, expect, it } from 'vitest';
import { auditRetentionLimits, deleteExpiredAuditEvents } from '../../../../src/stores/d1/audit-retention.ts';
import { migrate } from '../../../../src/stores/d1/migrate.ts';

const DAY = 24 * 3_600_000;
const NOW = Date.UTC(2026, 10, 22);
const EVERYTHING = { days: 100_000, rows: 1_000_000 };

beforeAll(() => migrate(env.DB));
beforeEach(async () => {
  await env.DB.batch(['audit_events', 'config_objects'].map((table) => env.DB.prepare(`DELETE FROM ${table}`)));
});

/** `count` events, one a minute, the newest just now. */
async function fill(count: number): Promise<void> {
  await env.DB.prepare(
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
     INSERT INTO audit_events (id, at, kind, outcome) SELECT 'evt_' || i, ${NOW} - (${count} - i) * 60000, 'tool.call', 'ok' FROM n`,
  ).run();
}

async function left(): Promise<{ rows: number; oldest: string | null }> {
  const row = await env.DB.prepare(
    'SELECT count(*) AS rows, (SELECT id FROM audit_events ORDER BY at LIMIT 1) AS oldest FROM audit_events',
  ).first<{ rows: number; oldest: string | null }>();
  return row ?? { rows: -1, oldest: null };
}

async function setSettings(document: unknown): Promise<void> {
  await env.DB.prepare(
    `INSERT INTO config_objects (kind, name, id, document, source, created_at, updated_at)
     VALUES ('settings', 'settings', 'set_1', ?, 'file', 0, 0)`,
  )
    .bind(JSON.stringify({ fingerprint: 'any', document }))
    .run();
}

it('deletes what is too old, and nothing younger', async () => {
  await fill(2 * 24 * 60);
  expect(await deleteExpiredAuditEvents(env.DB, { ...EVERYTHING, days: 1 }, NOW)).toBe('done');
  // Exactly a day old is not older than a day.
  expect(await left()).toEqual({ rows: 24 * 60 + 1, oldest: `evt_${24 * 60}` });
});

it('deletes the oldest of too many', async () => {
  await fill(1_700);
  expect(await deleteExpiredAuditEvents(env.DB, { ...EVERYTHING, rows: 1_600 }, NOW)).toBe('done');
  expect(await left()).toEqual({ rows: 1_600, oldest: 'evt_101' });
  expect(await deleteExpiredAuditEvents(env.DB, { ...EVERYTHING, rows: 1_600 }, NOW)).toBe('done');
  expect((await left()).rows).toBe(1_600);
});

it('takes bounded steps until it is through', async () => {
  await fill(12_500);
  const steps = [];
  for (let step = 0; step < 5; step++) {
    const progress = await deleteExpiredAuditEvents(env.DB, { ...EVERYTHING, rows: 100 }, NOW);
    steps.push([progress, (await left()).rows]);
    if (progress !== 'more') break;
  }
  expect(steps).toEqual([
    ['more', 7_500],
    ['more', 2_500],
    ['done', 100],
  ]);
});

it('says when nothing is left', async () => {
  await fill(10);
  expect(await deleteExpiredAuditEvents(env.DB, { ...EVERYTHING, days: 1 }, NOW + 10 * DAY)).toBe('empty');
});

it('can run twice at once', async () => {
  await fill(3_000);
  const limits = { ...EVERYTHING, rows: 500 };
  const steps = [deleteExpiredAuditEvents(env.DB, limits, NOW), deleteExpiredAuditEvents(env.DB, limits, NOW)];
  expect(await Promise.all(steps)).toEqual(['done', 'done']);
  expect(await left()).toEqual({ rows: 500, oldest: 'evt_2501' });
});

it('is as configured, and by default before there is a configuration', async () => {
  expect(await auditRetentionLimits(env.DB)).toEqual({ days: 90, rows: 10_000_000 });
  await setSettings({ audit: { retention: { days: 7 } } });
  expect(await auditRetentionLimits(env.DB)).toEqual({ days: 7, rows: 10_000_000 });
});

it('is read beside what is sealed', async () => {
  const webhook = { url: { $sealed: 'v1.x' }, secret: { $sealed: 'v1.y' }, allow_private: false };
  await setSettings({ alerts: { webhook }, audit: { retention: { days: 7 } } });
  expect(await auditRetentionLimits(env.DB)).toEqual({ days: 7, rows: 10_000_000 });
});

it('guesses nothing when the settings cannot be read', async () => {
  await setSettings({ audit: { retention: { days: 'seven' } } });
  await expect(auditRetentionLimits(env.DB)).rejects.toThrow();
});
