import { newId } from '../../lib/ids.ts';
import { at, listAt, textAt, type JsonObject } from '../../lib/json-value.ts';
import { answerTo, contentText, outputTokens, piecesOf, tokensIn, type Heard, type Turn } from './turn.ts';
import { eventStream, jsonAnswer, type WireEvent } from './wire.ts';

export function echoResponse(request: unknown, now: number): Response {
  const heard = hear(request);
  const turn = answerTo(heard);
  const inputTokens = tokensIn(heard.characters);
  const usage = {
    input_tokens: inputTokens,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: outputTokens(turn),
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: inputTokens + outputTokens(turn),
  };
  const begun = {
    id: newId('resp', now),
    object: 'response',
    created_at: Math.floor(now / 1000),
    error: null,
    incomplete_details: null,
    instructions: at(request, 'instructions') ?? null,
    metadata: {},
    model: textAt(request, 'model'),
    parallel_tool_calls: true,
    tool_choice: 'auto',
    tools: listAt(request, 'tools'),
  };
  const item = itemOf(turn, now);
  const completed = { ...begun, status: 'completed', output: [item], usage };
  if (at(request, 'stream') !== true) return jsonAnswer(completed);

  const inProgress = { ...begun, status: 'in_progress', output: [], usage: null };
  const events: { type: string; [member: string]: unknown }[] = [
    { type: 'response.created', response: inProgress },
    { type: 'response.in_progress', response: inProgress },
    ...(turn.kind === 'text' ? textEvents(turn.text, item) : callEvents(item)),
    { type: 'response.output_item.done', output_index: 0, item },
    { type: 'response.completed', response: completed },
  ];
  return eventStream(
    events.map((sent, index): WireEvent => ({ type: sent.type, data: { ...sent, sequence_number: index } })),
  );
}

function hear(request: unknown): Heard {
  const input = at(request, 'input');
  const tools = listAt(request, 'tools').flatMap((tool) => textAt(tool, 'name') ?? []);
  if (typeof input === 'string') return { text: input, isToolResult: false, tools, characters: input.length };
  const items = listAt(request, 'input');
  const last = items.findLast((item) => textAt(item, 'role') === 'user' || isToolResult(item));
  return {
    text: textOf(last),
    isToolResult: isToolResult(last),
    tools,
    characters: items.reduce<number>((sum, item) => sum + textOf(item).length, 0),
  };
}

function textOf(item: unknown): string {
  return contentText(at(item, 'content') ?? at(item, 'output'));
}

function isToolResult(item: unknown): boolean {
  return textAt(item, 'type') === 'function_call_output';
}

function itemOf(turn: Turn, now: number): JsonObject {
  if (turn.kind === 'text')
    return {
      type: 'message',
      id: newId('msg', now),
      status: 'completed',
      role: 'assistant',
      content: [part(turn.text)],
    };
  return {
    type: 'function_call',
    id: newId('fc', now),
    call_id: newId('call', now),
    status: 'completed',
    name: turn.name,
    arguments: JSON.stringify(turn.input),
  };
}

function part(text: string): JsonObject {
  return { type: 'output_text', text, annotations: [], logprobs: [] };
}

function textEvents(text: string, item: JsonObject): { type: string }[] {
  const where = { item_id: item['id'], output_index: 0, content_index: 0 };
  return [
    added({ ...item, status: 'in_progress', content: [] }),
    event('response.content_part.added', { ...where, part: part('') }),
    ...piecesOf(text).map((delta) => event('response.output_text.delta', { ...where, delta, logprobs: [] })),
    event('response.output_text.done', { ...where, text, logprobs: [] }),
    event('response.content_part.done', { ...where, part: part(text) }),
  ];
}

function callEvents(item: JsonObject): { type: string }[] {
  const where = { item_id: item['id'], output_index: 0 };
  return [
    added({ ...item, status: 'in_progress', arguments: '' }),
    event('response.function_call_arguments.delta', { ...where, delta: item['arguments'] }),
    event('response.function_call_arguments.done', { ...where, name: item['name'], arguments: item['arguments'] }),
  ];
}

function added(item: JsonObject): { type: string } {
  return event('response.output_item.added', { output_index: 0, item });
}

function event(type: string, members: JsonObject): { type: string } {
  return { ...members, type };
}

export function isResponsesRequest(request: unknown): boolean {
  return textAt(request, 'input') !== undefined || listAt(request, 'input').length > 0;
}
