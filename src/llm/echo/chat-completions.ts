import { newId } from '../../lib/ids.ts';
import { at, isObject, listAt, textAt } from '../../lib/json-value.ts';
import { answerTo, contentText, outputTokens, piecesOf, tokensIn, type Heard, type Turn } from './turn.ts';
import { eventStream, jsonAnswer, type WireEvent } from './wire.ts';

export function echoChatCompletion(request: unknown, now: number): Response {
  const heard = hear(request);
  const turn = answerTo(heard);
  const promptTokens = tokensIn(heard.characters);
  const completionTokens = outputTokens(turn);
  const usage = {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0 },
  };
  const head = { id: newId('chatcmpl', now), created: Math.floor(now / 1000), model: textAt(request, 'model') };
  const finishReason = turn.kind === 'text' ? 'stop' : 'tool_calls';
  if (at(request, 'stream') !== true) {
    const choice = { index: 0, message: messageOf(turn, now), logprobs: null, finish_reason: finishReason };
    return jsonAnswer({ ...head, object: 'chat.completion', choices: [choice], usage });
  }

  const chunk = (delta: unknown, finish: string | null = null): WireEvent => ({
    data: {
      ...head,
      object: 'chat.completion.chunk',
      choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
    },
  });
  const wantsUsage = at(request, 'stream_options', 'include_usage') === true;
  return eventStream([
    chunk({ role: 'assistant', content: turn.kind === 'text' ? '' : null }),
    ...deltasOf(turn, now).map((delta) => chunk(delta)),
    chunk({}, finishReason),
    ...(wantsUsage ? [{ data: { ...head, object: 'chat.completion.chunk', choices: [], usage } }] : []),
    { data: '[DONE]' },
  ]);
}

function hear(request: unknown): Heard {
  const messages = listAt(request, 'messages');
  const last = messages.findLast((message) => ['user', 'tool'].includes(textAt(message, 'role') ?? ''));
  return {
    text: contentText(at(last, 'content')),
    isToolResult: textAt(last, 'role') === 'tool',
    tools: listAt(request, 'tools').flatMap((tool) => textAt(tool, 'function', 'name') ?? []),
    characters: messages.reduce<number>((sum, message) => sum + contentText(at(message, 'content')).length, 0),
  };
}

function messageOf(turn: Turn, now: number): unknown {
  if (turn.kind === 'text') return { role: 'assistant', content: turn.text, refusal: null };
  const call = { id: newId('call', now), type: 'function', function: functionOf(turn) };
  return { role: 'assistant', content: null, refusal: null, tool_calls: [call] };
}

function deltasOf(turn: Turn, now: number): readonly unknown[] {
  if (turn.kind === 'text') return piecesOf(turn.text).map((content) => ({ content }));
  const { name, arguments: text } = functionOf(turn);
  const begin = { index: 0, id: newId('call', now), type: 'function', function: { name, arguments: '' } };
  return [{ tool_calls: [begin] }, { tool_calls: [{ index: 0, function: { arguments: text } }] }];
}

function functionOf(turn: Turn & { kind: 'tool' }): { name: string; arguments: string } {
  return { name: turn.name, arguments: JSON.stringify(turn.input) };
}

/** Whether the body is one that Chat Completions would take. */
export function isChatRequest(request: unknown): boolean {
  const messages = listAt(request, 'messages');
  return messages.length > 0 && messages.every(isObject);
}
