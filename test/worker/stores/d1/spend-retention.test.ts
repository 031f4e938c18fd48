import { env } from 'cloudflare:workers';
import { beforeAll, expect, it } from 'vitest';
import { migrate } from '../../../../src/stores/d1/migrate.ts';
import { insertAuditEvents } from '../../../../src/stores/d1/audit-event-insert.ts';
import { deleteExpiredSpend } from '../../../../src/stores/d1/spend-retention.ts';

const NOW = Date.UTC(2026, 10, 22, 12);

beforeAll(() => migrate(env.DB));

async function spans(): Promise<string[]> {
  const { results } = await env.DB.prepare('SELECT DISTINCT span, start FROM spend_rollups ORDER BY span, start').all<{
    span: string;
    start: number;
  }>();
  return results.map(({ span, start }) => `${span} ${new Date(start).toISOString().slice(0, 13)}`);
}

it('deletes hours, then days and months, span by span', async () => {
  const times = ['2023-10-31T23', '2023-11-01T00', '2026-08-21T23', '2026-08-22T00', '2026-11-22T11'];
  const events = times.map((at, index) => ({ id: `evt_${index}`, at: Date.parse(`${at}:00Z`), kind: 'tool.call', outcome: 'ok', tags: { run: at } })); // prettier-ignore
  await insertAuditEvents(
    env.DB,
    events.map((event) => JSON.stringify(event)),
  );
  await deleteExpiredSpend(env.DB, NOW);
  expect(await spans()).not.toContain('hour 2023-10-31T23');
  expect(await spans()).toContain('hour 2023-11-01T00');
  for (let step = 0; step < 5; step++) await deleteExpiredSpend(env.DB, NOW);
  expect(await spans()).toEqual([
    'day 2023-11-01T00',
    'day 2026-08-21T00',
    'day 2026-08-22T00',
    'day 2026-11-22T00',
    'hour 2026-08-22T00',
    'hour 2026-11-22T11',
    'month 2023-11-01T00',
    'month 2026-08-01T00',
    'month 2026-11-01T00',
  ]);
  const days = await env.DB.prepare('SELECT count(DISTINCT day) AS days FROM spend_tag_values').first('days');
  expect(days).toBe(2);
});
