// Reading answers as a client does: a stream put together to what the same call answers without one.
import { at, isObject, listAt, parseJson, textAt, type JsonObject } from '../../../../src/lib/json-value.ts';
import type { AgentWireDialect } from '../../../support/agent-wire.ts';
import { eventsIn } from './agent-rig.ts';

type Part = Record<string, unknown>;

/** Throws where the stream is not one coherent answer. */
export function answerInStream(dialect: AgentWireDialect, text: string): JsonObject {
  return { chat: chatIn, responses: responseIn, messages: messageIn }[dialect](text);
}

function once(what: string, count: number): void {
  if (count !== 1) throw new Error(`${what}: ${count} times in one stream`);
}

function chatIn(text: string): JsonObject {
  const events = eventsIn(text);
  if (events.at(-1)?.data['text'] !== '[DONE]') throw new Error('the stream does not end with [DONE]');
  const chunks = events.slice(0, -1).map(({ data }) => data);
  const choices = chunks.flatMap((chunk) => listAt(chunk, 'choices'));
  once('id', new Set(chunks.map(({ id }) => id)).size);
  once('role', choices.filter((choice) => at(choice, 'delta', 'role') !== undefined).length);
  const finishes = choices.flatMap((choice) => textAt(choice, 'finish_reason') ?? []);
  once('finish_reason', finishes.length);
  const calls: Part[] = [];
  for (const part of choices.flatMap((choice) => listAt(choice, 'delta', 'tool_calls'))) {
    const index = Number(at(part, 'index'));
    const known = calls[index] ?? {
      ...(part as Part),
      function: { name: textAt(part, 'function', 'name'), arguments: '' },
    };
    const given = `${textAt(known, 'function', 'arguments') ?? ''}${textAt(part, 'function', 'arguments') ?? ''}`;
    calls[index] = { ...known, function: { name: textAt(known, 'function', 'name'), arguments: given } };
  }
  const content = choices.map((choice) => textAt(choice, 'delta', 'content') ?? '').join('');
  const usages = chunks.flatMap(({ usage }) => (isObject(usage) ? [usage] : []));
  once('usage', usages.length);
  const message = { role: 'assistant', content, ...(calls.length > 0 && { tool_calls: calls }) };
  return { choices: [{ index: 0, message, finish_reason: finishes[0] }], usage: usages[0] };
}

function messageIn(text: string): JsonObject {
  const events = eventsIn(text);
  for (const type of ['message_start', 'message_delta', 'message_stop'])
    once(type, events.filter((event) => event.type === type).length);
  if (events.at(-1)?.type !== 'message_stop') throw new Error('something follows message_stop');
  const blocks: Part[] = [];
  const inputs: string[] = [];
  let message: Part = {};
  let open: number | undefined;
  for (const { type, data } of events) {
    const index = Number(data['index']);
    if (type === 'message_start') message = { ...(data['message'] as Part) };
    if (type === 'content_block_start') {
      if (open !== undefined || index !== blocks.length) throw new Error(`block ${index} begins out of order`);
      open = index;
      blocks.push({ ...(data['content_block'] as Part) });
      inputs.push('');
    }
    if (type === 'content_block_delta') {
      if (open !== index) throw new Error(`a delta of block ${index}, which is not open`);
      const block = blocks[index] ?? {};
      for (const member of ['text', 'thinking', 'signature']) {
        const more = textAt(data, 'delta', member);
        if (more !== undefined) block[member] = `${String(block[member])}${more}`;
      }
      inputs[index] += textAt(data, 'delta', 'partial_json') ?? '';
    }
    if (type === 'content_block_stop') {
      if (inputs[index] !== '') (blocks[index] ?? {})['input'] = parseJson(inputs[index] ?? '');
      open = undefined;
    }
    if (type === 'message_delta') {
      message = { ...message, ...(data['delta'] as Part) };
      message['usage'] = { ...(message['usage'] as Part), ...(data['usage'] as Part) };
    }
  }
  return { ...message, content: blocks };
}

function responseIn(text: string): JsonObject {
  const events = eventsIn(text);
  events.forEach(({ data }, index) => {
    if (data['sequence_number'] !== index)
      throw new Error(`event ${index} is numbered ${String(data['sequence_number'])}`);
  });
  once('response.created', events.filter(({ type }) => type === 'response.created').length);
  const ends = events.filter(({ type }) => /^response\.(completed|incomplete|failed)$/.test(type));
  once('the end', ends.length);
  const items: unknown[] = [];
  for (const { type, data } of events) {
    const index = Number(data['output_index']);
    if (type === 'response.output_item.added' && index !== items.length) throw new Error(`item ${index} out of order`);
    if (type.startsWith('response.output_item.')) items[index] = data['item'];
  }
  const response = at(ends[0]?.data, 'response');
  if (!isObject(response) || JSON.stringify(response['output']) !== JSON.stringify(items))
    throw new Error('the final response does not hold the items that were streamed');
  return response;
}

/** What the model said, turn by turn. */
export function wordsIn(dialect: AgentWireDialect, answer: JsonObject): string[] {
  if (dialect === 'chat')
    return (textAt(listAt(answer, 'choices')[0], 'message', 'content') ?? '')
      .split('\n\n')
      .filter((text) => text !== '');
  const parts =
    dialect === 'messages'
      ? listAt(answer, 'content')
      : listAt(answer, 'output').flatMap((item) => listAt(item, 'content'));
  return parts.flatMap((part) => textAt(part, 'text') ?? []);
}

/** The calls left for the caller: id, name, arguments as text. */
export function toolsAskedIn(dialect: AgentWireDialect, answer: JsonObject): unknown[] {
  if (dialect === 'chat')
    return listAt(at(listAt(answer, 'choices')[0], 'message'), 'tool_calls').map((call) => [
      at(call, 'id'),
      at(call, 'function', 'name'),
      at(call, 'function', 'arguments'),
    ]);
  if (dialect === 'messages')
    return listAt(answer, 'content')
      .filter((block) => textAt(block, 'type') === 'tool_use')
      .map((block) => [at(block, 'id'), at(block, 'name'), JSON.stringify(at(block, 'input'))]);
  return listAt(answer, 'output')
    .filter((item) => textAt(item, 'type') === 'function_call')
    .map((item) => [at(item, 'call_id'), at(item, 'name'), at(item, 'arguments')]);
}

export function usageIn(
  dialect: AgentWireDialect,
  { usage }: JsonObject,
): { input: number; cached: number; output: number } {
  const count = (...path: string[]): number => Number(at(usage, ...path));
  if (dialect === 'chat')
    return {
      input: count('prompt_tokens'),
      cached: count('prompt_tokens_details', 'cached_tokens'),
      output: count('completion_tokens'),
    };
  if (dialect === 'responses')
    return {
      input: count('input_tokens'),
      cached: count('input_tokens_details', 'cached_tokens'),
      output: count('output_tokens'),
    };
  const cached = count('cache_read_input_tokens');
  return { input: count('input_tokens') + cached, cached, output: count('output_tokens') };
}
