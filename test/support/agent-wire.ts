// What a model says next, written down in the wire format of each dialect. Used by scripted providers in both runtimes.

export type AgentWireDialect = 'chat' | 'responses' | 'messages';

export interface ScriptedCall {
  readonly id: string;
  readonly name: string;
  /** An object, or text that is no JSON. */
  readonly arguments: unknown;
}

export interface ScriptedTurn {
  readonly thinking?: string;
  readonly text?: string;
  readonly calls?: readonly ScriptedCall[];
  /** The answer ran into its token limit. */
  readonly isCut?: boolean;
}

/** Of every turn, so that sums tell how many there were. */
export const TURN_TOKENS = { input: 100, cached: 20, output: 7 };

export interface WireTurn {
  readonly json: Record<string, unknown>;
  /** The same as the events of a stream, each as it stands on the wire. */
  readonly events: readonly string[];
}

/** @param index of the turn, which makes its ids its own */
export function wireTurn(dialect: AgentWireDialect, model: string, turn: ScriptedTurn, index: number): WireTurn {
  return WIRES[dialect](model, turn, index);
}

export function dialectOfPath(path: string): AgentWireDialect {
  if (path.includes('/messages')) return 'messages';
  return path.includes('/responses') ? 'responses' : 'chat';
}

function textOf(given: unknown): string {
  return typeof given === 'string' ? given : JSON.stringify(given);
}

function halves(text: string): string[] {
  return [text.slice(0, text.length / 2), text.slice(text.length / 2)];
}

function data(value: unknown): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}

function named(type: string, members: object): string {
  return `event: ${type}\n${data({ type, ...members })}`;
}

const { input, cached, output } = TURN_TOKENS;

function chat(model: string, turn: ScriptedTurn, index: number): WireTurn {
  const { text, calls = [] } = turn;
  const head = { id: `chatcmpl-${index}`, created: 1_700_000_000 + index, model };
  const usage = {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: cached },
  };
  const toolCalls = calls.map(({ id, name, arguments: given }) => ({
    id,
    type: 'function',
    function: { name, arguments: textOf(given) },
  }));
  const finish = turn.isCut === true ? 'length' : calls.length > 0 ? 'tool_calls' : 'stop';
  const message = { role: 'assistant', content: text ?? null, ...(calls.length > 0 && { tool_calls: toolCalls }) };
  const chunk = (delta: object, finishReason: string | null = null): string =>
    data({
      ...head,
      object: 'chat.completion.chunk',
      choices: [{ index: 0, delta, finish_reason: finishReason }],
      usage: null,
    });
  return {
    json: {
      ...head,
      object: 'chat.completion',
      choices: [{ index: 0, message, finish_reason: finish }],
      usage,
    },
    events: [
      chunk({ role: 'assistant', content: '' }),
      ...halves(text ?? '').flatMap((content) => (content === '' ? [] : [chunk({ content })])),
      ...toolCalls.flatMap((call, at) => {
        const [first, second] = halves(call.function.arguments);
        return [
          chunk({ tool_calls: [{ ...call, index: at, function: { name: call.function.name, arguments: '' } }] }),
          chunk({ tool_calls: [{ index: at, function: { arguments: first } }] }),
          chunk({ tool_calls: [{ index: at, function: { arguments: second } }] }),
        ];
      }),
      chunk({}, finish),
      data({ ...head, object: 'chat.completion.chunk', choices: [], usage }),
      'data: [DONE]\n\n',
    ],
  };
}

function messages(model: string, turn: ScriptedTurn, index: number): WireTurn {
  const { thinking, text, calls = [] } = turn;
  const content: Record<string, unknown>[] = [
    ...(thinking === undefined ? [] : [{ type: 'thinking', thinking, signature: `signed-${index}` }]),
    ...(text === undefined ? [] : [{ type: 'text', text }]),
    ...calls.map(({ id, name, arguments: given }) => ({ type: 'tool_use', id, name, input: given })),
  ];
  const usage = { input_tokens: input - cached, cache_read_input_tokens: cached, output_tokens: output };
  const stopReason = turn.isCut === true ? 'max_tokens' : calls.length > 0 ? 'tool_use' : 'end_turn';
  const message = { id: `msg_${index}`, type: 'message', role: 'assistant', model, stop_sequence: null };
  return {
    json: { ...message, content, stop_reason: stopReason, usage },
    events: [
      named('message_start', {
        message: { ...message, content: [], stop_reason: null, usage: { ...usage, output_tokens: 1 } },
      }),
      ...content.flatMap((block, at) => blockEvents(block, at)),
      named('message_delta', {
        delta: { stop_reason: stopReason, stop_sequence: null },
        usage: { output_tokens: output },
      }),
      named('message_stop', {}),
    ],
  };
}

