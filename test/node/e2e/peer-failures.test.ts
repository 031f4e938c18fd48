// Where gateways are known to miscount: calls that end in some odd way, and ways around the limits. Nothing is sent past
// a limit here, nothing sent is forgotten, and nothing stays held.
import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFixtureV1 } from '../../conformance/fixture-v1.ts';
import { startFixtureV2 } from '../../conformance/fixture-v2.ts';
import { startAgentProvider, type AgentProvider } from '../../support/agent-provider.ts';
import { callModel, callModels, countByStatus, type ModelCall } from '../../support/billed-caller.ts';
import {
  BILLED_MODEL,
  NANO_USD_PER_TOKEN,
  startBillingProvider,
  type Behaviour,
  type BillingProvider,
} from '../../support/billing-provider.ts';
import type { Fixture } from '../../support/fixture-http.ts';
import { eventually, startGateway, type GatewayProcess } from '../../support/gateway-process.ts';
import { recordedCalls, settledUsage, usageOf, type Standing } from '../../support/ledger-readings.ts';
import { ERAS, type Era } from '../../support/tool-client.ts';
import { startDualEraUpstream } from '../../support/upstream-dual-era.ts';

const PLENTY = { budgets: [{ limit_usd: 1000, period: '1d' }] };
const TIGHT = 4;

const MODELS = {
  biller: [BILLED_MODEL, 'unheard-of'],
  messages: [BILLED_MODEL],
  impatient: [BILLED_MODEL],
  gone: [BILLED_MODEL],
  openai: ['turns', 'slow'],
};

const keyOf = (name: string): string => `vk-test-${name}`;
const requests = (count: number): object => ({ rate_limit: { requests: count, period: '1h' } });

/** How a provider behaves, and when the caller leaves it. */
const ENDS: readonly (readonly [string, Behaviour, Partial<ModelCall>])[] = [
  ['whole', {}, {}],
  ['streamed', {}, { stream: true }],
  ['streamed in the other dialect', {}, { stream: true, dialect: 'anthropic', model: `messages/${BILLED_MODEL}` }],
  ['left before the answer', { delayMs: 150 }, { leaveAfterMs: 20 }],
  ['left before the stream', { delayMs: 150 }, { stream: true, leaveAfterMs: 20 }],
  ['left within the stream', { tokenMs: 2 }, { stream: true, leaveAfterBytes: 2000 }],
  ['not answered', { drop: 'unanswered' }, {}],
  ['broken off', { drop: 'midway' }, { stream: true }],
  ['silent', { hang: true }, { model: `impatient/${BILLED_MODEL}` }],
  ['silent within the stream', { hang: true }, { stream: true, model: `impatient/${BILLED_MODEL}` }],
  ['without usage', { usage: 'none' }, { stream: true }],
];

function standing(standings: readonly Standing[], metric: string): Standing {
  const found = standings.find((limit) => limit.metric === metric);
  if (found === undefined) throw new Error(`no limit on ${metric}`);
  return found;
}

/** The last argument is another in each line of the SDK. */
function callUntil(client: ModernClient, era: Era, signal: AbortSignal): Promise<unknown> {
  const slow = { name: 'tools__slow', arguments: { ms: 60_000 } };
  if (era === 'modern') return client.callTool(slow, { signal });
  return (client as unknown as LegacyClient).callTool(slow, undefined, { signal });
}

