import { at, countAt, isObject, parseJson, textAt, type JsonObject } from '../../../lib/json-value.ts';
import type { SseEvent } from '../../../lib/sse-parser.ts';
import type { ModelTurn, StreamSplice } from '../dialect.ts';
import type { ToolRun, ToolUse } from '../toolbox.ts';
import { summedUsage } from '../usage-sum.ts';
import { wireEvent } from '../wire-event.ts';
import { shownResult, shownUse } from './blocks.ts';
import { turnOf } from './turn.ts';

interface Held {
  readonly type: string;
  readonly data: JsonObject;
}

/** One message: one start, the blocks of all turns counted through, one final delta with the usage of all, one stop. */
export class MessagesSplice implements StreamSplice {
  readonly #isAuto: (name: string) => boolean;
  #hasBegun = false;
  #isFirstTurn = true;
  #isCallers = false;
  #held: Held[] = [];
  /** Blocks given out so far, over all turns. */
  #given = 0;
  /** The turn's blocks, whole, by their index in the turn. */
  readonly #blocks = new Map<number, GrowingBlock>();
  /** Of the turn's blocks that went out: under which index. */
  readonly #indices = new Map<number, number>();
  #usageBefore: unknown;
  #usage: unknown;
  #stopReason: string | undefined;

  constructor(isAuto: (name: string) => boolean) {
    this.#isAuto = isAuto;
  }

  beginTurn(mayRun: boolean): void {
    this.#isFirstTurn = !this.#hasBegun;
    this.#isCallers = !mayRun;
    this.#usageBefore = summedUsage(this.#usageBefore, this.#usage);
    this.#usage = undefined;
    this.#stopReason = undefined;
    this.#blocks.clear();
    this.#indices.clear();
  }

  read({ type, data: text }: SseEvent): string {
    const data = parseJson(text);
    if (!isObject(data) || type === 'ping') return wireEvent(type, text);
    this.#note(type, data);
    if (this.#isCallers) return this.release() + this.#adapted(type, data, text);
    const isHeld = this.#held.length > 0 || type === 'message_delta' || type === 'message_stop' || this.#isCall(data);
    if (!isHeld) return this.#adapted(type, data, text);
    this.#held.push({ type, data });
    return '';
  }

  endTurn(): ModelTurn | undefined {
    if (this.#isCallers) return undefined;
    const content = [...this.#blocks].toSorted(([one], [other]) => one - other).map(([, block]) => block);
    return turnOf(content.map(parsedInput), this.#stopReason);
  }

  release(): string {
    this.#isCallers = true;
    const held = this.#held;
    this.#held = [];
    return held.map(({ type, data }) => this.#adapted(type, data)).join('');
  }

  running(uses: readonly ToolUse[]): string {
    // What the model said after its first call is the caller's to read.
    const said = this.#held.filter(({ type, data }) => type.startsWith('content_block') && !this.#isCall(data));
    this.#held = [];
    return said.map(({ type, data }) => this.#adapted(type, data)).join('') + this.#shown(uses.map(shownUse));
  }

  ran(runs: readonly ToolRun[]): string {
    return this.#shown(runs.map(shownResult));
  }

  fail(body: JsonObject): string {
    return wireEvent('error', body);
  }

  #note(type: string, data: JsonObject): void {
    const index = countAt(data, 'index') ?? 0;
    switch (type) {
      case 'message_start':
        this.#usage = at(data, 'message', 'usage');
        break;
      case 'content_block_start': {
        const block = at(data, 'content_block');
        if (!isObject(block)) break;
        this.#blocks.set(index, block);
        if (this.#isCall(data) && !this.#isAuto(textAt(block, 'name') ?? '')) this.#isCallers = true;
        break;
      }
      case 'content_block_delta':
        this.#blocks.set(index, grown(this.#blocks.get(index) ?? {}, at(data, 'delta')));
        break;
      case 'message_delta':
        this.#usage = withLater(this.#usage, at(data, 'usage'));
        this.#stopReason = textAt(data, 'delta', 'stop_reason') ?? this.#stopReason;
        if (this.#stopReason !== 'tool_use') this.#isCallers = true;
        break;
      case 'error':
        this.#isCallers = true;
        break;
    }
  }

  /** Whether an event is of a block in which the model calls a tool. */
  #isCall(data: JsonObject): boolean {
    const index = countAt(data, 'index');
    return index !== undefined && textAt(this.#blocks.get(index), 'type') === 'tool_use';
  }

  /** The event as one of the one message. @param text as it came, where that may go out */
  #adapted(type: string, data: JsonObject, text?: string): string {
    if (type === 'message_start') {
      if (this.#hasBegun) return '';
      this.#hasBegun = true;
    }
    if (type === 'message_delta' && !this.#isFirstTurn)
      return wireEvent(type, { ...data, usage: summedUsage(this.#usageBefore, this.#usage) });
    const index = countAt(data, 'index');
    if (index === undefined) return wireEvent(type, text ?? data);
    const shown = this.#indices.get(index) ?? this.#given++;
    this.#indices.set(index, shown);
    return wireEvent(type, shown === index ? (text ?? data) : { ...data, index: shown });
  }

  /** Blocks of the gateway's own, each whole from the start. */
  #shown(blocks: readonly JsonObject[]): string {
    return blocks
      .map((block) => {
        const index = this.#given++;
        const start = { type: 'content_block_start', index, content_block: block };
        const stop = { type: 'content_block_stop', index };
        return wireEvent(start.type, start) + wireEvent(stop.type, stop);
      })
      .join('');
  }
}

const INPUT_TEXT = Symbol('the input of a tool use, as far as it has come');

type GrowingBlock = JsonObject & { readonly [INPUT_TEXT]?: string };

function grown(block: GrowingBlock, delta: unknown): GrowingBlock {
  switch (textAt(delta, 'type')) {
    case 'text_delta':
      return { ...block, text: (textAt(block, 'text') ?? '') + (textAt(delta, 'text') ?? '') };
    case 'thinking_delta':
      return { ...block, thinking: (textAt(block, 'thinking') ?? '') + (textAt(delta, 'thinking') ?? '') };
    case 'signature_delta':
      return { ...block, signature: (textAt(block, 'signature') ?? '') + (textAt(delta, 'signature') ?? '') };
    case 'citations_delta': {
      const citations = at(block, 'citations');
      return { ...block, citations: [...(Array.isArray(citations) ? citations : []), at(delta, 'citation')] };
    }
    case 'input_json_delta':
      return { ...block, [INPUT_TEXT]: (block[INPUT_TEXT] ?? '') + (textAt(delta, 'partial_json') ?? '') };
    default:
      return block;
  }
}

/** A block as an answer that was not streamed would have it; input that is not JSON stays text and is refused later. */
function parsedInput({ [INPUT_TEXT]: text, ...block }: GrowingBlock): JsonObject {
  if (text === undefined || text === '') return block;
  return { ...block, input: parseJson(text) ?? text };
}

/** Counts in a later event of one message replace the earlier. */
function withLater(earlier: unknown, later: unknown): unknown {
  if (!isObject(earlier) || !isObject(later)) return later ?? earlier;
  return { ...earlier, ...Object.fromEntries(Object.entries(later).filter(([, value]) => value !== null)) };
}
