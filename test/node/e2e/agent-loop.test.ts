// Tools for callers of models: the vendors' own SDKs against the started gateway, a scripted provider and real MCP
// servers behind it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AGENT_CLIENTS, type AgentAnswer, type AgentAsk } from '../../support/agent-clients.ts';
import { startAgentProvider, type AgentProvider, type AgentScript } from '../../support/agent-provider.ts';
import { TURN_TOKENS, type AgentWireDialect, type ScriptedCall } from '../../support/agent-wire.ts';
import type { Fixture } from '../../support/fixture-http.ts';
import { eventually, startGateway, type GatewayProcess } from '../../support/gateway-process.ts';
import { referenceServer } from '../../support/reference-servers.ts';
import { startDualEraUpstream } from '../../support/upstream-dual-era.ts';

const DIALECTS: readonly AgentWireDialect[] = ['chat', 'responses', 'messages'];
const KEY = 'vk-e2e-agent';
const INJECT = { 'x-sallyport-mcp': 'inject' };

let calls = 0;
function call(name: string, given: unknown): ScriptedCall {
  return { id: `call_${++calls}`, name, arguments: given };
}

const SCRIPTS: Readonly<Record<string, AgentScript>> = {
  plain: () => ({ text: 'No tool needed.' }),
  twice: (round) => {
    if (round === 0)
      return {
        text: 'Looking.',
        calls: [call('fixture__echo', { text: 'one' }), call('everything__get-sum', { a: 19, b: 23 })],
      };
    return round === 1 ? { calls: [call('fixture__echo', { text: 'two' })] } : { text: 'Done.' };
  },
  mixed: () => ({ text: 'Both.', calls: [call('fixture__echo', { text: 'x' }), call('fixture__mixed', {})] }),
  endless: () => ({ calls: [call('fixture__echo', { text: 'again' })] }),
  wrong: (round) => {
    if (round === 0) return { calls: [call('fixture__add', { a: 'nineteen', b: 23 })] };
    return round === 1 ? { calls: [call('fixture__add', { a: 19, b: 23 })] } : { text: 'It is 42.' };
  },
  slow: (round) =>
    round === 0 ? { text: 'Wait.', calls: [call('fixture__slow', { ms: 60_000 })] } : { text: 'Late.' },
  parallel: (round) =>
    round === 0
      ? { calls: Array.from({ length: 4 }, () => call('fixture__slow', { ms: 1000 })) }
      : { text: 'All four.' },
  // A name that has a price.
  'gpt-4o-mini': (round) => (round === 0 ? { calls: [call('fixture__echo', { text: 'x' })] } : { text: 'Cheap.' }),
  failing: (round) => (round === 0 ? { calls: [call('fixture__fail', {})] } : { text: 'It failed.' }),
};

function configFor(provider: string, fixture: string): string {
  const auto = '["echo", "add", "slow", "fail"]';
  const grants = `    mcp_clients:
      - { name: fixture, allowed_tools: ["*"] }
      - { name: everything, allowed_tools: ["get-sum"] }
    providers: [{ name: openai }, { name: anthropic }, { name: echo }]`;
  return `mcp:
  servers:
    - { name: fixture, type: http, url: "${fixture}/mcp", auto_execute: ${auto} }
    - { name: everything, type: stdio, command: ${JSON.stringify(referenceServer('server-everything'))}, auto_execute: ["*"] }
limits: { agent_depth: 4 }
providers:
  - { name: openai, base_url: "${provider}/v1", keys: [{ value: sk-scripted }] }
  - { name: anthropic, base_url: "${provider}", keys: [{ value: sk-ant-scripted }] }
  - { name: echo }
virtual_keys:
  - key_name: agent
    key: ${KEY}
${grants}
  - key_name: always
    key: ${KEY}-always
    inject_tools: true
${grants}
`;
}

function modelOf(dialect: AgentWireDialect, script: string): string {
  return `${dialect === 'messages' ? 'anthropic' : 'openai'}/${script}`;
}

interface Row {
  readonly id: string;
  readonly kind: string;
  readonly outcome: string;
  readonly reason?: string;
  readonly request_id: string;
  readonly parent_id?: string;
  readonly tool_use_id?: string;
  readonly tool?: string;
  readonly input_tokens?: number;
}

