// workerd killed under load, again and again: what a client saw complete is on record, once.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, startGateway, type GatewayProcess } from '../../support/gateway-process.ts';
import type { Fixture } from '../../support/fixture-http.ts';
import { startLoad, type CompletedCall } from '../../support/load.ts';
import { referenceServer } from '../../support/reference-servers.ts';
import { startEverythingUpstream } from '../../support/upstream-everything.ts';

const KEY = 'vk-e2e-crash';
const KILLS = 10;
/** What the gateway promises for batched events, and what the test grants on top for a busy machine. */
const BATCH_MS = 50;
const MARGIN_MS = 950;
/** From the ledger's outbox to the audit table, a restart's backlog included. */
const DRAINED_WITHIN_MS = 60_000;

function configFor(everythingUrl: string): string {
  return `mcp:
  servers:
    - { name: local, type: stdio, command: ${JSON.stringify(referenceServer('server-everything'))} }
    - { name: remote, type: http, url: "${everythingUrl}/mcp" }
providers: [{ name: echo }]
virtual_keys:
  - key_name: load
    key: ${KEY}
    mcp_clients:
      - { name: local, allowed_tools: ["echo"] }
      - { name: remote, allowed_tools: ["echo"] }
    providers: [{ name: echo }]
`;
}

describe.skipIf(process.platform !== 'linux')('kill -9 of workerd under load', () => {
  let everything: Fixture;
  let gateway: GatewayProcess;

  beforeAll(async () => {
    everything = await startEverythingUpstream();
    gateway = await startGateway({ config: configFor(everything.url) });
  });
  afterAll(async () => {
    await gateway?.discard();
    await everything?.stop();
  });

  async function post(
    path: string,
    body: unknown,
    headers: Record<string, string>,
    expected: RegExp,
  ): Promise<{ requestId: string }> {
    const response = await fetch(`${gateway.url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(20_000),
    });
    const text = await response.text();
    const requestId = response.headers.get('x-sallyport-request-id');
    if (response.status !== 200 || requestId === null || !expected.test(text))
      throw new Error(`${response.status} ${text}`);
    return { requestId };
  }

  const callTool = (sequence: number): Promise<{ requestId: string }> => {
    const name = sequence % 2 === 0 ? 'local__echo' : 'remote__echo';
    const message = `call ${sequence}`;
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
      'io.modelcontextprotocol/clientInfo': { name: 'sallyport-e2e', version: '1.0.0' },
    };
    return post(
      '/mcp',
      { jsonrpc: '2.0', id: sequence, method: 'tools/call', params: { name, arguments: { message }, _meta } },
      {
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'tools/call',
        'mcp-name': name,
      },
      new RegExp(`Echo: ${message}"`),
    );
  };

  const callModel = (sequence: number): Promise<{ requestId: string }> => {
    const stream = sequence % 2 === 0;
    const messages = [{ role: 'user', content: `question ${sequence}` }];
    return post(
      '/v1/chat/completions',
      { model: 'echo/echo-1', stream, messages },
      {},
      stream ? /\[DONE\]/ : /"chat\.completion"/,
    );
  };

  async function killAndAwaitReturn(): Promise<number> {
    const victim = await eventually('a workerd to kill', 30_000, () => gateway.workerd());
    const at = Date.now();
    process.kill(victim.pid, 'SIGKILL');
    await eventually('workerd to come back by itself', 30_000, async () => {
      const { pid } = gateway.workerd() ?? {};
      if (pid === undefined || pid === victim.pid) return undefined;
      return callTool(0).then(
        () => true,
        () => undefined,
      );
    });
    return at;
  }

  /** How often each call is on record. */
  async function recordedRequests(): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    const ids = new Set<string>();
    let cursor: string | null = null;
    do {
      const query = new URLSearchParams({ limit: '500', ...(cursor === null ? {} : { cursor }) });
      const page = (await gateway.admin(`/api/audit-events?${query}`)) as {
        items: { id: string; kind: string; request_id: string }[];
        next_cursor: string | null;
      };
      for (const { id, kind, request_id: requestId } of page.items) {
        expect(ids.has(id), `${id} is listed twice`).toBe(false);
        ids.add(id);
        if (kind.endsWith('.call')) counts.set(requestId, (counts.get(requestId) ?? 0) + 1);
      }
      cursor = page.next_cursor ?? null;
    } while (cursor !== null);
    return counts;
  }

  it('loses no tool call that completed, and no LLM call older than the last batch', { timeout: 300_000 }, async () => {
    const tools = startLoad(8, callTool);
    const models = startLoad(8, callModel);
    const kills: number[] = [];
    for (let round = 0; round < KILLS; round++) {
      await sleep(400 + 60 * round);
      kills.push(await killAndAwaitReturn());
    }
    await sleep(500);
    await Promise.all([tools.stop(), models.stop()]);

    // The process that answered is the one that the next kill after the sending met; an answer may still be read from the
    // socket when its sender is dead.
    const beforeKill = ({ sentAt, at }: CompletedCall): number =>
      Math.min(...kills.filter((kill) => kill >= sentAt)) - at;
    const settled = models.completed.filter((call) => beforeKill(call) > BATCH_MS + MARGIN_MS);
    let recorded = await recordedRequests();
    const deadline = Date.now() + DRAINED_WITHIN_MS;
    while (unrecorded([...tools.completed, ...settled], recorded).length > 0 && Date.now() < deadline) {
      await sleep(500);
      recorded = await recordedRequests();
    }

    const lost = unrecorded(models.completed, recorded);
    console.log(
      `${kills.length} kills; ${tools.completed.length} tool calls completed, ${tools.interrupted()} interrupted; ` +
        `${models.completed.length} LLM calls completed, ${models.interrupted()} interrupted; LLM events lost: ${lost.length}, ` +
        `the oldest of them ${Math.max(0, ...lost.map(beforeKill))} ms before its kill`,
    );
    expect(tools.completed.length).toBeGreaterThan(KILLS * 5);
    expect(settled.length).toBeGreaterThan(0);
    expect(unrecorded(tools.completed, recorded)).toEqual([]);
    expect(unrecorded(settled, recorded)).toEqual([]);
    expect([...recorded].filter(([, count]) => count !== 1)).toEqual([]);
  });
});

function unrecorded(calls: readonly CompletedCall[], recorded: ReadonlyMap<string, number>): CompletedCall[] {
  return calls.filter(({ requestId }) => !recorded.has(requestId));
}
