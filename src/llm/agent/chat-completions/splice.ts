import { at, isObject, listAt, parseJson, textAt, type JsonObject } from '../../../lib/json-value.ts';
import type { SseEvent } from '../../../lib/sse-parser.ts';
import type { ModelTurn, StreamSplice } from '../dialect.ts';
import { summedUsage } from '../usage-sum.ts';
import { wireEvent } from '../wire-event.ts';
import { TURN_BREAK, turnOf } from './turn.ts';

/** One `chat.completion.chunk` stream: the id of the first turn, one role, one finish reason, one usage, one [DONE]. */
export class ChatCompletionsSplice implements StreamSplice {
  readonly #isAuto: (name: string) => boolean;
  /** What the chunks of the first turn call themselves. */
  #identity: JsonObject | undefined;
  #isFirstTurn = true;
  #isCallers = false;
  #hasSpoken = false;
  #held: string[] = [];
  #usageBefore: unknown;
  #usage: unknown;
  #text = '';
  #reasoning = '';
  #finishReason: string | undefined;
  readonly #calls = new Map<number, JsonObject>();

  constructor(isAuto: (name: string) => boolean) {
    this.#isAuto = isAuto;
  }

  beginTurn(mayRun: boolean): void {
    this.#isFirstTurn = this.#identity === undefined;
    this.#isCallers = !mayRun;
    this.#hasSpoken ||= this.#text !== '';
    this.#usageBefore = summedUsage(this.#usageBefore, this.#usage);
    this.#usage = undefined;
    this.#text = '';
    this.#reasoning = '';
    this.#finishReason = undefined;
    this.#calls.clear();
  }

  read({ data }: SseEvent): string {
    const chunk = parseJson(data);
    if (!isObject(chunk)) return this.#give(wireEvent('', data), data === '[DONE]');
    const choices = listAt(chunk, 'choices');
    const delta = at(choices[0], 'delta');
    const content = textAt(delta, 'content') ?? '';
    const breaks = this.#hasSpoken && this.#text === '' && content !== '';
    this.#note(chunk, choices);
    if (this.#isCallers || !this.#mayEnd) return this.#give(this.#adapted(chunk, choices, breaks, data), false);
    if (content === '') return this.#give(this.#adapted(chunk, choices, false, data), true);
    // Words have a place of their own in the message, whatever calls stand beside them.
    const words = { index: 0, delta: { content }, finish_reason: null };
    this.#held.push(this.#adapted(chunk, [withoutContent(choices[0])], false));
    return this.#adapted({ ...chunk, usage: null }, [words], breaks);
  }

  endTurn(): ModelTurn | undefined {
    if (this.#isCallers) return undefined;
    const message = {
      role: 'assistant',
      content: this.#text === '' ? null : this.#text,
      ...(this.#reasoning !== '' && { reasoning_content: this.#reasoning }),
      ...(this.#calls.size > 0 && { tool_calls: [...this.#calls.values()] }),
    };
    return turnOf(message, this.#finishReason, true);
  }

  release(): string {
    this.#isCallers = true;
    const text = this.#held.join('');
    this.#held = [];
    return text;
  }

  running(): string {
    return '';
  }

  ran(): string {
    this.#held = [];
    return '';
  }

  fail(body: JsonObject): string {
    return wireEvent('', body);
  }

  /** Whether what comes now may be the last of a turn that the gateway goes on from. */
  get #mayEnd(): boolean {
    return this.#calls.size > 0 || this.#finishReason !== undefined;
  }

  #give(text: string, hold: boolean): string {
    if (this.#isCallers) return this.release() + text;
    if (!hold) return text;
    this.#held.push(text);
    return '';
  }

  #note(chunk: JsonObject, choices: readonly unknown[]): void {
    const { id, created, system_fingerprint: fingerprint } = chunk;
    this.#identity ??= { id, created, ...(fingerprint !== undefined && { system_fingerprint: fingerprint }) };
    if (isObject(chunk['usage'])) this.#usage = chunk['usage'];
    const delta = at(choices[0], 'delta');
    this.#text += textAt(delta, 'content') ?? '';
    this.#reasoning += textAt(delta, 'reasoning_content') ?? '';
    this.#finishReason = textAt(choices[0], 'finish_reason') ?? this.#finishReason;
    for (const part of listAt(delta, 'tool_calls')) if (isObject(part)) this.#noteCall(part);
    // `function_call` is the form that came before tools: always the caller's own.
    const isOther = choices.some((choice) => at(choice, 'index') !== 0) || at(delta, 'function_call') !== undefined;
    const isOver = this.#finishReason !== undefined && this.#calls.size === 0;
    if (isOther || isOver || isObject(chunk['error'])) this.#isCallers = true;
  }

  #noteCall({ index, function: called, ...rest }: JsonObject): void {
    const key = typeof index === 'number' ? index : this.#calls.size;
    const known = this.#calls.get(key);
    const name = textAt(called, 'name') ?? textAt(known, 'function', 'name') ?? '';
    const text = (textAt(known, 'function', 'arguments') ?? '') + (textAt(called, 'arguments') ?? '');
    // Whatever a provider hangs onto a call, such as a signature, it wants back.
    const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null && value !== ''));
    this.#calls.set(key, { ...known, ...given, function: { name, arguments: text } });
    if (known === undefined && !this.#isAuto(name)) this.#isCallers = true;
  }

  /** The chunk as one of the first turn's stream. @param data the chunk as it came, where nothing in it is changed */
  #adapted(chunk: JsonObject, choices: readonly unknown[], breaks: boolean, data?: string): string {
    if (this.#isFirstTurn) return wireEvent('', data ?? { ...chunk, choices });
    const usage = isObject(chunk['usage']) ? summedUsage(this.#usageBefore, chunk['usage']) : undefined;
    const later = choices.map((choice) => laterChoice(choice, breaks));
    if (usage === undefined && later.length > 0 && later.every(saysNothing)) return '';
    return wireEvent('', { ...chunk, ...this.#identity, choices: later, ...(usage !== undefined && { usage }) });
  }
}

/** A choice of a later turn: the role has been told, and its first words stand apart from those before. */
function laterChoice(choice: unknown, breaks: boolean): unknown {
  if (!isObject(choice)) return choice;
  const { role: _role, ...delta } = deltaOf(choice);
  return { ...choice, delta: breaks ? { ...delta, content: TURN_BREAK + String(delta['content']) } : delta };
}

function saysNothing(choice: unknown): boolean {
  const isEmpty = Object.values(deltaOf(choice)).every((value) => value === '' || value === null);
  return isEmpty && textAt(choice, 'finish_reason') === undefined;
}

function withoutContent(choice: unknown): unknown {
  const { content: _content, ...delta } = deltaOf(choice);
  return isObject(choice) ? { ...choice, delta } : choice;
}

function deltaOf(choice: unknown): JsonObject {
  const delta = at(choice, 'delta');
  return isObject(delta) ? delta : {};
}
