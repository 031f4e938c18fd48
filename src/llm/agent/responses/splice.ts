import { at, countAt, isObject, listAt, parseJson, textAt, type JsonObject } from '../../../lib/json-value.ts';
import type { SseEvent } from '../../../lib/sse-parser.ts';
import type { ModelTurn, StreamSplice } from '../dialect.ts';
import type { ToolRun, ToolUse } from '../toolbox.ts';
import { summedUsage } from '../usage-sum.ts';
import { wireEvent } from '../wire-event.ts';
import { shownCall } from './items.ts';
import { isCallers, isFunctionCall, turnOf } from './turn.ts';

interface Held {
  readonly type: string;
  readonly data: JsonObject;
}

const BEGINNINGS = new Set(['response.created', 'response.in_progress', 'response.queued']);
const ENDINGS = new Set(['response.completed', 'response.incomplete', 'response.failed']);

/**
 * One response, under the id of the first turn: created once, the items of all turns counted through, completed once
 * with all of them and the usage of all turns.
 */
export class ResponsesSplice implements StreamSplice {
  readonly #isAuto: (name: string) => boolean;
  #hasBegun = false;
  /** What the response called itself when it began. */
  #identity: JsonObject = {};
  #isFirstTurn = true;
  #isCallers = false;
  #held: Held[] = [];
  /** Items shown so far, over all turns, whole. */
  readonly #shown: JsonObject[] = [];
  /** The turn's items by their index in the turn, and under which index they went out. */
  readonly #items = new Map<number, JsonObject>();
  readonly #indices = new Map<number, number>();
  /** How many items were shown before this turn. */
  #before = 0;
  #sequence = 0;
  #final: JsonObject | undefined;
  #usageBefore: unknown;
  /** Under which index each running call is shown. */
  readonly #running = new Map<string, number>();

  constructor(isAuto: (name: string) => boolean) {
    this.#isAuto = isAuto;
  }

  beginTurn(mayRun: boolean): void {
    this.#isFirstTurn = !this.#hasBegun;
    this.#isCallers = !mayRun;
    this.#usageBefore = summedUsage(this.#usageBefore, this.#final?.['usage']);
    this.#final = undefined;
    this.#before = this.#shown.length;
    this.#items.clear();
    this.#indices.clear();
    this.#running.clear();
  }

  read({ type, data: text }: SseEvent): string {
    const data = parseJson(text);
    if (!isObject(data)) return wireEvent(type, text);
    this.#note(type, data);
    if (BEGINNINGS.has(type)) {
      if (!this.#isFirstTurn) return '';
      this.#identity = { id: at(data, 'response', 'id'), created_at: at(data, 'response', 'created_at') };
    }
    this.#hasBegun = true;
    if (this.#isCallers) return this.release() + this.#adapted(type, data, text);
    const isHeld = this.#held.length > 0 || ENDINGS.has(type) || this.#isCall(data);
    if (!isHeld) return this.#adapted(type, data, text);
    this.#held.push({ type, data });
    return '';
  }

  endTurn(): ModelTurn | undefined {
    if (this.#isCallers || this.#final === undefined) return undefined;
    return turnOf(listAt(this.#final, 'output'), textAt(this.#final, 'status'));
  }

  release(): string {
    this.#isCallers = true;
    const held = this.#held;
    this.#held = [];
    return held.map(({ type, data }) => this.#adapted(type, data)).join('');
  }

  running(uses: readonly ToolUse[]): string {
    // What the model said after its first call is the caller's to read.
    const said = this.#held.filter(({ type, data }) => !ENDINGS.has(type) && !this.#isCall(data));
    this.#held = [];
    const begun = uses.map((use) => {
      const item = shownCall(use);
      const where = { output_index: this.#shown.push(item) - 1, item_id: item['id'] };
      this.#running.set(use.id, where.output_index);
      return (
        this.#own('response.output_item.added', { output_index: where.output_index, item }) +
        this.#own('response.mcp_call.in_progress', where) +
        this.#own('response.mcp_call_arguments.done', { ...where, arguments: item['arguments'] })
      );
    });
    return said.map(({ type, data }) => this.#adapted(type, data)).join('') + begun.join('');
  }

  ran(runs: readonly ToolRun[]): string {
    const done = runs.map((run) => {
      const item = shownCall(run.use, run);
      const index = this.#running.get(run.use.id) ?? this.#shown.length;
      this.#shown[index] = item;
      const end = run.answer.isError ? 'response.mcp_call.failed' : 'response.mcp_call.completed';
      return (
        this.#own(end, { output_index: index, item_id: item['id'] }) +
        this.#own('response.output_item.done', { output_index: index, item })
      );
    });
    return done.join('');
  }

  fail(body: JsonObject): string {
    const error = isObject(body['error']) ? body['error'] : {};
    const { code = null, message = '', param = null } = error;
    return this.#own('error', { code, message, param, error });
  }

  #note(type: string, data: JsonObject): void {
    const index = countAt(data, 'output_index');
    const item = at(data, 'item');
    if (index !== undefined && isObject(item)) {
      this.#items.set(index, item);
      const isOthers = isFunctionCall(item) && !this.#isAuto(textAt(item, 'name') ?? '');
      if (isOthers || isCallers(item)) this.#isCallers = true;
    }
    if (type === 'error') this.#isCallers = true;
    if (!ENDINGS.has(type)) return;
    const response = at(data, 'response');
    this.#final = isObject(response) ? response : {};
    const turn = turnOf(listAt(this.#final, 'output'), textAt(this.#final, 'status'));
    const isAuto = turn.toolUses.length > 0 && turn.toolUses.every(({ name }) => this.#isAuto(name));
    if (!isAuto || !turn.canContinue) this.#isCallers = true;
  }

  /** Whether an event is of an item in which the model calls a function. */
  #isCall(data: JsonObject): boolean {
    const index = countAt(data, 'output_index');
    return index !== undefined && isFunctionCall(this.#items.get(index));
  }

  /** The event as one of the one response. @param text as it came, where that may go out */
  #adapted(type: string, data: JsonObject, text?: string): string {
    const index = countAt(data, 'output_index');
    const changes: Record<string, unknown> = {};
    if (index !== undefined) {
      const shown = this.#indices.get(index) ?? this.#shown.length;
      this.#indices.set(index, shown);
      this.#shown[shown] = this.#items.get(index) ?? {};
      if (shown !== index) changes['output_index'] = shown;
    }
    if (ENDINGS.has(type) && !this.#isFirstTurn) changes['response'] = this.#whole(data['response']);
    const sequence = countAt(data, 'sequence_number');
    if (sequence !== undefined && sequence !== this.#sequence) changes['sequence_number'] = this.#sequence;
    this.#sequence++;
    const isChanged = Object.keys(changes).length > 0;
    return wireEvent(type, isChanged ? { ...data, ...changes } : (text ?? data));
  }

  #whole(response: unknown): unknown {
    if (!isObject(response)) return response;
    const usage = summedUsage(this.#usageBefore, response['usage']);
    const output = [...this.#shown.slice(0, this.#before), ...listAt(response, 'output')];
    return { ...response, ...this.#identity, output, ...(usage !== undefined && { usage }) };
  }

  #own(type: string, members: JsonObject): string {
    return wireEvent(type, { type, sequence_number: this.#sequence++, ...members });
  }
}
