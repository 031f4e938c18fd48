import { describe, expect, it } from 'vitest';
import { listAt, type JsonObject } from '../../../../src/lib/json-value.ts';
import { ok } from '../../../../src/lib/result.ts';
import { TURN_TOKENS, type AgentWireDialect, type ScriptedTurn } from '../../../support/agent-wire.ts';
import { agentRig, autoTool, DIALECTS, jsonOf, said, textOf, unavailable, type AgentRig } from './agent-rig.ts';
import { answerInStream, toolsAskedIn, usageIn, wordsIn } from './answers.ts';

const READ = { id: 'call_1', name: 'files__read', arguments: { path: '/a' } };
const READ_2 = { id: 'call_2', name: 'files__read', arguments: { path: '/b' } };
const WRITE = { id: 'call_3', name: 'files__write', arguments: { path: '/c' } };
const TWO_TURNS: readonly ScriptedTurn[] = [{ text: 'Let me look.', calls: [READ, READ_2] }, { text: 'It says 42.' }];

function bodyFor(dialect: AgentWireDialect, more: JsonObject = {}): JsonObject {
  const question = { role: 'user', content: 'what does it say?' };
  return dialect === 'responses'
    ? { input: 'what does it say?', ...more }
    : { messages: [question], max_tokens: 9, ...more };
}

function toolNamed(dialect: AgentWireDialect, name: string): JsonObject {
  return dialect === 'chat' ? { type: 'function', function: { name } } : { name };
}

/** The answer, whichever way it came. */
async function ask(
  rig: AgentRig,
  dialect: AgentWireDialect,
  stream: boolean,
  more: JsonObject = {},
): Promise<JsonObject> {
  const body = bodyFor(dialect, { ...more, ...(stream && { stream }) });
  const answer = await rig.ask(body);
  return stream ? answerInStream(dialect, await textOf(answer)) : jsonOf(answer);
}

