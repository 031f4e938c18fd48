// Sessions of legacy clients over the gateway as its users start it: killed in their midst, and a thousand at once.
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  ListRootsRequestSchema,
  LoggingMessageNotificationSchema,
  ResourceUpdatedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFixtureV1 } from '../../conformance/fixture-v1.ts';
import type { Fixture } from '../../support/fixture-http.ts';
import { eventually, startGateway, type GatewayProcess } from '../../support/gateway-process.ts';
import { eventIdsOf, RawMcpSession } from '../../support/raw-mcp-session.ts';
import { startLegacyUpstream } from '../../support/upstream-legacy.ts';

const KEY = 'vk-e2e-sessions';
const OTHER_KEY = 'vk-e2e-other-sessions';
const HELD = 1_000;
/** At once; the rest wait their turn. */
const OPENING = 20;
const RESTARTED_WITHIN_MS = 20_000;
/** Objects are evicted 10 s after their last use; connections to upstreams are kept a while longer. */
const LET_GO_WITHIN_MS = 60_000;
const PER_SESSION_KIB = 1_024;

let legacy: Fixture;
let fixture: Fixture;
let gateway: GatewayProcess;

beforeAll(async () => {
  [legacy, fixture] = await Promise.all([startLegacyUpstream(), startFixtureV1()]);
  const grants = `[{ name: old, allowed_tools: ["*"] }, { name: fixture, allowed_tools: ["*"] }]`;
  gateway = await startGateway({
    config: `mcp:
  servers:
    - { name: old, type: http, url: "${legacy.url}/mcp", timeout: 10s }
    - { name: fixture, type: http, url: "${fixture.url}/mcp", timeout: 10s }
  sessions: { per_key: 2000 }
virtual_keys:
  - { key_name: one, key: ${KEY}, mcp_clients: ${grants} }
  - { key_name: other, key: ${OTHER_KEY}, mcp_clients: ${grants} }
`,
  });
});
afterAll(async () => {
  await gateway?.discard();
  await Promise.all([legacy?.stop(), fixture?.stop()]);
});

const endpoint = (server: string, key = KEY) => ({ url: `${gateway.url}/mcp/${server}`, key });

/** The session in which the upstream met the caller. */
function upstreamSession(result: unknown): string {
  const { content } = result as { readonly content: readonly { readonly text: string }[] };
  const { sessionId } = JSON.parse(content[0]?.text ?? '') as { readonly sessionId?: string };
  if (sessionId === undefined) throw new Error(JSON.stringify(result));
  return sessionId;
}

const sessionBehind = async (session: RawMcpSession): Promise<string> =>
  upstreamSession((await session.messages('headers')).at(-1)?.result);

