import { describe, expect, it } from 'vitest';
import { parseAuditQuery, toCursor } from '../../../src/audit/query.ts';

const parse = (query: string) => parseAuditQuery(new URLSearchParams(query));

describe('good', () => {
  it.each([
    ['', {}],
    ['from=1763805600000&to=1763805600001', { from: 1763805600000, to: 1763805600001 }],
    ['from=2026-11-22', { from: Date.UTC(2026, 10, 22) }],
    ['from=2026-11-22T10:00:00Z', { from: Date.UTC(2026, 10, 22, 10) }],
    ['from=2026-11-22T10:00:00.5%2B02:00', { from: Date.UTC(2026, 10, 22, 8, 0, 0, 500) }],
    ['from=2026-11-22T10:00+02:00', { from: Date.UTC(2026, 10, 22, 8) }],
    ['kind=tool.call&outcome=denied', { kind: 'tool.call', outcome: 'denied' }],
    ['tag=run=a=b', { tag: { key: 'run', value: 'a=b' } }],
    ['tag=run', { tag: { key: 'run' } }],
    ['limit=1000', { limit: 1_000 }],
    [`cursor=${toCursor({ at: 1763805600000, seq: 7 })}`, { cursor: { at: 1763805600000, seq: 7 } }],
  ])('%s', (query, expected) => {
    expect(parse(query)).toEqual({ ok: true, value: { limit: 100, ...expected } });
  });
});

describe('bad, and which parameter is named', () => {
  it.each([
    ['from=yesterday', 'from', 'must be a time'],
    ['from=2026-13-01', 'from', 'must be a time'],
    ['from=2026-11-22T10:00:00', 'from', 'must be a time'],
    ['to=-1', 'to', 'must be a time'],
    ['from=2&to=2', 'to', 'must be later than "from"'],
    ['kind=tool', 'kind', 'must be one of tool.call, resource.read'],
    ['outcome=fine', 'outcome', 'must be one of ok, error'],
    ['server=', 'server', 'must not be empty'],
    [`q=${'x'.repeat(1_001)}`, 'q', 'is longer than 1000 characters'],
    ['limit=0', 'limit', 'must be an integer from 1 to 1000'],
    ['limit=1001', 'limit', 'must be an integer from 1 to 1000'],
    ['limit=1e2', 'limit', 'must be an integer from 1 to 1000'],
    ['limit=-5', 'limit', 'must be an integer from 1 to 1000'],
    ['cursor=abc', 'cursor', 'is not a next_cursor'],
    ['cursor=%E2%82%AC', 'cursor', 'is not a next_cursor'],
    ['tag==x', 'tag', 'must be key=value'],
    ['tag=a"b=x', 'tag', 'must be key=value'],
    ['servr=x', 'servr', 'is not a filter; there are from, to, kind'],
    ['tool=a&tool=b', 'tool', 'is given more than once'],
  ])('%s', (query, parameter, message) => {
    const parsed = parse(query);
    expect(parsed).toMatchObject({ ok: false, error: { code: 'invalid_request', param: parameter } });
    expect(parsed.ok || parsed.error.message).toContain(`The query parameter "${parameter}" ${message}`);
  });
});