describe('tools for callers of models', () => {
  let provider: AgentProvider;
  let fixture: Fixture;
  let gateway: GatewayProcess;

  beforeAll(async () => {
    provider = await startAgentProvider(SCRIPTS);
    fixture = await startDualEraUpstream();
    gateway = await startGateway({ config: configFor(provider.url, fixture.url) });
  });
  afterAll(async () => {
    await gateway?.discard();
    await fixture?.stop();
    await provider?.stop();
  });

  const ask = (dialect: AgentWireDialect, script: string, more: Partial<AgentAsk> = {}): Promise<AgentAnswer> =>
    AGENT_CLIENTS[dialect]({
      url: gateway.url,
      key: KEY,
      model: modelOf(dialect, script),
      stream: false,
      headers: INJECT,
      ...more,
    });
  /** What the provider was sent by `work`. */
  const sentBy = async (work: () => Promise<unknown>): Promise<AgentProvider['seen']> => {
    const before = provider.seen.length;
    await work();
    return provider.seen.slice(before);
  };
  const eventsTagged = (tag: string, count: number): Promise<Row[]> =>
    eventually(`${count} events of ${tag}`, 15_000, async () => {
      const page = (await gateway.admin('/api/audit-events?limit=200')) as { items: (Row & { tags?: object })[] };
      const rows = page.items.filter(({ tags }) => JSON.stringify(tags ?? {}).includes(`"${tag}"`));
      return rows.length >= count ? rows : undefined;
    });
  const seenByFixture = async (): Promise<{ slow: number; cancelled: number }> => {
    const state = (await (await fetch(`${fixture.url}/control/state`)).json()) as {
      cancelled: number;
      calls: string[];
    };
    return { cancelled: state.cancelled, slow: state.calls.filter((name) => name === 'slow').length };
  };
  const post = (path: string, body: unknown, key = KEY): Promise<Response> =>
    fetch(`${gateway.url}${path}`, {
      method: 'POST',
      headers: { ...INJECT, authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const execute = (body: unknown, key = KEY): Promise<Response> => post('/v1/mcp/tool/execute', body, key);

  describe.each(DIALECTS)('in %s', (dialect) => {
    it('offers the tools of the key where it is asked to, and only there', async () => {
      const [asked] = await sentBy(() => ask(dialect, 'plain'));
      const names = (asked?.body.tools ?? []).map(
        (tool) => ('function' in tool ? tool['function'] : tool) as { name: string },
      );
      expect(names.map(({ name }) => name)).toContain('fixture__add');
      expect(names.map(({ name }) => name)).toContain('everything__get-sum');
      expect(names.map(({ name }) => name)).not.toContain('everything__echo');
      const [always] = await sentBy(() => ask(dialect, 'plain', { key: `${KEY}-always`, headers: {} }));
      expect(always?.body.tools).toEqual(asked?.body.tools);
      for (const headers of [{ 'x-sallyport-mcp': 'off' }, {}]) {
        const key = 'x-sallyport-mcp' in headers ? `${KEY}-always` : KEY;
        const [plain] = await sentBy(() => ask(dialect, 'plain', { key, headers }));
        expect(plain?.body).not.toHaveProperty('tools');
      }
    });

    it("does not offer again what the caller brings along, and keeps the caller's own", async () => {
      const ownTools = ['mine', 'mcp__gate__fixture__echo', 'fixture__add'];
      const [sent] = await sentBy(() => ask(dialect, 'plain', { ownTools }));
      const text = JSON.stringify(sent?.body.tools);
      for (const name of ['fixture__echo"', 'fixture__add"', '"mine"']) expect(text.split(name)).toHaveLength(2);
      expect(text).toContain('"fixture__slow"');
    });

    describe.each([false, true])('streamed: %s', (stream) => {
      it('runs what it may, calls the model again, and answers once', async () => {
        const tag = `twice-${dialect}-${stream}`;
        const answer = await ask(dialect, 'twice', {
          stream,
          headers: { ...INJECT, 'x-sallyport-tags': `case=${tag}` },
        });
        expect(answer.words).toBe('Looking.\n\nDone.');
        expect(answer.asked).toEqual([]);
        expect(answer.inputTokens).toBe(3 * TURN_TOKENS.input);
        expect(answer.outputTokens).toBe(3 * TURN_TOKENS.output);
        const told = JSON.stringify(provider.seen.at(-1)?.body);
        for (const result of ['one', 'The sum of 19 and 23 is 42', 'two']) expect(told).toContain(result);

        const rows = await eventsTagged(tag, 6);
        expect(rows).toHaveLength(6);
        expect(new Set(rows.map(({ request_id: id }) => id)).size).toBe(1);
        const models = rows.filter(({ kind }) => kind === 'llm.call');
        expect(models).toHaveLength(3);
        for (const row of models) expect(row).toMatchObject({ outcome: 'ok', input_tokens: TURN_TOKENS.input });
        const first = models.find(({ parent_id: parent }) => parent === undefined);
        expect(models.filter(({ parent_id: parent }) => parent === first?.id)).toHaveLength(2);
        const tools = rows.filter(({ kind }) => kind === 'tool.call');
        expect(tools.map(({ tool }) => tool).toSorted()).toEqual(['echo', 'echo', 'get-sum']);
        for (const row of tools) {
          const parent = models.find(({ id }) => id === row.parent_id);
          expect(parent?.tool_use_id?.split(',')).toContain(row.tool_use_id);
        }
      });

      it('hands a turn over whole when one of its calls is not to be run', async () => {
        const answer = await ask(dialect, 'mixed', { stream });
        expect(answer.asked.map(({ name }) => name)).toEqual(['fixture__echo', 'fixture__mixed']);
        expect(answer.words).toBe('Both.');
      });

      it('stops at the depth that is configured', async () => {
        const sent = await sentBy(async () => {
          const answer = await ask(dialect, 'endless', { stream });
          expect(answer.asked.map(({ name }) => name)).toEqual(['fixture__echo']);
        });
        expect(sent).toHaveLength(5);
      });

      it('tells the model what is wrong with its arguments, without calling the tool', async () => {
        const tag = `wrong-${dialect}-${stream}`;
        const answer = await ask(dialect, 'wrong', {
          stream,
          headers: { ...INJECT, 'x-sallyport-tags': `case=${tag}` },
        });
        expect(answer.words).toBe('It is 42.');
        const corrected = provider.seen.at(-2)?.text ?? '';
        expect(corrected).toContain("do not fit the tool's schema");
        const tools = (await eventsTagged(tag, 5)).filter(({ kind }) => kind === 'tool.call');
        expect(tools.map(({ outcome, reason }) => reason ?? outcome).toSorted()).toEqual(['invalid_request', 'ok']);
      });

      it('tells the model of a tool that failed', async () => {
        const answer = await ask(dialect, 'failing', { stream });
        expect(answer.words).toBe('It failed.');
        expect(provider.seen.at(-1)?.text).toContain('the disk is full');
      });

      it('runs the calls of one turn at the same time', async () => {
        const began = Date.now();
        expect((await ask(dialect, 'parallel', { stream })).words).toBe('All four.');
        expect(Date.now() - began).toBeLessThan(3500);
      });
    });

    it('cancels a running tool when the caller leaves', async () => {
      const before = await seenByFixture();
      const tag = `slow-${dialect}`;
      const leave = new AbortController();
      const answer = ask(dialect, 'slow', {
        stream: true,
        signal: leave.signal,
        headers: { ...INJECT, 'x-sallyport-tags': `case=${tag}` },
      }).catch(() => undefined);
      await eventually('the call', 10_000, async () => ((await seenByFixture()).slow > before.slow ? true : undefined));
      leave.abort();
      await answer;
      await eventually('the cancellation', 15_000, async () =>
        (await seenByFixture()).cancelled > before.cancelled ? true : undefined,
      );
      const rows = await eventsTagged(tag, 2);
      expect(rows.find(({ kind }) => kind === 'tool.call')?.outcome).toBe('cancelled');
      expect(rows.filter(({ kind }) => kind === 'llm.call')).toHaveLength(1);
    });

    it('runs one call that a caller was left with, and takes the result back', async () => {
      const { asked } = await ask(dialect, 'mixed');
      const response = await execute(asked[0]?.whole);
      expect(response.status).toBe(200);
      expect(await response.json()).toEqual(
        {
          chat: { role: 'tool', tool_call_id: asked[0]?.id, content: 'x' },
          responses: { type: 'function_call_output', call_id: asked[0]?.id, output: 'x' },
          messages: { type: 'tool_result', tool_use_id: asked[0]?.id, content: [{ type: 'text', text: 'x' }] },
        }[dialect],
      );
    });
  });

  it.each([
    ['/v1/chat/completions', { messages: [{ role: 'user', content: 'call fixture__echo {"text":"heard"}' }] }],
    ['/v1/responses', { input: 'call fixture__echo {"text":"heard"}' }],
    ['/v1/messages', { max_tokens: 9, messages: [{ role: 'user', content: 'call fixture__echo {"text":"heard"}' }] }],
  ])('runs tools for the built-in provider at %s', async (path, body) => {
    for (const stream of [false, true]) {
      const response = await post(path, { model: 'echo/echo-1', stream, ...body });
      expect(response.status).toBe(200);
      expect(await response.text()).toMatch(/"(?:text|content|delta)":"heard"/);
    }
  });

  it('answers with the cost of all turns', async () => {
    const response = await post('/v1/chat/completions', { model: 'openai/gpt-4o-mini', messages: [] });
    const one = (TURN_TOKENS.input - TURN_TOKENS.cached) * 0.15 + TURN_TOKENS.cached * 0.075 + TURN_TOKENS.output * 0.6;
    expect(Number(response.headers.get('x-sallyport-cost-usd')) * 1e6).toBeCloseTo(2 * one, 3);
  });

  it('passes a request without the header byte for byte', async () => {
    const body =
      '{ "model":"openai/plain",\n "seed": 12345678901234567890, "messages":[{"role":"user","content":"\\u00e9"}] }';
    const [sent] = await sentBy(() =>
      fetch(`${gateway.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
        body,
      }),
    );
    expect(sent?.text).toBe(body.replace('openai/', ''));
  });

  it('takes its own account of a run back in a later request', async () => {
    const shown = {
      responses: [
        {
          type: 'mcp_call',
          id: 'mcp_sallyport_call_x',
          server_label: 'sallyport',
          name: 'fixture__echo',
          arguments: '{}',
          output: 'kept',
        },
      ],
      messages: [
        { type: 'text', text: 'a' },
        { type: 'mcp_tool_use', id: 'call_x', server_name: 'sallyport', name: 'fixture__echo', input: {} },
        { type: 'mcp_tool_result', tool_use_id: 'call_x', is_error: false, content: [{ type: 'text', text: 'kept' }] },
        { type: 'text', text: 'b' },
      ],
    };
    const user = { role: 'user', content: 'and?' };
    const [responses] = await sentBy(() =>
      post('/v1/responses', { model: 'openai/plain', input: [...shown.responses, user] }),
    );
    expect(responses?.body.input).toEqual([
      { type: 'function_call', call_id: 'call_x', name: 'fixture__echo', arguments: '{}' },
      { type: 'function_call_output', call_id: 'call_x', output: 'kept' },
      user,
    ]);
    const history = [user, { role: 'assistant', content: shown.messages }, user];
    const [messages] = await sentBy(() =>
      post('/v1/messages', { model: 'anthropic/plain', max_tokens: 9, messages: history }),
    );
    expect(messages?.body.messages).toEqual([
      user,
      {
        role: 'assistant',
        content: [
          { type: 'text', text: 'a' },
          { type: 'tool_use', id: 'call_x', name: 'fixture__echo', input: {} },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'call_x', is_error: false, content: [{ type: 'text', text: 'kept' }] },
        ],
      },
      { role: 'assistant', content: [{ type: 'text', text: 'b' }] },
      user,
    ]);
  });

  it('gives the same answer for a tool that is not granted and one that is not there', async () => {
    const answers = await Promise.all(
      ['everything__echo', 'everything__nothing', 'nowhere__echo', 'nonsense'].map(async (name) => {
        const response = await execute({ id: 'call_x', type: 'function', function: { name, arguments: '{}' } });
        return [response.status, (await response.text()).replaceAll(name, 'NAME')];
      }),
    );
    expect(answers[0]?.[0]).toBe(403);
    expect(answers[0]?.[1]).toContain('tool_not_allowed');
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    const block = await execute({ type: 'tool_use', id: 'toolu_x', name: 'nonsense', input: {} });
    expect(await block.json()).toMatchObject({
      type: 'error',
      error: { type: 'permission_error', code: 'tool_not_allowed' },
    });
  });

  it.each([
    [{}, 400],
    [[], 400],
    [{ type: 'tool_use', name: 'fixture__echo', input: {} }, 400],
    [{ type: 'function_call', call_id: 'c', arguments: '{}' }, 400],
    [{ id: 'c', type: 'function', function: { name: 'fixture__echo', arguments: 'not json' } }, 200],
  ])('refuses %j', async (body, status) => {
    const response = await execute(body);
    expect(response.status).toBe(status);
    expect(await response.text()).toMatch(/Send one tool call|do not fit the tool's schema/);
    expect((await execute(body, 'vk-unknown-key')).status).toBe(401);
  });

  it('offers and runs no more than the request itself narrows it to', async () => {
    const headers = { ...INJECT, 'x-sallyport-include-servers': 'fixture', 'x-sallyport-include-tools': 'fixture__a*' };
    const [sent] = await sentBy(() => ask('messages', 'plain', { headers }));
    expect(sent?.body.tools?.map(({ name }) => name)).toEqual(['fixture__add', 'fixture__arguments']);
    const answer = await ask('messages', 'twice', { headers });
    expect(answer.asked.map(({ name }) => name)).toEqual(['fixture__echo', 'everything__get-sum']);
  });

  it('refuses a wish that it does not know', async () => {
    const answer = ask('chat', 'plain', { headers: { 'x-sallyport-mcp': 'please' } });
    await expect(answer).rejects.toMatchObject({ status: 400, param: 'x-sallyport-mcp' });
  });
});