async function killWorkerd(): Promise<void> {
  const before = gateway.workerd()?.pid;
  if (before === undefined) throw new Error('workerd does not run');
  process.kill(before, 'SIGKILL');
  await eventually('workerd runs again', RESTARTED_WITHIN_MS, async () => {
    const now = gateway.workerd()?.pid;
    const answers = await fetch(`${gateway.url}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
    return now !== undefined && now !== before && answers ? true : undefined;
  });
}

function sdkClient() {
  const client = new Client({ name: 'sdk', version: '1' }, { capabilities: { roots: { listChanged: true } } });
  client.setRequestHandler(ListRootsRequestSchema, () => ({ roots: [{ uri: 'file:///here' }] }));
  return client;
}

const requestInit = { headers: { authorization: `Bearer ${KEY}` } };
// The SDK's transports declare their optional members without `| undefined`, its interface with.
const connected = (client: Client, transport: unknown) => client.connect(transport as Parameters<Client['connect']>[0]);

describe.skipIf(process.platform !== 'linux')('kill -9 in the midst of a session', () => {
  it('leaves the official client its session, its subscriptions and its log level', async () => {
    const client = sdkClient();
    const updated: string[] = [];
    const logged: unknown[] = [];
    client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => void updated.push(params.uri));
    client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => void logged.push(params.data));
    const transport = new StreamableHTTPClientTransport(new URL(`${gateway.url}/mcp/fixture`), {
      requestInit,
      reconnectionOptions: {
        initialReconnectionDelay: 200,
        maxReconnectionDelay: 1_000,
        reconnectionDelayGrowFactor: 1.2,
        maxRetries: 30,
      },
    });
    await connected(client, transport);
    const { sessionId } = transport;
    await client.subscribeResource({ uri: 'test://watched-resource' });
    await client.setLoggingLevel('warning');
    await killWorkerd();
    // What is still told on a broken connection is lost with it; nothing is to be changed before it is back.
    await sleep(3_000);
    await client.callTool({ name: 'test_trigger_resource_update', arguments: {} });
    await eventually('the update is told', 10_000, () => updated[0]);
    expect(updated).toEqual(['test://watched-resource']);
    await client.callTool({ name: 'test_tool_with_logging', arguments: {} });
    expect(logged, 'the level is kept').toEqual([]);
    expect(transport.sessionId).toBe(sessionId);
    await transport.terminateSession();
    await client.close();
  });

  it('leaves sessions at upstreams, and answers what was under way with an error', async () => {
    const session = await RawMcpSession.open(endpoint('old'));
    const before = await sessionBehind(session);
    const broken = await session.call('slow', {}, 'broken');
    const ids: string[] = [];
    const reading = (async () => {
      for await (const id of eventIdsOf(broken)) ids.push(id);
    })().catch(() => undefined);
    await eventually('something is told', 5_000, () => ids[1]);
    await killWorkerd();
    await reading;
    const resumed = await (await session.listen(ids.at(-1))).text();
    expect(JSON.parse(resumed.slice(resumed.lastIndexOf('data: ') + 6))).toMatchObject({
      id: 'broken',
      error: { message: expect.stringContaining('restarted') },
    });
    expect(await sessionBehind(session)).toBe(before);
    expect(await session.close()).toBe(204);
    expect((await session.post({ id: 1, method: 'ping' })).status).toBe(404);
  });

  it('lets a client of the transport of 2024-11-05 go on', async () => {
    const client = sdkClient();
    const transport = new SSEClientTransport(new URL(`${gateway.url}/mcp/old`), { requestInit });
    await connected(client, transport);
    expect(upstreamSession(await client.callTool({ name: 'headers' }))).not.toBe('');
    await killWorkerd();
    const after = await eventually('it is back', 20_000, () =>
      client.callTool({ name: 'headers' }, undefined, { timeout: 2_000 }).catch(() => undefined),
    );
    // This client does not say where it was, and so begins anew.
    expect(upstreamSession(after)).not.toBe('');
    await client.close();
  });
});

describe('two principals at one stateful upstream', () => {
  it('have sessions of their own, and neither reads the other\u2019s streams', async () => {
    const [one, other] = await Promise.all([
      RawMcpSession.open(endpoint('old')),
      RawMcpSession.open(endpoint('old', OTHER_KEY)),
    ]);
    const seen = await Promise.all([one, other].map(sessionBehind));
    expect(new Set(seen).size).toBe(2);
    const hanging = new AbortController();
    const ids: string[] = [];
    const reading = (async () => {
      for await (const id of eventIdsOf(await one.call('slow', {}, 1, hanging.signal))) ids.push(id);
    })().catch(() => undefined);
    await eventually('something is told', 5_000, () => ids[1]);
    const stolen = await other.listen(ids[1]);
    expect([stolen.status, await stolen.text()]).toEqual([400, expect.not.stringContaining('progress')]);
    const foreign = await fetch(`${gateway.url}/mcp/old`, {
      headers: {
        authorization: `Bearer ${OTHER_KEY}`,
        accept: 'text/event-stream',
        'mcp-session-id': one.id,
        'last-event-id': ids[1] ?? '',
      },
    });
    expect(foreign.status).toBe(404);
    hanging.abort();
    await reading;
    expect(await Promise.all([one.close(), other.close()])).toEqual([204, 204]);
  });
});

interface Usage {
  readonly rssKib: number;
  readonly files: number;
  readonly upstreamSessions: number;
}

async function usage(): Promise<Usage> {
  const pid = gateway.workerd()?.pid ?? 0;
  const rss = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  const state = (await (await fetch(`${legacy.url}/control/state`)).json()) as {
    readonly methods: readonly string[];
    readonly sessions: readonly string[];
  };
  const ended = state.methods.filter((method) => method === 'http DELETE').length;
  return {
    rssKib: Number(rss),
    files: readdirSync(`/proc/${pid}/fd`).length,
    upstreamSessions: state.sessions.length - ended,
  };
}

async function inTurns<T>(count: number, work: (index: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) results.push(await work(next++));
  };
  await Promise.all(Array.from({ length: OPENING }, worker));
  return results;
}

describe.skipIf(process.platform !== 'linux')(`${HELD} sessions held open with streams`, () => {
  it('leave nothing behind', { timeout: 240_000 }, async () => {
    const before = await usage();
    const hangUp = new AbortController();
    const behind = new Set<string>();
    const sessions = await inTurns(HELD, async () => {
      const session = await RawMcpSession.open(endpoint('old'));
      const stream = await session.listen(undefined, hangUp.signal);
      expect(stream.status).toBe(200);
      // Read to nowhere: a stream that nobody reads would be held up.
      void stream.body?.pipeTo(new WritableStream()).catch(() => undefined);
      behind.add(await sessionBehind(session));
      return session;
    });
    const held = await usage();
    // Of sessions that were there before, some end meanwhile.
    expect(behind.size).toBe(HELD);
    const perSession = (held.rssKib - before.rssKib) / HELD;
    const files = (held.files - before.files) / HELD;
    console.log(`${HELD} sessions: ${perSession.toFixed(0)} KiB and ${files.toFixed(1)} files each`);
    expect(perSession).toBeLessThan(PER_SESSION_KIB);

    const statuses = await inTurns(HELD, async (index) => sessions[index]?.close());
    expect(new Set(statuses)).toEqual(new Set([204]));
    const after = await eventually('all is let go', LET_GO_WITHIN_MS, async () => {
      const now = await usage();
      return now.upstreamSessions <= before.upstreamSessions && now.files <= before.files + 20 ? now : undefined;
    });
    console.log(`before ${JSON.stringify(before)}, held ${JSON.stringify(held)}, after ${JSON.stringify(after)}`);
    hangUp.abort();
  });
});
