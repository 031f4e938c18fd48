// What tools cost, and how often they may be called: in both eras, by one key and by all.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Fixture } from '../../support/fixture-http.ts';
import { startGateway, type GatewayProcess } from '../../support/gateway-process.ts';
import { costOf, recordedCalls } from '../../support/ledger-readings.ts';
import { connectToolClient, ERAS, type Era, type ToolClient, type ToolResult } from '../../support/tool-client.ts';
import { startDualEraUpstream } from '../../support/upstream-dual-era.ts';

const CALLS = 150;
const ROOM = 40;
const NANO_USD_PER_CALL = 10_000_000;

interface UpstreamTools {
  readonly calls: readonly string[];
}

function key(name: string, server: string, onKey: object = {}, onClient: object = {}): object {
  return {
    key_name: name,
    key: `vk-test-${name}`,
    ...onKey,
    mcp_clients: [{ name: server, allowed_tools: ['*'], ...onClient }],
  };
}

/** All at once, over all of the clients in turn. */
async function callAll(callers: readonly ToolClient[], tool: string, count = CALLS): Promise<ToolResult[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const client = callers[index % callers.length];
      if (client === undefined) throw new Error('no client');
      return client.callTool(tool, { text: `call ${index}`, a: 1, b: 2 });
    }),
  );
}

/** Refused as a model can read it. */
function expectRefused(results: readonly ToolResult[], count: number, words: RegExp): void {
  const refused = results.filter(({ isError }) => isError === true);
  expect(refused).toHaveLength(count);
  for (const { content } of refused) expect(content[0]?.text).toMatch(words);
}

describe('limits on tools', () => {
  let upstream: Fixture;
  let gateway: GatewayProcess;
  const clients: ToolClient[] = [];
  beforeAll(async () => {
    upstream = await startDualEraUpstream();
    gateway = await startGateway({ config: JSON.stringify(document()) });
  });
  afterAll(async () => {
    await Promise.all(clients.map((client) => client.close()));
    await gateway?.discard();
    await upstream?.stop();
  });

  function document(): object {
    const server = { type: 'http', url: `${upstream.url}/mcp` };
    const budgets = [{ limit_usd: (ROOM * NANO_USD_PER_CALL) / 1e9, period: '1d' }];
    return {
      mcp: {
        servers: [
          { name: 'paid', ...server, tool_cost_usd: { echo: NANO_USD_PER_CALL / 1e9, '*': 0 } },
          {
            name: 'shared',
            ...server,
            rate_limit: { requests: ROOM, period: '1h' },
          },
          {
            name: 'bounded',
            ...server,
            tool_cost_usd: { '*': NANO_USD_PER_CALL / 1e9 },
            budgets,
            tool_rate_limits: { add: { requests: 5, period: '1h' } },
          },
        ],
      },
      virtual_keys: ERAS.flatMap((era) => [
        key(`key-${era}`, 'paid', { budgets }),
        key(`client-${era}`, 'paid', {}, { budgets }),
        key(`rated-${era}`, 'paid', {}, { tool_rate_limits: { echo: { requests: ROOM, period: '1h' } } }),
        key(`shared-${era}`, 'shared'),
        key(`bounded-${era}`, 'bounded'),
      ]),
    };
  }

  async function connect(name: string, era: Era): Promise<ToolClient> {
    const client = await connectToolClient({ era, url: `${gateway.url}/mcp`, key: `vk-test-${name}-${era}` });
    clients.push(client);
    return client;
  }

  async function callsSeen(): Promise<number> {
    const response = await fetch(`${upstream.url}/control/state`);
    return ((await response.json()) as UpstreamTools).calls.length;
  }

  it.each(ERAS)('let exactly as many calls pass as a budget pays for (%s)', async (era) => {
    for (const [name, words] of [
      ['key', /budget.*key-/i],
      ['client', /budget.*client-.*paid/i],
    ] as const) {
      const client = await connect(name, era);
      const before = await callsSeen();
      const results = await callAll([client], 'paid__echo');
      expectRefused(results, CALLS - ROOM, words);
      expect((await callsSeen()) - before).toBe(ROOM);
      const rows = (await recordedCalls(gateway, `${name}-${era}`, CALLS)).filter(({ kind }) => kind === 'tool.call');
      expect(costOf(rows)).toBe(ROOM * NANO_USD_PER_CALL);
      // What costs nothing is not refused for want of money.
      expect((await client.callTool('paid__add', { a: 1, b: 2 })).structuredContent).toEqual({ sum: 3 });
    }
  });

  it.each(ERAS)('let exactly so many calls of one tool pass (%s)', async (era) => {
    const client = await connect('rated', era);
    const before = await callsSeen();
    expectRefused(await callAll([client], 'paid__echo'), CALLS - ROOM, /echo/);
    expect((await callsSeen()) - before).toBe(ROOM);
    expect((await client.callTool('paid__add', { a: 1, b: 2 })).structuredContent).toEqual({ sum: 3 });
  });

  it('of a server are shared by all keys and both eras', async () => {
    const callers = await Promise.all(ERAS.map((era) => connect('shared', era)));
    const before = await callsSeen();
    const results = await callAll(callers, 'shared__echo');
    expectRefused(results, CALLS - ROOM, /shared/);
    expect((await callsSeen()) - before).toBe(ROOM);
  });

  it('of one tool of a server and of its budget hold together', async () => {
    const callers = await Promise.all(ERAS.map((era) => connect('bounded', era)));
    const before = await callsSeen();
    expectRefused(await callAll(callers, 'bounded__add', 30), 25, /add/);
    expectRefused(await callAll(callers, 'bounded__echo'), CALLS - (ROOM - 5), /budget/i);
    expect((await callsSeen()) - before).toBe(ROOM);
  });
});
