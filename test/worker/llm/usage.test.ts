// Responses in the providers' own wire format, and what is to be learnt from each, whole and cut short.
import { describe, expect, it } from 'vitest';
import { SseParser } from '../../../src/lib/sse-parser.ts';
import { OPERATIONS, type Operation } from '../../../src/llm/operation.ts';
import type { ResponseFacts } from '../../../src/llm/response-reader.ts';

function ofBody(operation: Operation, body: unknown): ResponseFacts {
  const reader = operation.createReader();
  reader.readBody(body);
  return reader.facts();
}

/** @param events as `[type, data]`; an empty type names none */
function ofStream(operation: Operation, events: readonly (readonly [string, unknown])[]): ResponseFacts {
  const reader = operation.createReader();
  const parser = new SseParser((event) => reader.readEvent(event));
  for (const [type, data] of events) {
    const text = typeof data === 'string' ? data : JSON.stringify(data);
    parser.feed(new TextEncoder().encode(`${type === '' ? '' : `event: ${type}\n`}data: ${text}\n\n`));
  }
  return reader.facts();
}

const OVER = { isWhole: true, isFinished: true, hasFailed: false };

const chunk = (delta: unknown, more: Record<string, unknown> = {}, finish: string | null = null) =>
  ['', { model: 'gpt-4o-2024-08-06', choices: [{ index: 0, delta, finish_reason: finish }], ...more }] as const;

describe('chat completions', () => {
  const { chatCompletions } = OPERATIONS;
  const usage = {
    prompt_tokens: 100,
    completion_tokens: 50,
    total_tokens: 150,
    prompt_tokens_details: { cached_tokens: 64, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 32, audio_tokens: 0 },
  };
  const counted = {
    inputTokens: 100,
    cacheReadTokens: 64,
    inputAudioTokens: 0,
    outputTokens: 50,
    reasoningTokens: 32,
    outputAudioTokens: 0,
  };
  const toolChunk = (id?: string) =>
    chunk({ tool_calls: [{ index: 0, ...(id && { id }), function: { arguments: '{' } }] });
  const body = [chunk({ role: 'assistant', content: '' }), chunk({ content: 'a' }), toolChunk('call_1'), toolChunk()];

  it('whole', () => {
    const message = { role: 'assistant', content: null, tool_calls: [{ id: 'call_1' }, { id: 'call_2' }] };
    expect(ofBody(chatCompletions, { model: 'gpt-4o-2024-08-06', choices: [{ message }], usage })).toEqual({
      usage: { ...counted, certainty: 'exact' },
      outputBytes: 0,
      responseModel: 'gpt-4o-2024-08-06',
      toolUseIds: ['call_1', 'call_2'],
      ...OVER,
    });
  });

  it('streamed with usage', () => {
    const last = ['', { model: 'gpt-4o-2024-08-06', choices: [], usage }] as const;
    expect(
      ofStream(chatCompletions, [...body, chunk({}, { usage: null }, 'tool_calls'), last, ['', '[DONE]']]),
    ).toEqual({
      usage: { ...counted, certainty: 'exact' },
      outputBytes: 3,
      responseModel: 'gpt-4o-2024-08-06',
      toolUseIds: ['call_1'],
      ...OVER,
    });
  });

  it('streamed without usage: at least a token for each delta, and input is unknown', () => {
    const facts = ofStream(chatCompletions, [...body, chunk({}, {}, 'stop'), ['', '[DONE]']]);
    expect(facts).toMatchObject({ usage: { outputTokens: 3, certainty: 'lower_bound' }, ...OVER });
    expect(facts.usage).not.toHaveProperty('inputTokens');
  });

  it('streamed without [DONE], as some do', () => {
    const facts = ofStream(chatCompletions, [...body, chunk({}, { usage }, 'stop')]);
    expect(facts).toMatchObject({ usage: { outputTokens: 50, certainty: 'exact' }, isWhole: true, isFinished: false });
  });

  it('cut short, and failed on the way', () => {
    expect(ofStream(chatCompletions, body)).toMatchObject({
      usage: { outputTokens: 3, certainty: 'lower_bound' },
      isWhole: false,
    });
    expect(ofStream(chatCompletions, [['', { error: { message: 'overloaded' } }]])).toEqual({
      usage: { certainty: 'lower_bound' },
      outputBytes: 0,
      toolUseIds: [],
      isWhole: false,
      isFinished: false,
      hasFailed: true,
    });
  });

  it('keeps at most twenty ids of tool uses', () => {
    const calls = Array.from({ length: 30 }, (_, index) => ({ id: `call_${index}` }));
    expect(ofBody(chatCompletions, { choices: [{ message: { tool_calls: calls } }] }).toolUseIds).toHaveLength(20);
  });

  it.each([
    null,
    7,
    [],
    {},
    { usage: 7, choices: {} },
    { usage: { prompt_tokens: -1 } },
    { usage: { prompt_tokens: 'x' } },
  ])('learns nothing from %j, and says so', (odd) => {
    const unknown = { certainty: 'lower_bound' };
    expect(ofBody(chatCompletions, odd)).toEqual({ usage: unknown, toolUseIds: [], ...OVER });
    expect(
      ofStream(chatCompletions, [
        ['', odd],
        ['', '{broken'],
      ]).usage,
    ).toEqual(unknown);
  });
});

