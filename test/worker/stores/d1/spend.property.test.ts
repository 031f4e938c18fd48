// Whatever comes twice, in part or in another order is in the rollups once.
import { env } from 'cloudflare:workers';
import * as fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import type { AuditEvent } from '../../../../src/audit/event.ts';
import { parseSpendQuery } from '../../../../src/audit/spend-query.ts';
import { insertAuditEvents } from '../../../../src/stores/d1/audit-event-insert.ts';
import { migrate } from '../../../../src/stores/d1/migrate.ts';
import { createSpendReader } from '../../../../src/stores/d1/spend-reader.ts';

const NOW = Date.UTC(2026, 10, 22, 12);
const TWO_WEEKS_AGO = NOW - 14 * 86_400_000;
const EVENTS = 12;

const event = fc.record({
  at: fc.integer({ min: Date.UTC(2026, 9, 30), max: NOW - 1 }),
  kind: fc.constantFrom('llm.call', 'tool.call', 'prompt.get' as const),
  outcome: fc.constantFrom('ok', 'error', 'denied', 'cancelled', 'lost' as const),
  cost_nano_usd: fc.integer({ min: 0, max: 2 ** 40 }),
  team: fc.constantFrom('a', 'b', undefined),
  tags: fc.constantFrom(undefined, { run: '1' }, { run: '2', project: 'x' }),
});
/** Places in the list of events: deliveries overlap, and each may hold an event twice. */
const deliveries = fc.array(fc.array(fc.nat({ max: EVENTS - 1 }), { maxLength: 2 * EVENTS }), { maxLength: 6 });

async function sums(parameters: string): Promise<Record<string, [calls: number, cost: number]>> {
  const query = parseSpendQuery(new URLSearchParams(parameters), NOW);
  if (!query.ok) throw new Error(query.error.message);
  const { items } = await createSpendReader(env.DB).read(query.value);
  return Object.fromEntries(
    items.map(({ start, groups, sums: found }) => [
      [start, ...Object.values(groups)].join(' '),
      [found['calls'] ?? -1, found['cost_nano_usd'] ?? -1],
    ]),
  );
}

function expected(events: readonly AuditEvent[], nameOf: (found: AuditEvent) => string | undefined) {
  const found: Record<string, [calls: number, cost: number]> = {};
  for (const one of events) {
    const name = nameOf(one);
    if (one.kind === 'prompt.get' || name === undefined) continue;
    const [calls, cost] = found[name] ?? [0, 0];
    found[name] = [calls + (one.outcome === 'denied' ? 0 : 1), cost + (one.cost_nano_usd ?? 0)];
  }
  return found;
}

const hourOf = ({ at }: AuditEvent): number => at - (at % 3_600_000);

beforeAll(() => migrate(env.DB));

it('counts every event exactly once', async () => {
  let round = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(event, { minLength: EVENTS, maxLength: EVENTS }),
      deliveries,
      async (generated, deliveredAt) => {
        round++;
        await env.DB.batch(
          ['audit_events', 'spend_rollups', 'spend_tag_values'].map((table) => env.DB.prepare(`DELETE FROM ${table}`)),
        );
        const events = generated.map((more, index) => ({ id: `evt_${round}_${index}`, ...more }) as AuditEvent);
        for (const places of deliveredAt) {
          await insertAuditEvents(
            env.DB,
            places.map((place) => JSON.stringify(events[place])),
          );
        }
        const delivered = [...new Set(deliveredAt.flat())].flatMap((place) => events[place] ?? []);
        expect(await sums('from=2026-10-01&group_by=team')).toEqual(
          expected(delivered, ({ team }) => ` ${team ?? ''}`),
        );
        expect(await sums('from=2026-10-01&group_by=tag:run')).toEqual(
          expected(delivered, ({ tags }) => (tags?.['run'] === undefined ? undefined : ` ${tags['run']}`)),
        );
        expect(await sums(`from=${TWO_WEEKS_AGO}&bucket=hour&group_by=kind&limit=1000`)).toEqual(
          expected(delivered, (one) => (one.at < TWO_WEEKS_AGO ? undefined : `${hourOf(one)} ${one.kind}`)),
        );
      },
    ),
    { numRuns: 60 },
  );
});

it('counts nothing of a delivery that fails', async () => {
  const good = JSON.stringify({ id: 'evt_good', at: NOW, kind: 'tool.call', outcome: 'ok', cost_nano_usd: 7 });
  const before = await sums('group_by=kind&key=none');
  await expect(insertAuditEvents(env.DB, [good, '{"id":null}'])).rejects.toThrow('NOT NULL');
  const rows = await env.DB.prepare("SELECT count(*) AS n FROM audit_events WHERE id = 'evt_good'").first('n');
  expect([rows, await sums('group_by=kind&key=none')]).toEqual([0, before]);
});
