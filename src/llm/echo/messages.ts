import { newId } from '../../lib/ids.ts';
import { at, countAt, isObject, listAt, textAt, type JsonObject } from '../../lib/json-value.ts';
import { answerTo, contentText, outputTokens, piecesOf, tokensIn, type Heard, type Turn } from './turn.ts';
import { eventStream, jsonAnswer, type WireEvent } from './wire.ts';

export function echoMessage(request: unknown, now: number): Response {
  const heard = hear(request);
  const turn = answerTo(heard);
  const usage = {
    input_tokens: tokensIn(heard.characters),
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    output_tokens: outputTokens(turn),
  };
  const stopReason = turn.kind === 'text' ? 'end_turn' : 'tool_use';
  const message = {
    id: newId('msg', now),
    type: 'message',
    role: 'assistant',
    model: textAt(request, 'model'),
    content: [blockOf(turn, now)],
    stop_reason: stopReason,
    stop_sequence: null,
    usage,
  };
  if (at(request, 'stream') !== true) return jsonAnswer(message);

  const begun = { ...message, content: [], stop_reason: null, usage: { ...usage, output_tokens: 1 } };
  return eventStream([
    event('message_start', { message: begun }),
    ...blockEvents(turn, blockOf(turn, now)),
    event('message_delta', {
      delta: { stop_reason: stopReason, stop_sequence: null },
      usage: { output_tokens: usage.output_tokens },
    }),
    event('message_stop', {}),
  ]);
}

export function echoCountTokens(request: unknown): Response {
  return jsonAnswer({ input_tokens: tokensIn(hear(request).characters) });
}

function hear(request: unknown): Heard {
  const messages = listAt(request, 'messages');
  const last = messages.findLast((message) => textAt(message, 'role') === 'user');
  const results = listAt(last, 'content').filter((block) => textAt(block, 'type') === 'tool_result');
  const isToolResult = results.length > 0;
  const system = contentText(at(request, 'system')).length;
  return {
    text: contentText(isToolResult ? results : at(last, 'content')),
    isToolResult,
    tools: listAt(request, 'tools').flatMap((tool) => textAt(tool, 'name') ?? []),
    characters: messages.reduce<number>((sum, message) => sum + contentText(at(message, 'content')).length, system),
  };
}

function blockOf(turn: Turn, now: number): JsonObject {
  return turn.kind === 'text'
    ? { type: 'text', text: turn.text }
    : { type: 'tool_use', id: newId('toolu', now), name: turn.name, input: turn.input };
}

function blockEvents(turn: Turn, block: JsonObject): readonly WireEvent[] {
  const begun = turn.kind === 'text' ? { type: 'text', text: '' } : { ...block, input: {} };
  const deltas =
    turn.kind === 'text'
      ? piecesOf(turn.text).map((text) => ({ type: 'text_delta', text }))
      : [{ type: 'input_json_delta', partial_json: JSON.stringify(turn.input) }];
  return [
    event('content_block_start', { index: 0, content_block: begun }),
    event('ping', {}),
    ...deltas.map((delta) => event('content_block_delta', { index: 0, delta })),
    event('content_block_stop', { index: 0 }),
  ];
}

function event(type: string, members: JsonObject): WireEvent {
  return { type, data: { type, ...members } };
}

export function isMessagesRequest(request: unknown, needsMaxTokens: boolean): boolean {
  const messages = listAt(request, 'messages');
  return (
    messages.length > 0 && messages.every(isObject) && (!needsMaxTokens || (countAt(request, 'max_tokens') ?? 0) > 0)
  );
}
