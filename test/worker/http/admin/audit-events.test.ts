import { env, exports } from 'cloudflare:workers';
import { beforeAll, expect, it } from 'vitest';
import { insertAuditEvents } from '../../../../src/stores/d1/audit-event-insert.ts';
import { migrate } from '../../../../src/stores/d1/migrate.ts';
import { AT, makeEvent } from '../../durable-objects/ledger-rig.ts';

const events = Array.from({ length: 5 }, (_, index) => makeEvent({ at: AT + index, tags: { run: String(index) } }));

beforeAll(async () => {
  await migrate(env.DB);
  await insertAuditEvents(
    env.DB,
    events.map((event) => JSON.stringify(event)),
  );
});

function get(query: string, headers: HeadersInit = { authorization: 'Bearer test-admin-token' }): Promise<Response> {
  return exports.default.fetch(`http://sallyport/api/audit-events${query}`, { headers });
}

it('answers events newest first, page by page', async () => {
  const first = await (await get('?limit=3')).json<{ items: unknown[]; next_cursor: string }>();
  expect(first.items).toEqual(events.slice(2).toReversed());
  const second = await (await get(`?limit=3&cursor=${encodeURIComponent(first.next_cursor)}`)).json();
  expect(second).toEqual({ items: events.slice(0, 2).toReversed(), next_cursor: null });
});

it('names the parameter of a bad filter in a problem document', async () => {
  const response = await get('?kind=tool');
  expect(response.status).toBe(400);
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const problem = await response.json<{ detail: string }>();
  expect(problem).toMatchObject({ code: 'invalid_request', problems: [{ path: 'kind' }] });
  expect(problem.detail).toContain('"kind" must be one of tool.call');
});

it('is for the admin alone', async () => {
  expect((await get('', {})).status).toBe(401);
  expect((await get('', { authorization: 'Bearer wrong' })).status).toBe(401);
});

it('is read-only', async () => {
  const response = await exports.default.fetch('http://sallyport/api/audit-events', {
    method: 'DELETE',
    headers: { authorization: 'Bearer test-admin-token' },
  });
  expect(response.status).toBe(405);
  expect(response.headers.get('allow')).toBe('GET');
});