function blockEvents(block: Record<string, unknown>, index: number): string[] {
  const delta = (change: object): string => named('content_block_delta', { index, delta: change });
  const text = String(block['text'] ?? block['thinking'] ?? textOf(block['input']));
  const begun = {
    text: { type: 'text', text: '' },
    thinking: { type: 'thinking', thinking: '', signature: '' },
    tool_use: { ...block, input: {} },
  }[String(block['type'])];
  const deltas = halves(text).map((part) => {
    if (block['type'] === 'text') return delta({ type: 'text_delta', text: part });
    if (block['type'] === 'thinking') return delta({ type: 'thinking_delta', thinking: part });
    return delta({ type: 'input_json_delta', partial_json: part });
  });
  return [
    named('content_block_start', { index, content_block: begun }),
    named('ping', {}),
    ...deltas,
    ...(block['type'] === 'thinking' ? [delta({ type: 'signature_delta', signature: block['signature'] })] : []),
    named('content_block_stop', { index }),
  ];
}

function responses(model: string, turn: ScriptedTurn, index: number): WireTurn {
  const { thinking, text, calls = [] } = turn;
  const items: Record<string, unknown>[] = [
    ...(thinking === undefined ? [] : [{ type: 'reasoning', id: `rs_${index}`, summary: [] }]),
    ...(text === undefined ? [] : [messageItem(`msg_${index}`, text)]),
    ...calls.map(({ id, name, arguments: given }, at) => ({
      type: 'function_call',
      id: `fc_${index}_${at}`,
      call_id: id,
      status: 'completed',
      name,
      arguments: textOf(given),
    })),
  ];
  const status = turn.isCut === true ? 'incomplete' : 'completed';
  const begun = { id: `resp_${index}`, object: 'response', created_at: 1_700_000_000, model, status: 'in_progress' };
  const usage = {
    input_tokens: input,
    input_tokens_details: { cached_tokens: cached },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: input + output,
  };
  const whole = { ...begun, status, error: null, output: items, usage };
  const events: (readonly [type: string, members: object])[] = [
    ['response.created', { response: { ...begun, output: [], usage: null } }],
    ['response.in_progress', { response: { ...begun, output: [], usage: null } }],
    ...items.flatMap((item, at) => itemEvents(item, at)),
    [`response.${status}`, { response: whole }],
  ];
  return {
    json: whole,
    events: events.map(([type, members], at) => named(type, { ...members, sequence_number: at })),
  };
}

function messageItem(id: string, text: string): Record<string, unknown> {
  const content = [{ type: 'output_text', text, annotations: [] }];
  return { type: 'message', id, status: 'completed', role: 'assistant', content };
}

function itemEvents(item: Record<string, unknown>, index: number): (readonly [type: string, members: object])[] {
  const where = { item_id: item['id'], output_index: index };
  const done = ['response.output_item.done', { output_index: index, item }] as const;
  const added = (begun: object) => ['response.output_item.added', { output_index: index, item: begun }] as const;
  if (item['type'] === 'reasoning') return [added(item), done];
  if (item['type'] === 'function_call') {
    const text = String(item['arguments']);
    return [
      added({ ...item, arguments: '', status: 'in_progress' }),
      ...halves(text).map((part) => ['response.function_call_arguments.delta', { ...where, delta: part }] as const),
      ['response.function_call_arguments.done', { ...where, arguments: text }],
      done,
    ];
  }
  const [part] = item['content'] as { text: string }[];
  const text = part?.text ?? '';
  const here = { ...where, content_index: 0 };
  return [
    added({ ...item, content: [], status: 'in_progress' }),
    ['response.content_part.added', { ...here, part: { ...part, text: '' } }],
    ...halves(text).map((half) => ['response.output_text.delta', { ...here, delta: half, logprobs: [] }] as const),
    ['response.output_text.done', { ...here, text, logprobs: [] }],
    ['response.content_part.done', { ...here, part }],
    done,
  ];
}

const WIRES = { chat, messages, responses } as const satisfies Record<
  AgentWireDialect,
  (model: string, turn: ScriptedTurn, index: number) => WireTurn
>;
