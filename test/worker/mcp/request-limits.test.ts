// Whatever reaches an upstream is held to the limits of who asks, and is over for them when it is over.
import { describe, expect, it } from 'vitest';
import { LimitsUnavailable, type Admission } from '../../../src/budget/admission.ts';
import type { Limit } from '../../../src/budget/limits.ts';
import { toNanoUsd } from '../../../src/budget/money.ts';
import type { JsonObject } from '../../../src/lib/json-value.ts';
import { err, ok } from '../../../src/lib/result.ts';
import type { ClientRequest } from '../../../src/mcp/client-request.ts';
import { countedTickets } from '../counted-tickets.ts';
import type { Answer, Rig, RigOptions } from './rig.ts';
import { answers, answeredError, TASKS_PEER, wire } from './two-servers.ts';

const LIMIT: Limit = {
  id: 'calls of the key',
  tier: 'virtual_key',
  name: 'test',
  metric: 'requests',
  amount: 9,
  window: { period: '1m', calendar: false },
};
const LIMITS = { own: [LIMIT], providers: new Map(), mcpClients: new Map() };
const ONE_REQUEST = { cost: toNanoUsd(0), tokens: 0, requests: 1 };

const REF = { ref: { type: 'ref/prompt', name: 'summarize' }, argument: { name: 'id', value: 'a' } };
const REACHING: readonly (readonly [string, JsonObject])[] = [
  ['tools/call', { name: 'search' }],
  ['resources/read', { uri: 'note://1' }],
  ['prompts/get', { name: 'summarize' }],
  ['completion/complete', REF],
  ['tasks/get', { taskId: 't' }],
  ['tasks/cancel', { taskId: 't' }],
  ['example.org/do', {}],
];

const refusing: Admission = {
  admit: async () => err({ limit: LIMIT, spent: 9, reserved: 0, need: 1 }),
  standings: () => [],
};

function bounded(admission: Admission, more: Partial<RigOptions> = {}): Rig {
  return wire({ admission, key: { limits: LIMITS }, peer: TASKS_PEER, ...more });
}

const failing: Answer = async () => {
  throw new Error('a fault of the gateway');
};

describe.each(REACHING)('%s', (method, params) => {
  it.each<[string, Answer]>([
    ['is answered', answers({ content: [], contents: [], messages: [] })],
    ['is answered with an error', answeredError(-32603)],
    ['times out', async () => err({ code: 'upstream_timeout', stage: 'call', message: 'silence' })],
    ['fails in the gateway', failing],
  ])('counts once when it %s', async (_how, answer) => {
    const tickets = countedTickets();
    const rig = bounded(tickets, { answer });
    await rig.serve(method, params).catch(() => undefined);
    expect(rig.sent).toHaveLength(1);
    expect([tickets.admitted, tickets.used]).toEqual([1, [ONE_REQUEST]]);
  });

  it('is not sent where a limit has no room', async () => {
    const rig = bounded(refusing, { answer: answers({}) });
    expect(JSON.stringify(await rig.serve(method, params))).toContain('rate_limited');
    expect(rig.sent).toEqual([]);
  });

  it('is not sent while limits cannot be checked', async () => {
    const rig = bounded({ ...refusing, admit: () => Promise.reject(new LimitsUnavailable('out of reach')) });
    expect(JSON.stringify(await rig.serve(method, params))).toContain('"code":"overloaded","retry_after_seconds":1');
    expect(rig.sent).toEqual([]);
  });

  it('holds nothing where it cannot be recorded', async () => {
    const tickets = countedTickets();
    await bounded(tickets, { recordFails: true, answer: answers({ content: [] }) }).serve(method, params);
    expect([tickets.admitted, tickets.open]).toEqual([1, 0]);
  });
});

describe('a fault of the gateway', () => {
  it('is on the record, and told without detail', async () => {
    const rig = bounded(countedTickets(), { answer: failing });
    expect(await rig.error('resources/read', { uri: 'note://1' })).toMatchObject({ data: { code: 'internal_error' } });
    expect(rig.events).toMatchObject([{ kind: 'resource.read', outcome: 'error', reason: 'internal_error' }]);
    expect(JSON.stringify(rig.events)).not.toContain('a fault of the gateway');
  });
});

const sessionOf = (subscribed: string[], outcome: 'works' | 'breaks' = 'works'): ClientRequest['session'] => ({
  setLogLevel: async () => undefined,
  async subscribe(_upstream, uri) {
    subscribed.push(uri);
    if (outcome === 'breaks') throw new Error('a fault of the gateway');
    return ok(undefined);
  },
  unsubscribe: async () => undefined,
});

describe('a subscription', () => {
  it.each(['works', 'breaks'] as const)('counts, and its end does not: it %s', async (outcome) => {
    const tickets = countedTickets();
    const rig = bounded(tickets, { era: 'legacy', session: sessionOf([], outcome) });
    await rig.serve('resources/subscribe', { uri: 'note://1' }).catch(() => undefined);
    await rig.serve('resources/unsubscribe', { uri: 'note://1' });
    expect([tickets.admitted, tickets.used]).toEqual([1, [ONE_REQUEST]]);
  });

  it('is not made where a limit has no room', async () => {
    const subscribed: string[] = [];
    const rig = bounded(refusing, { era: 'legacy', session: sessionOf(subscribed) });
    expect(await rig.error('resources/subscribe', { uri: 'note://1' })).toMatchObject({
      data: { code: 'rate_limited' },
    });
    expect(subscribed).toEqual([]);
  });
});

it.each(['tools/list', 'resources/list', 'resources/templates/list', 'prompts/list', 'server/discover'])(
  '%s is answered here, and counts for nothing',
  async (method) => {
    const rig = bounded(refusing);
    await rig.result(method);
    expect(rig.sent).toEqual([]);
  },
);
