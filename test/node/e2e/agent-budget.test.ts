// A limit that leaves no room in the middle of what the gateway runs for a model.
import { APIError as AnthropicError } from '@anthropic-ai/sdk';
import { APIError as OpenAIError } from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AGENT_CLIENTS, type AgentAnswer } from '../../support/agent-clients.ts';
import { startAgentProvider, type AgentProvider } from '../../support/agent-provider.ts';
import type { AgentWireDialect } from '../../support/agent-wire.ts';
import type { Fixture } from '../../support/fixture-http.ts';
import { startGateway, type GatewayProcess } from '../../support/gateway-process.ts';
import { startDualEraUpstream } from '../../support/upstream-dual-era.ts';

const WAYS = (['chat', 'responses', 'messages'] as const).flatMap((dialect) =>
  [false, true].map((stream) => [dialect, stream] as const),
);
/** Of each owner: what is refused is the second call of the model, or the second of the tool. */
const LIMITS = {
  model: { rate_limit: { requests: 2, period: '1h' } },
  tool: {
    mcp_clients: [{ name: 'fixture', allowed_tools: ['*'], tool_rate_limits: { echo: { requests: 1, period: '1h' } } }],
  },
  budget: { budgets: [{ limit_usd: 0.015, period: '1d' }] },
};
type Limited = keyof typeof LIMITS;

const keyOf = (limited: Limited, dialect: AgentWireDialect, stream: boolean): string =>
  `vk-e2e-${limited}-${dialect}-${stream ? 'stream' : 'whole'}`;

function configFor(provider: string, fixture: string): string {
  const prices = { '*': { input_mtok: 0.001, output_mtok: 0.001, max_output_tokens: 1000, context_window: 100_000 } };
  const owners = Object.entries(LIMITS) as [Limited, object][];
  return JSON.stringify({
    mcp: {
      servers: [
        { name: 'fixture', type: 'http', url: `${fixture}/mcp`, auto_execute: ['echo'], tool_cost_usd: { echo: 0.01 } },
      ],
    },
    providers: [
      { name: 'openai', base_url: `${provider}/v1`, prices },
      { name: 'anthropic', base_url: provider, prices },
    ],
    virtual_keys: owners.flatMap(([limited, more]) =>
      WAYS.map((way) => ({
        key_name: keyOf(limited, ...way),
        key: keyOf(limited, ...way),
        providers: [{ name: 'openai' }, { name: 'anthropic' }],
        mcp_clients: [{ name: 'fixture', allowed_tools: ['*'] }],
        ...more,
      })),
    ),
  });
}

describe('a limit within the loop', () => {
  let provider: AgentProvider;
  let fixture: Fixture;
  let gateway: GatewayProcess;
  beforeAll(async () => {
    provider = await startAgentProvider({
      twice: (round) =>
        round < 2
          ? { text: 'Looking.', calls: [{ id: `call_${round}`, name: 'fixture__echo', arguments: { text: 'one' } }] }
          : { text: 'Done.' },
    });
    fixture = await startDualEraUpstream();
    gateway = await startGateway({ config: configFor(provider.url, fixture.url) });
  });
  afterAll(async () => {
    await gateway?.discard();
    await fixture?.stop();
    await provider?.stop();
  });

  const ask = (limited: Limited, dialect: AgentWireDialect, stream: boolean): Promise<AgentAnswer> =>
    AGENT_CLIENTS[dialect]({
      url: gateway.url,
      key: keyOf(limited, dialect, stream),
      model: `${dialect === 'messages' ? 'anthropic' : 'openai'}/twice`,
      stream,
      headers: { 'x-sallyport-mcp': 'inject' },
    });

  it.each(WAYS)('refuses the next call of the model as the dialect has it: %s, stream: %s', async (dialect, stream) => {
    const before = provider.seen.length;
    const error = await ask('model', dialect, stream).catch((fault: unknown) => fault);
    expect(error).toBeInstanceOf(dialect === 'messages' ? AnthropicError : OpenAIError);
    const told = JSON.stringify((error as OpenAIError).error);
    expect(told).toContain('"code":"rate_limited","');
    expect(told).toContain(`"tier":"virtual_key","name":"${keyOf('model', dialect, stream)}","limit":2`);
    // What has begun with 200 can only break.
    expect((error as OpenAIError).status).toBe(stream ? undefined : 429);
    expect(provider.seen.length - before).toBe(1);
  });

  it.each(WAYS)('lets the model read that its tool was refused: %s, stream: %s', async (dialect, stream) => {
    const refusals = {
      tool: `The rate limit of key and server \\"${keyOf('tool', dialect, stream)}/fixture\\" for the tool \\"echo\\"`,
      budget: `The budget of key \\"${keyOf('budget', dialect, stream)}\\" has no room`,
    };
    for (const limited of ['tool', 'budget'] as const) {
      const { words } = await ask(limited, dialect, stream);
      expect(words).toMatch(/Looking\.\s+Looking\.\s+Done\./);
      expect(provider.seen.at(-1)?.text).toContain(refusals[limited]);
    }
  });
});