describe('what peers get wrong', () => {
  let provider: BillingProvider;
  let agents: AgentProvider;
  let fixtures: readonly Fixture[] = [];
  let gateway: GatewayProcess;
  beforeAll(async () => {
    provider = await startBillingProvider();
    agents = await startAgentProvider({
      turns: (round) =>
        round === 0 ? { calls: [{ id: 'c1', name: 'tools__echo', arguments: {} }] } : { text: 'Done.' },
      slow: () => ({ calls: [{ id: 'c2', name: 'tools__slow', arguments: { ms: 60_000 } }] }),
    });
    fixtures = await Promise.all([startFixtureV1(), startFixtureV2(), startDualEraUpstream()]);
    gateway = await startGateway({ config: JSON.stringify(document()) });
  }, 120_000);
  afterAll(async () => {
    await gateway?.discard();
    await Promise.all([provider, agents, ...fixtures].map((fixture) => fixture?.stop()));
  });

  function document(): object {
    const prices = { [BILLED_MODEL]: { input_mtok: 0, output_mtok: NANO_USD_PER_TOKEN / 1000 } };
    const [legacy, modern, tools] = fixtures.map(({ url }) => ({ type: 'http', url: `${url}/mcp` }));
    // Spelt out, so that no provider is asked for what it has.
    const granted = {
      providers: Object.entries(MODELS).map(([name, models]) => ({ name, models })),
      mcp_clients: ['legacy', 'modern', 'tools'].map((name) => ({ name, allowed_tools: ['*'] })),
    };
    const key = (name: string, limits: object): object => ({ key_name: name, key: keyOf(name), ...limits, ...granted });
    return {
      mcp: {
        servers: [
          { name: 'legacy', ...legacy },
          { name: 'modern', ...modern },
          { name: 'tools', ...tools, auto_execute: ['*'] },
        ],
      },
      providers: [
        { name: 'biller', base_url: `${provider.url}/v1`, prices },
        { name: 'messages', type: 'anthropic', base_url: provider.url, prices },
        { name: 'impatient', type: 'biller', base_url: `${provider.url}/v1`, timeout: '1s', prices },
        { name: 'gone', type: 'biller', base_url: 'http://127.0.0.1:9/v1', prices },
        { name: 'openai', base_url: `${agents.url}/v1`, keys: [{ value: 'sk-scripted' }] },
      ],
      customers: [{ name: 'acme', ...PLENTY }],
      teams: [{ name: 'eng', customer: 'acme', rate_limit: { tokens: 10_000_000, period: '1d' } }],
      virtual_keys: [
        key('ends', { team: 'eng', rate_limit: { requests: 1000, concurrent: 500, period: '1d' } }),
        key('listener', PLENTY),
        key('unbounded', {}),
        ...[
          'refused',
          'lists',
          'agent',
          'execute',
          'leaver',
          ...ERAS.flatMap((era) => [`all-${era}`, `few-${era}`]),
        ].map((name) =>
          key(name, requests(name.startsWith('all') || name === 'lists' || name === 'leaver' ? 1000 : TIGHT)),
        ),
      ],
    };
  }

  const call = (name: string, more: Partial<ModelCall> = {}): ModelCall => ({
    url: gateway.url,
    key: keyOf(name),
    ...more,
  });
  const post = (path: string, name: string, body: unknown, init: RequestInit = {}): Promise<Response> =>
    fetch(`${gateway.url}${path}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${keyOf(name)}`,
        'content-type': 'application/json',
        'x-sallyport-mcp': 'inject',
      },
      body: JSON.stringify(body),
      ...init,
    });
  async function connect(name: string, era: Era): Promise<ModernClient> {
    const url = new URL(`${gateway.url}/mcp`);
    const requestInit = { headers: { authorization: `Bearer ${keyOf(name)}` } };
    const identity = { name: 'sallyport-e2e', version: '1.0.0' };
    if (era === 'modern') {
      const client = new ModernClient(identity, { versionNegotiation: { mode: { pin: '2026-07-28' } } });
      await client.connect(new ModernTransport(url, { requestInit }));
      return client;
    }
    const client = new LegacyClient(identity);
    await client.connect(new LegacyTransport(url, { requestInit }) as Parameters<LegacyClient['connect']>[0]);
    return client as unknown as ModernClient;
  }

  it('every call that was sent is counted once, however it ended, and nothing stays held', async () => {
    provider.behave(({ sequence }) => ENDS[sequence]?.[1] ?? {});
    for (const [, , more] of ENDS) {
      const seen = provider.calls.length;
      await callModel(call('ends', more));
      await eventually('the call to reach the provider', 5_000, () => provider.calls.length > seen || undefined);
    }
    expect((await callModel(call('ends', { model: `gone/${BILLED_MODEL}` }))).status).toBe(503);
    expect((await callModel(call('ends', { model: 'biller/unheard-of' }))).status).toBe(403);
    expect((await callModel(call('ends', { maxTokens: -1 }))).status).toBe(400);
    await eventually(
      'the provider to end every call',
      15_000,
      () => provider.calls.every((one) => !one.isOpen) || undefined,
    );

    const standings = await settledUsage(gateway, keyOf('ends'));
    expect(standing(standings, 'requests').spent).toBe(ENDS.length);
    expect(standing(standings, 'cost').spent).toBeGreaterThanOrEqual(provider.total());
    expect(standing(standings, 'tokens').spent).toBeGreaterThanOrEqual(provider.total() / NANO_USD_PER_TOKEN);
    expect(standing(standings, 'concurrent').reserved).toBe(0);
  });

  it('a stream that is cancelled after hundreds of words is charged for all of them', async () => {
    provider.forget();
    provider.behave(() => ({ tokenMs: 1 }));
    await callModel(call('listener', { stream: true, maxTokens: 20_000, leaveAfterBytes: 120_000 }));
    await eventually('the provider to notice', 15_000, () => provider.calls.every((one) => !one.isOpen) || undefined);
    const { spent } = standing(await settledUsage(gateway, keyOf('listener')), 'cost');
    const [billed] = provider.calls;
    expect(billed?.tokens).toBeGreaterThan(500);
    expect(billed?.isComplete).toBe(false);
    expect(spent).toBeGreaterThanOrEqual(provider.total());
    expect(spent).toBeLessThan(20_000 * NANO_USD_PER_TOKEN);
  });

  it('what is refused adds nothing', async () => {
    provider.behave(() => ({}));
    const answers = await callModels(40, () => call('refused'));
    expect(countByStatus(answers)).toEqual({ 200: TIGHT, 429: 40 - TIGHT });
    expect(standing(await settledUsage(gateway, keyOf('refused')), 'requests').spent).toBe(TIGHT);
  });

  it('a key without limits is never refused, whatever it spends', async () => {
    const answers = await callModels(30, () => call('unbounded', { maxTokens: 5000 }));
    expect(countByStatus(answers)).toEqual({ 200: 30 });
    expect(await usageOf(gateway, keyOf('unbounded'))).toEqual([]);
  });

  it('lists, the usage itself and the administration count for nothing', async () => {
    const headers = { authorization: `Bearer ${keyOf('lists')}` };
    for (const path of ['/v1/models', '/anthropic/v1/models', '/v1/usage'])
      expect((await fetch(gateway.url + path, { headers })).status).toBe(200);
    await gateway.admin('/api/audit-events?limit=1');
    for (const era of ERAS) {
      const client = await connect('lists', era);
      await Promise.all([client.listTools(), client.listResources(), client.listPrompts()]);
      await client.close();
    }
    expect(standing(await usageOf(gateway, keyOf('lists')), 'requests')).toMatchObject({ spent: 0, reserved: 0 });
  });

  const SURFACE: readonly (readonly [string, (client: ModernClient) => Promise<unknown>])[] = [
    ['a tool', (client) => client.callTool({ name: 'tools__echo', arguments: { text: 'x' } })],
    ['a tool that fails', (client) => client.callTool({ name: 'tools__fail', arguments: {} })],
    ['a resource', (client) => client.readResource({ uri: 'mcp+legacy+test://static-text' })],
    ['a prompt', (client) => client.getPrompt({ name: 'modern__test_simple_prompt' })],
    [
      'a completion',
      (client) =>
        client.complete({
          ref: { type: 'ref/prompt', name: 'legacy__test_prompt_with_arguments' },
          argument: { name: 'arg1', value: 'par' },
        }),
    ],
  ];

  it.each(ERAS)('everything that is asked of a server counts, and nothing passes the limit (%s)', async (era) => {
    const all = await connect(`all-${era}`, era);
    for (const [, ask] of SURFACE) await ask(all);
    await all.callTool({ name: 'tools__unheard-of', arguments: {} }).catch(() => undefined);
    await all.close();
    expect(standing(await settledUsage(gateway, keyOf(`all-${era}`)), 'requests').spent).toBe(SURFACE.length);

    const few = await connect(`few-${era}`, era);
    await Promise.all(Array.from({ length: TIGHT }, () => few.callTool({ name: 'tools__echo', arguments: {} })));
    for (const [what, ask] of SURFACE) {
      const outcome = await ask(few).then(JSON.stringify, String);
      expect(outcome, what).toMatch(/rate limit/i);
    }
    await few.close();
    expect(standing(await settledUsage(gateway, keyOf(`few-${era}`)), 'requests').spent).toBe(TIGHT);
  });

  it.each(ERAS)('a caller that leaves a tool leaves nothing held (%s)', async (era) => {
    const client = await connect('leaver', era);
    const leaving = new AbortController();
    const left = callUntil(client, era, leaving.signal);
    await eventually('the tool to run', 5_000, async () => {
      const [limit] = await usageOf(gateway, keyOf('leaver'));
      return (limit?.reserved ?? 0) > 0 || undefined;
    });
    leaving.abort();
    await left.catch(() => undefined);
    expect(standing(await settledUsage(gateway, keyOf('leaver')), 'requests').reserved).toBe(0);
    await client.close();
  });

  it('turns of a model and the tools between them count each, and so does a tool by itself', async () => {
    const ask = { model: 'openai/turns', messages: [{ role: 'user', content: 'Go on.' }] };
    expect((await post('/v1/chat/completions', 'agent', ask)).status).toBe(200);
    expect(standing(await settledUsage(gateway, keyOf('agent')), 'requests').spent).toBe(3);
    // One turn is left, and no tool.
    await post('/v1/chat/completions', 'agent', ask);
    expect(standing(await settledUsage(gateway, keyOf('agent')), 'requests').spent).toBe(TIGHT);

    const tool = { id: 'c', type: 'function', function: { name: 'tools__echo', arguments: '{"text":"x"}' } };
    const statuses: number[] = [];
    for (let index = 0; index <= TIGHT; index++)
      statuses.push((await post('/v1/mcp/tool/execute', 'execute', tool)).status);
    expect(statuses).toEqual([...Array.from({ length: TIGHT }, () => 200), 429]);
  });

  it('a caller that leaves between the turns of a model leaves nothing held', async () => {
    const leaving = new AbortController();
    const ask = { model: 'openai/slow', stream: true, messages: [{ role: 'user', content: 'Go on.' }] };
    const answer = await post('/v1/chat/completions', 'leaver', ask, { signal: leaving.signal });
    const reading = answer.text().catch(() => undefined);
    await recordedCalls(gateway, 'leaver', 3);
    leaving.abort();
    await reading;
    expect(standing(await settledUsage(gateway, keyOf('leaver')), 'requests').reserved).toBe(0);
  });
});