describe('responses', () => {
  const { responses } = OPERATIONS;
  const output = [
    { type: 'reasoning', id: 'rs_1' },
    { type: 'web_search_call', id: 'ws_1' },
    { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'f', arguments: '{}' },
  ];
  const usage = {
    input_tokens: 80,
    input_tokens_details: { cached_tokens: 16 },
    output_tokens: 40,
    output_tokens_details: { reasoning_tokens: 24 },
    total_tokens: 120,
  };
  const expected = {
    usage: {
      inputTokens: 80,
      cacheReadTokens: 16,
      outputTokens: 40,
      reasoningTokens: 24,
      webSearches: 1,
      certainty: 'exact',
    },
    outputBytes: 3,
    responseModel: 'gpt-5-2025-08-07',
    toolUseIds: ['call_1'],
    ...OVER,
  };
  const whole = { model: 'gpt-5-2025-08-07', output, usage };
  const begun = [
    ['response.created', { type: 'response.created', response: { model: 'gpt-5-2025-08-07', usage: null } }],
    ['response.output_text.delta', { delta: 'a' }],
    ['response.function_call_arguments.delta', { delta: '{' }],
    ...output.map((item) => ['response.output_item.done', { item }] as const),
  ] as const;

  it('whole', () => {
    expect(ofBody(responses, whole)).toEqual(expected);
  });

  it.each(['response.completed', 'response.incomplete'])('streamed to %s', (type) => {
    const streamed = { ...expected, outputBytes: 2 };
    expect(ofStream(responses, [...begun, [type, { type, response: whole }]])).toEqual(streamed);
  });

  it('cut short: its deltas are a lower bound', () => {
    expect(ofStream(responses, begun)).toEqual({
      usage: { outputTokens: 2, webSearches: 1, certainty: 'lower_bound' },
      outputBytes: 2,
      responseModel: 'gpt-5-2025-08-07',
      toolUseIds: ['call_1'],
      isWhole: false,
      isFinished: false,
      hasFailed: false,
    });
  });

  it('failed', () => {
    expect(ofStream(responses, [['response.failed', { response: { model: 'm', usage } }]])).toMatchObject({
      hasFailed: true,
      usage: { inputTokens: 80 },
    });
    expect(ofStream(responses, [['error', { type: 'error', message: 'x' }]]).hasFailed).toBe(true);
  });
});

describe('messages', () => {
  const { messages } = OPERATIONS;
  const input = {
    input_tokens: 20,
    cache_creation_input_tokens: 300,
    cache_read_input_tokens: 4000,
    cache_creation: { ephemeral_5m_input_tokens: 100, ephemeral_1h_input_tokens: 200 },
  };
  const counted = {
    inputTokens: 4320,
    cacheReadTokens: 4000,
    cacheWriteTokens: 300,
    cacheWrite1hTokens: 200,
  };
  const block = { type: 'tool_use', id: 'toolu_1', name: 'f', input: {} };
  const start = [
    'message_start',
    { message: { model: 'claude-sonnet-4-5-20250929', content: [], usage: { ...input, output_tokens: 1 } } },
  ] as const;
  const deltas = Array.from(
    { length: 806 },
    () => ['content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'a' } }] as const,
  );
  const begun = [
    start,
    ['content_block_start', { index: 0, content_block: block }],
    ['content_block_start', { index: 1, content_block: { type: 'server_tool_use', id: 'srvtoolu_1' } }],
    ['ping', {}],
    ...deltas,
  ] as const;
  const end = [
    [
      'message_delta',
      {
        delta: { stop_reason: 'tool_use' },
        usage: { output_tokens: 900, server_tool_use: { web_search_requests: 2 } },
      },
    ],
    ['message_stop', {}],
  ] as const;

  it('whole', () => {
    const usage = {
      ...input,
      output_tokens: 900,
      server_tool_use: null,
      output_tokens_details: { thinking_tokens: 700 },
    };
    expect(ofBody(messages, { model: 'claude-sonnet-4-5-20250929', content: [block], usage })).toEqual({
      usage: { ...counted, outputTokens: 900, reasoningTokens: 700, certainty: 'exact' },
      outputBytes: 1,
      responseModel: 'claude-sonnet-4-5-20250929',
      toolUseIds: ['toolu_1'],
      ...OVER,
    });
  });

  it('streamed', () => {
    expect(ofStream(messages, [...begun, ...end])).toEqual({
      usage: { ...counted, outputTokens: 900, webSearches: 2, certainty: 'exact' },
      outputBytes: 807,
      responseModel: 'claude-sonnet-4-5-20250929',
      toolUseIds: ['toolu_1'],
      ...OVER,
    });
  });

  it('cut short: the input is known from the start, the output by its deltas', () => {
    expect(ofStream(messages, begun)).toMatchObject({
      usage: { ...counted, outputTokens: 806, certainty: 'lower_bound' },
      isWhole: false,
    });
    expect(ofStream(messages, [...begun, ['error', { error: { type: 'overloaded_error' } }]]).hasFailed).toBe(true);
    expect(ofStream(messages, [start]).usage?.outputTokens).toBe(1);
  });

  it('counting tokens uses none', () => {
    expect(ofBody(OPERATIONS.countTokens, { input_tokens: 5000 }).usage).toEqual({
      inputTokens: 0,
      outputTokens: 0,
      certainty: 'exact',
    });
  });
});

it('embeddings', () => {
  const body = { model: 'text-embedding-3-small', data: [], usage: { prompt_tokens: 8, total_tokens: 8 } };
  expect(ofBody(OPERATIONS.embeddings, body)).toEqual({
    usage: { inputTokens: 8, certainty: 'exact' },
    responseModel: 'text-embedding-3-small',
    toolUseIds: [],
    ...OVER,
  });
});