describe.each(DIALECTS)('the agent loop over %s', (dialect) => {
  describe.each([false, true])('streamed: %s', (stream) => {
    it('runs what it may and calls the model again with the results', async () => {
      const rig = agentRig({ dialect, turns: TWO_TURNS });
      const answer = await ask(rig, dialect, stream);
      expect(wordsIn(dialect, answer)).toEqual(['Let me look.', 'It says 42.']);
      expect(toolsAskedIn(dialect, answer)).toEqual([]);
      expect(rig.calls.map(({ id, arguments: given }) => [id, given])).toEqual([
        ['call_1', { path: '/a' }],
        ['call_2', { path: '/b' }],
      ]);
      expect(rig.sent).toHaveLength(2);
      expect(rig.sent[1]).toEqual({ ...rig.sent[0], ...CONVERSATION[dialect] });
    });

    it('sums the usage of all turns', async () => {
      const rig = agentRig({ dialect, turns: [TWO_TURNS[0] ?? {}, { calls: [READ] }, { text: 'done' }] });
      const usage = usageIn(dialect, await ask(rig, dialect, stream));
      expect(usage).toEqual({
        input: 3 * TURN_TOKENS.input,
        cached: 3 * TURN_TOKENS.cached,
        output: 3 * TURN_TOKENS.output,
      });
    });

    it('hands the whole turn over when one of its calls is not for the gateway to run', async () => {
      const rig = agentRig({
        dialect,
        turns: [
          { text: 'First.', calls: [READ] },
          { text: 'Both.', calls: [READ_2, WRITE] },
        ],
      });
      const answer = await ask(rig, dialect, stream);
      expect(rig.calls.map(({ id }) => id)).toEqual(['call_1']);
      expect(toolsAskedIn(dialect, answer)).toEqual([
        ['call_2', 'files__read', '{"path":"/b"}'],
        ['call_3', 'files__write', '{"path":"/c"}'],
      ]);
      expect(wordsIn(dialect, answer)).toEqual(['First.', 'Both.']);
    });

    it('hands over what the model asks for when the depth is used up', async () => {
      const endless = Array.from({ length: 9 }, (_, index) => ({ calls: [{ ...READ, id: `call_${index}` }] }));
      const rig = agentRig({ dialect, turns: endless, maxDepth: 3 });
      const answer = await ask(rig, dialect, stream);
      expect(rig.calls).toHaveLength(3);
      expect(rig.sent).toHaveLength(4);
      expect(toolsAskedIn(dialect, answer)).toEqual([['call_3', 'files__read', '{"path":"/a"}']]);
    });

    it('tells the model of a call that failed', async () => {
      const rig = agentRig({ dialect, turns: TWO_TURNS, call: async () => unavailable });
      expect(wordsIn(dialect, await ask(rig, dialect, stream))).toEqual(['Let me look.', 'It says 42.']);
      expect(JSON.stringify(rig.sent[1])).toContain('The server \\"files\\" is down.');
    });

    it('does not run a call that was cut short', async () => {
      const rig = agentRig({ dialect, turns: [{ calls: [READ], isCut: true }] });
      const answer = await ask(rig, dialect, stream);
      expect(rig.calls).toEqual([]);
      expect(toolsAskedIn(dialect, answer)).toHaveLength(1);
    });

    it("leaves calls alone that the caller's own tools answer", async () => {
      const own =
        dialect === 'chat' ? { type: 'function', function: { name: 'files__read' } } : { name: 'files__read' };
      const rig = agentRig({ dialect, turns: [{ calls: [READ] }] });
      const answer = await ask(rig, dialect, stream, { tools: [own] });
      expect(rig.calls).toEqual([]);
      expect(toolsAskedIn(dialect, answer)).toHaveLength(1);
      expect(rig.sent[0]?.['tools']).toHaveLength(2);
      expect(listAt(rig.sent[0], 'tools')[0]).toEqual(own);
    });

    it('does not run in circles for a caller that forces a call', async () => {
      const choice = dialect === 'messages' ? { type: 'any' } : 'required';
      const rig = agentRig({ dialect, turns: [{ calls: [READ] }, { calls: [READ] }] });
      await ask(rig, dialect, stream, { tool_choice: choice });
      expect(rig.calls).toEqual([]);
      expect(rig.sent.map((request) => request['tool_choice'])).toEqual([choice]);
    });

    it('records one event per call, joined', async () => {
      const rig = agentRig({ dialect, turns: TWO_TURNS });
      await ask(rig, dialect, stream);
      const models = rig.events.filter(({ kind }) => kind === 'llm.call');
      const tools = rig.events.filter(({ kind }) => kind === 'tool.call');
      expect(models).toHaveLength(2);
      const first = models.find(({ parent_id: parent }) => parent === undefined);
      expect(first?.tool_use_id).toBe('call_1,call_2');
      expect(models.filter(({ parent_id: parent }) => parent === first?.id)).toHaveLength(1);
      expect(tools.map(({ tool_use_id: id, parent_id: parent }) => [id, parent])).toEqual([
        ['call_1', first?.id],
        ['call_2', first?.id],
      ]);
    });
  });

  it('runs the calls of a turn at the same time, up to a bound', async () => {
    let running = 0;
    let most = 0;
    const calls = Array.from({ length: 20 }, (_, index) => ({ ...READ, id: `call_${index}` }));
    const rig = agentRig({
      dialect,
      turns: [{ calls }, { text: 'done' }],
      call: async ({ id }) => {
        most = Math.max(most, ++running);
        await scheduler.wait(5);
        running--;
        return ok(said(id));
      },
    });
    await ask(rig, dialect, false);
    expect(most).toBe(8);
    expect(rig.calls).toHaveLength(20);
    expect(
      [...JSON.stringify(rig.sent[1]).matchAll(/"(?:tool_call_id|call_id|tool_use_id)":"(call_\d+)"/g)]
        .map(([, id]) => id)
        .slice(-20),
    ).toEqual(calls.map(({ id }) => id));
  });

  it("answers with a later turn's error, status and all", async () => {
    const rig = agentRig({ dialect, turns: [{ calls: [READ] }, 429] });
    const answer = await rig.ask(bodyFor(dialect));
    expect(answer.ok && answer.value.status).toBe(429);
    expect(await jsonOf(answer)).toEqual({ error: { message: 'slow down' } });
  });

  it("ends a stream with a later turn's error", async () => {
    const rig = agentRig({ dialect, turns: [{ text: 'Hm.', calls: [READ] }, 429] });
    const text = await textOf(await rig.ask(bodyFor(dialect, { stream: true })));
    expect(text.trimEnd().split('\n').at(-1)).toContain('slow down');
    expect(text).not.toMatch(/\[DONE\]|message_stop|response\.completed/);
  });

  it('cancels the tools of a caller that leaves the stream', async () => {
    let aborted = false;
    const rig = agentRig({
      dialect,
      turns: TWO_TURNS,
      call: async (_use, signal) => {
        await new Promise<void>((resolve) => {
          signal.addEventListener('abort', () => resolve());
        });
        aborted = true;
        return ok(said('too late'));
      },
    });
    const answer = await rig.ask(bodyFor(dialect, { stream: true }));
    const reader = answer.ok ? new Response(answer.value.body).body?.getReader() : undefined;
    while (rig.calls.length === 0) await reader?.read();
    await reader?.cancel();
    expect(aborted).toBe(true);
    expect(rig.sent).toHaveLength(1);
  });

  it('passes the answer of a caller without tools untouched, and what it sent as well', async () => {
    const rig = agentRig({ dialect, turns: [{ text: 'hi' }], tools: [] });
    const body = `{ "model":"p/model-1", "seed":12345678901234567890, ${JSON.stringify(bodyFor(dialect)).slice(1)}`;
    await rig.ask(body);
    expect(rig.texts[0]).toBe(body.replace('p/', ''));
  });

  it('keeps every character of what it does not edit', async () => {
    const rig = agentRig({ dialect, turns: TWO_TURNS });
    const body = `{ "model":"p/model-1", "seed":12345678901234567890,\n\t"metadata" : {"a": 1.0} , ${JSON.stringify(bodyFor(dialect)).slice(1)}`;
    await rig.ask(body);
    for (const text of rig.texts) expect(text).toContain('"seed":12345678901234567890,\n\t"metadata" : {"a": 1.0} ,');
  });

  it('offers nothing twice to a client of /mcp', async () => {
    const tools = [autoTool('files__read'), autoTool('files__write')];
    const offered = async (more: JsonObject, headers?: Record<string, string>): Promise<number> => {
      const rig = agentRig({ dialect, turns: [], tools });
      await rig.ask(bodyFor(dialect, more), headers);
      return listAt(rig.sent[0], 'tools').length - listAt(more, 'tools').filter((tool) => tool !== null).length;
    };
    expect(await offered({ tools: [toolNamed(dialect, 'other')] })).toBe(2);
    expect(await offered({ tools: [toolNamed(dialect, 'mcp__gate__files__read')] })).toBe(1);
    expect(await offered({ tools: [toolNamed(dialect, 'mcp__files__write'), toolNamed(dialect, 'files__read')] })).toBe(
      0,
    );
    expect(await offered({ tools: [toolNamed(dialect, 'myfiles__read')] })).toBe(2);
    const names = { metadata: { known: 'mcp__gate__files__read' } };
    expect(await offered({ ...names, tools: [toolNamed(dialect, 'ToolSearch')] })).toBe(1);
    const connector = { type: 'mcp', server_url: 'http://gate:8080/mcp', url: 'http://gate:8080/mcp' };
    expect(await offered({ mcp_servers: [connector] }, { host: 'gate:8080' })).toBe(0);
    expect(await offered({ mcp_servers: [connector] }, { host: 'other' })).toBe(2);
  });
});

