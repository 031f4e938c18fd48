// What the dialects do beyond the loop that they share.
import { describe, expect, it } from 'vitest';
import { chatCompletionsDialect, messagesDialect, responsesDialect } from '../../../../src/llm/agent/dialects.ts';
import { bounded } from '../../../../src/llm/agent/tool-result.ts';
import { TOOL_RESULT_CHARACTERS } from '../../../../src/llm/agent/limits.ts';
import type { ToolRun } from '../../../../src/llm/agent/toolbox.ts';
import { summedUsage } from '../../../../src/llm/agent/usage-sum.ts';
import { autoTool, said } from './agent-rig.ts';

const RUN: ToolRun = { use: { id: 'call_1', name: 'files__read', arguments: {} }, answer: said('42') };
const PICTURE: ToolRun = {
  ...RUN,
  answer: { isError: false, content: [{ type: 'image', data: 'aGk=', mimeType: 'image/png' }] },
};
const FAILED: ToolRun = { ...RUN, answer: { isError: true, content: [] } };

describe('a tool as it is offered', () => {
  const tool = autoTool('files__read');
  const schema = { type: 'object' };
  it.each([
    [
      chatCompletionsDialect,
      { type: 'function', function: { name: 'files__read', description: 'd', parameters: schema } },
    ],
    [responsesDialect, { type: 'function', name: 'files__read', description: 'd', parameters: schema, strict: false }],
    [messagesDialect, { name: 'files__read', description: 'd', input_schema: schema }],
  ])('stands in the form of its dialect', (dialect, offered) => {
    expect(dialect.offer(tool, 'd', schema)).toEqual(offered);
  });
});

describe('a result', () => {
  it('shows pictures where the dialect can', () => {
    expect(messagesDialect.resultItem(PICTURE)['content']).toEqual([
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'aGk=' } },
    ]);
    expect(responsesDialect.resultItem(PICTURE)['output']).toEqual([
      { type: 'input_image', image_url: 'data:image/png;base64,aGk=', detail: 'auto' },
    ]);
    expect(chatCompletionsDialect.resultItem(PICTURE)['content']).toContain('image/png');
  });

  it('is never empty where a text is needed', () => {
    expect(chatCompletionsDialect.resultItem(FAILED)['content']).toBe('The tool failed and said nothing.');
    expect(messagesDialect.resultItem(FAILED)).toMatchObject({ is_error: true, content: [] });
  });

  it('is cut where it would fill the context many times over', () => {
    const { content } = bounded({
      isError: false,
      content: [
        { type: 'text', text: 'x'.repeat(TOOL_RESULT_CHARACTERS - 1) },
        { type: 'text', text: 'yyyy' },
        { type: 'image', data: 'aGk=', mimeType: 'image/png' },
      ],
    });
    expect(content[0]).toMatchObject({ text: expect.stringMatching(/^x+$/) });
    expect(content.slice(1)).toEqual([
      { type: 'text', text: 'y\n[cut: 4 characters, of which 1 are shown]' },
      { type: 'text', text: '[cut: 4 characters, of which 0 are shown]' },
    ]);
  });
});

describe('the conversation of Responses', () => {
  const spoken = [
    { type: 'reasoning', id: 'rs_1', summary: [] },
    { type: 'reasoning', id: 'rs_2', summary: [], encrypted_content: 'sealed' },
    { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'files__read', arguments: '{}' },
  ];
  const output = { type: 'function_call_output', call_id: 'call_1', output: '42' };

  it('goes on with all items where the provider stores them', () => {
    const request = { input: [{ role: 'user', content: 'hi' }] };
    expect(responsesDialect.continued(request, spoken, [RUN])).toEqual({
      replace: [...request.input, ...spoken, output],
    });
  });

  it('goes on without ids where the provider does not', () => {
    expect(responsesDialect.continued({ input: 'hi', store: false }, spoken, [RUN])).toEqual({
      replace: [
        { role: 'user', content: 'hi' },
        { type: 'reasoning', summary: [], encrypted_content: 'sealed' },
        { type: 'function_call', call_id: 'call_1', name: 'files__read', arguments: '{}' },
        output,
      ],
    });
  });

  it('adds the results alone where the provider keeps the conversation', () => {
    expect(responsesDialect.continued({ input: 'hi', conversation: 'conv_1' }, spoken, [RUN])).toEqual({
      replace: [output],
    });
  });

  it('leaves a turn to the caller that holds a call of another kind', () => {
    const call = { type: 'function_call', call_id: 'c', name: 'files__read', arguments: '{}' };
    const turn = (type: string) => responsesDialect.readAnswer({ status: 'completed', output: [call, { type }] });
    expect(turn('web_search_call').canContinue).toBe(true);
    for (const type of ['custom_tool_call', 'computer_call', 'local_shell_call', 'mcp_approval_request'])
      expect(turn(type).canContinue).toBe(false);
  });
});

describe('the conversation of Messages', () => {
  it('holds no empty text and no input that is no object', () => {
    const content = [
      { type: 'text', text: '' },
      { type: 'thinking', thinking: 't', signature: 's' },
      { type: 'tool_use', id: 'call_1', name: 'files__read', input: 'no json' },
    ];
    const turn = messagesDialect.readAnswer({ content, stop_reason: 'tool_use' });
    expect(turn.toolUses).toEqual([{ id: 'call_1', name: 'files__read', arguments: undefined }]);
    expect(turn.said).toEqual([{ role: 'assistant', content: [content[1], { ...content[2], input: {} }] }]);
  });

  it("leaves alone what the provider's own connector said", () => {
    const content = [{ type: 'mcp_tool_use', id: 'mcptoolu_1', server_name: 'sallyport', name: 'x', input: {} }];
    expect(messagesDialect.restored({ messages: [{ role: 'assistant', content }] })).toBeUndefined();
  });
});

describe('the turns of Chat Completions', () => {
  it("are the caller's where there are several answers", () => {
    const message = { tool_calls: [{ id: 'c', type: 'function', function: { name: 'files__read', arguments: '' } }] };
    const choice = { index: 0, message, finish_reason: 'tool_calls' };
    expect(chatCompletionsDialect.readAnswer({ choices: [choice] })).toMatchObject({
      canContinue: true,
      toolUses: [{ id: 'c', arguments: {} }],
    });
    expect(chatCompletionsDialect.readAnswer({ choices: [choice, choice] }).canContinue).toBe(false);
  });
});

describe('the usage of two turns', () => {
  it.each([
    [
      { a: 1, b: { c: 2 } },
      { a: 3, b: { c: 4, d: 5 } },
      { a: 4, b: { c: 6, d: 5 } },
    ],
    [
      { a: 1, tier: 'standard' },
      { a: null, tier: 'priority' },
      { a: 1, tier: 'priority' },
    ],
    [undefined, { a: 1 }, { a: 1 }],
    [{ a: 1 }, undefined, { a: 1 }],
  ])('%j and %j', (earlier, later, sum) => {
    expect(summedUsage(earlier, later)).toEqual(sum);
  });
});
