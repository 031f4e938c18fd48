import type { Usage } from '../../../budget/usage.ts';
import { at, countAt, listAt, parseJson, textAt } from '../../../lib/json-value.ts';
import type { SseEvent } from '../../../lib/sse-parser.ts';
import {
  countedUsage,
  known,
  responseFacts,
  ToolUseIds,
  type ResponseFacts,
  type ResponseReader,
} from '../../response-reader.ts';

/** Events after which nothing of interest follows; each carries the whole response. */
const FINAL_EVENTS = new Set(['response.completed', 'response.incomplete', 'response.failed']);

/** A stream reports usage in its final event only. One cut short counts its deltas, each at least one output token. */
export class ResponsesReader implements ResponseReader {
  readonly #toolUseIds = new ToolUseIds();
  #usage: Omit<Usage, 'certainty'> | undefined;
  #model: string | undefined;
  #deltas = 0;
  #webSearches = 0;
  #isFinished = false;
  #hasFailed = false;

  readBody(body: unknown): void {
    this.#readResponse(body);
    this.#isFinished = true;
  }

  readEvent({ type, data }: SseEvent): void {
    // The bulk of a stream; there is nothing in a delta that counting it does not tell.
    if (type.endsWith('.delta')) {
      this.#deltas++;
      return;
    }
    if (type === 'response.output_item.done') this.#readItem(at(parseJson(data), 'item'));
    else if (type === 'response.created') this.#model = textAt(parseJson(data), 'response', 'model');
    else if (type === 'error') this.#hasFailed = true;
    else if (FINAL_EVENTS.has(type)) {
      this.#webSearches = 0;
      this.#readResponse(at(parseJson(data), 'response'));
      this.#isFinished = true;
      if (type === 'response.failed') this.#hasFailed = true;
    }
  }

  facts(): ResponseFacts {
    const usage: Usage | undefined =
      this.#usage === undefined
        ? countedUsage(this.#deltas)
        : { ...this.#usage, ...(this.#webSearches > 0 && { webSearches: this.#webSearches }), certainty: 'exact' };
    return responseFacts(usage, this.#model, {
      toolUseIds: this.#toolUseIds.list(),
      isWhole: this.#isFinished,
      isFinished: this.#isFinished,
      hasFailed: this.#hasFailed,
    });
  }

  #readResponse(response: unknown): void {
    this.#model = textAt(response, 'model') ?? this.#model;
    this.#usage = responsesUsage(at(response, 'usage'));
    for (const item of listAt(response, 'output')) this.#readItem(item);
  }

  #readItem(item: unknown): void {
    const type = textAt(item, 'type');
    if (type === 'web_search_call') this.#webSearches++;
    // Calls of functions and custom tools have a call id; by it the result is handed in.
    else if (type === 'function_call' || type === 'custom_tool_call') this.#toolUseIds.add(textAt(item, 'call_id'));
  }
}

function responsesUsage(usage: unknown): Omit<Usage, 'certainty'> | undefined {
  const inputTokens = countAt(usage, 'input_tokens');
  if (inputTokens === undefined) return undefined;
  return known({
    inputTokens,
    cacheReadTokens: countAt(usage, 'input_tokens_details', 'cached_tokens'),
    cacheWriteTokens: countAt(usage, 'input_tokens_details', 'cache_write_tokens'),
    outputTokens: countAt(usage, 'output_tokens'),
    reasoningTokens: countAt(usage, 'output_tokens_details', 'reasoning_tokens'),
  });
}
