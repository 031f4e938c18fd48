// As many requests as may run, over the gateway as its users start it: callers of every kind that hang up, wait and listen.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Fixture } from '../../support/fixture-http.ts';
import { eventually, startGateway, type GatewayProcess } from '../../support/gateway-process.ts';
import { startProviderFake } from '../../support/provider-fake.ts';
import { RawMcpSession } from '../../support/raw-mcp-session.ts';
import { startDualEraUpstream } from '../../support/upstream-dual-era.ts';

const KEY = 'vk-e2e-overload';
const MOST = 3;
/** Hung-up clients are noticed by a write that fails. */
const NOTICED_WITHIN_MS = 10_000;
const SLOW_MS = 3_000;

let provider: Fixture;
let upstream: Fixture;
let gateway: GatewayProcess;

beforeAll(async () => {
  [provider, upstream] = await Promise.all([startProviderFake(), startDualEraUpstream()]);
  gateway = await startGateway({
    config: `mcp: { servers: [{ name: s, type: http, url: "${upstream.url}/mcp" }] }
providers: [{ name: openai, base_url: "${provider.url}/v1", timeout: 2s, keys: [{ value: sk }] }]
limits: { concurrent_requests: ${MOST} }
virtual_keys:
  - { key_name: k, key: ${KEY}, mcp_clients: [{ name: s, allowed_tools: ["*"] }], providers: [{ name: openai }] }
`,
  });
});
afterAll(async () => {
  await gateway?.discard();
  await Promise.all([provider?.stop(), upstream?.stop()]);
});

const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' };

function ask(model: string, signal?: AbortSignal): Promise<Response> {
  const body = JSON.stringify({ model, stream: true, messages: [] });
  return fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', headers, body, ...(signal && { signal }) });
}

function callModern(signal?: AbortSignal, ms = SLOW_MS): Promise<Response> {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
    'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
  };
  const params = { name: 'slow', arguments: { ms }, _meta: meta };
  return fetch(`${gateway.url}/mcp/s`, {
    method: 'POST',
    headers: {
      ...headers,
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': 'slow',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }),
    ...(signal && { signal }),
  });
}

/** How many places are free. */
async function room(): Promise<number> {
  const leave = new AbortController();
  const statuses: number[] = [];
  for (let place = 0; place <= MOST; place++) statuses.push((await ask('endless', leave.signal)).status);
  leave.abort();
  // What was taken to find out is free again when the places are counted next.
  await sleep(300);
  return statuses.filter((status) => status === 200).length;
}

const isEmpty = () =>
  eventually('every place is free again', NOTICED_WITHIN_MS, async () => ((await room()) === MOST ? true : undefined));

describe('limits.concurrent_requests', () => {
  it('lets as many run as it says, and as many again when they have ended', async () => {
    expect(await room()).toBe(MOST);
    await isEmpty();
  });

  it('counts a tool call of 2026-07-28 until it is over, its stream included', async () => {
    const calls = Array.from({ length: MOST }, () => callModern());
    await sleep(SLOW_MS / 2);
    expect((await ask('gpt-4o')).status).toBe(503);
    const refused = await callModern();
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await refused.json()).toMatchObject({ error: { data: { code: 'overloaded' } } });
    for (const probe of ['/healthz', '/readyz']) expect((await fetch(gateway.url + probe)).status).toBe(200);
    await gateway.admin('/api/servers');
    for (const call of calls) expect(await (await call).text()).toContain('result');
    await isEmpty();
  });

  it('counts a tool call of a legacy session until it is over, and no stream that only listens', async () => {
    const sessions = await Promise.all(
      Array.from({ length: MOST }, () => RawMcpSession.open({ url: `${gateway.url}/mcp/s`, key: KEY })),
    );
    const leave = new AbortController();
    for (const session of sessions) expect((await session.listen(undefined, leave.signal)).status).toBe(200);
    expect(await room()).toBe(MOST);
    const calls = sessions.map((session) => session.call('slow', { ms: SLOW_MS }));
    await sleep(SLOW_MS / 2);
    expect((await ask('gpt-4o')).status).toBe(503);
    for (const call of calls) expect(await (await call).text()).toContain('result');
    await isEmpty();
    leave.abort();
    for (const session of sessions) await session.close();
  });

  it('gives back the places of those who hang up', async () => {
    const session = await RawMcpSession.open({ url: `${gateway.url}/mcp/s`, key: KEY });
    const hangUp = AbortSignal.timeout(400);
    const left = [
      ask('hang', hangUp),
      callModern(hangUp),
      session.call('slow', { ms: SLOW_MS }, 1, hangUp).then((response) => response.text()),
    ];
    await Promise.allSettled(left);
    await isEmpty();
    const later = AbortSignal.timeout(1_500);
    const streams = [
      ask('endless', later).then((response) => response.text()),
      callModern(later).then((response) => response.text()),
      session.call('slow', { ms: SLOW_MS }, 2, later).then((response) => response.text()),
    ];
    await Promise.allSettled(streams);
    await isEmpty();
    await session.close();
  });
});