/** The second request's conversation. */
const CONVERSATION: Readonly<Record<AgentWireDialect, JsonObject>> = {
  chat: {
    messages: [
      { role: 'user', content: 'what does it say?' },
      {
        role: 'assistant',
        content: 'Let me look.',
        tool_calls: [
          { id: 'call_1', type: 'function', function: { name: 'files__read', arguments: '{"path":"/a"}' } },
          { id: 'call_2', type: 'function', function: { name: 'files__read', arguments: '{"path":"/b"}' } },
        ],
      },
      { role: 'tool', tool_call_id: 'call_1', content: 'files__read done' },
      { role: 'tool', tool_call_id: 'call_2', content: 'files__read done' },
    ],
  },
  messages: {
    messages: [
      { role: 'user', content: 'what does it say?' },
      {
        role: 'assistant',
        content: [
          { type: 'text', text: 'Let me look.' },
          { type: 'tool_use', id: 'call_1', name: 'files__read', input: { path: '/a' } },
          { type: 'tool_use', id: 'call_2', name: 'files__read', input: { path: '/b' } },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'call_1', content: [{ type: 'text', text: 'files__read done' }] },
          { type: 'tool_result', tool_use_id: 'call_2', content: [{ type: 'text', text: 'files__read done' }] },
        ],
      },
    ],
  },
  responses: {
    input: [
      { role: 'user', content: 'what does it say?' },
      {
        type: 'message',
        id: 'msg_0',
        status: 'completed',
        role: 'assistant',
        content: [{ type: 'output_text', text: 'Let me look.', annotations: [] }],
      },
      ...['a', 'b'].map((path, index) => ({
        type: 'function_call',
        id: `fc_0_${index}`,
        call_id: `call_${index + 1}`,
        status: 'completed',
        name: 'files__read',
        arguments: `{"path":"/${path}"}`,
      })),
      { type: 'function_call_output', call_id: 'call_1', output: 'files__read done' },
      { type: 'function_call_output', call_id: 'call_2', output: 'files__read done' },
    ],
  },
};
