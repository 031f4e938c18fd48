import type { Usage } from '../../../budget/usage.ts';
import { at, countAt, isObject, listAt, parseJson, textAt, type JsonObject } from '../../../lib/json-value.ts';
import type { SseEvent } from '../../../lib/sse-parser.ts';
import { known, responseFacts, ToolUseIds, type ResponseFacts, type ResponseReader } from '../../response-reader.ts';

/**
 * Anthropic counts input tokens without those read from and written to a cache; here they are summed. A stream tells
 * its input in `message_start` and its output, cumulative, in `message_delta`: one cut short in between is known by its
 * input and by at least one output token for every delta.
 */
export class MessagesReader implements ResponseReader {
  readonly #toolUseIds = new ToolUseIds();
  #usage: JsonObject | undefined;
  #model: string | undefined;
  #deltas = 0;
  #hasFinalUsage = false;
  #isFinished = false;
  #hasFailed = false;

  readBody(body: unknown): void {
    this.#readMessage(body);
    this.#hasFinalUsage = true;
    this.#isFinished = true;
  }

  readEvent({ type, data }: SseEvent): void {
    switch (type) {
      case 'content_block_delta':
        this.#deltas++;
        break;
      case 'message_start':
        this.#readMessage(at(parseJson(data), 'message'));
        break;
      case 'content_block_start':
        this.#readBlock(at(parseJson(data), 'content_block'));
        break;
      case 'message_delta':
        this.#addUsage(at(parseJson(data), 'usage'));
        this.#hasFinalUsage = true;
        break;
      case 'message_stop':
        this.#isFinished = true;
        break;
      case 'error':
        this.#hasFailed = true;
        break;
    }
  }

  facts(): ResponseFacts {
    const usage = this.#usage === undefined ? undefined : this.#total(this.#usage);
    return responseFacts(usage, this.#model, {
      toolUseIds: this.#toolUseIds.list(),
      isWhole: this.#isFinished,
      isFinished: this.#isFinished,
      hasFailed: this.#hasFailed,
    });
  }

  #readMessage(message: unknown): void {
    this.#model = textAt(message, 'model');
    this.#addUsage(at(message, 'usage'));
    for (const block of listAt(message, 'content')) this.#readBlock(block);
  }

  #readBlock(block: unknown): void {
    // `server_tool_use` runs at the provider: no tool call of ours will ever join with it.
    if (textAt(block, 'type') === 'tool_use') this.#toolUseIds.add(textAt(block, 'id'));
  }

  #addUsage(usage: unknown): void {
    if (!isObject(usage)) return;
    const given = Object.entries(usage).filter(([, value]) => value !== null);
    this.#usage = { ...this.#usage, ...Object.fromEntries(given) };
  }

  #total(usage: JsonObject): Usage | undefined {
    const uncached = countAt(usage, 'input_tokens');
    if (uncached === undefined) return undefined;
    const cacheReadTokens = countAt(usage, 'cache_read_input_tokens');
    const cacheWriteTokens = countAt(usage, 'cache_creation_input_tokens');
    const reported = countAt(usage, 'output_tokens');
    const isExact = this.#hasFinalUsage && this.#isFinished;
    return {
      ...known({
        inputTokens: uncached + (cacheReadTokens ?? 0) + (cacheWriteTokens ?? 0),
        cacheReadTokens,
        cacheWriteTokens,
        cacheWrite1hTokens: countAt(usage, 'cache_creation', 'ephemeral_1h_input_tokens'),
        outputTokens: this.#hasFinalUsage ? reported : Math.max(reported ?? 0, this.#deltas),
        reasoningTokens: countAt(usage, 'output_tokens_details', 'thinking_tokens'),
        webSearches: countAt(usage, 'server_tool_use', 'web_search_requests'),
      }),
      certainty: isExact ? 'exact' : 'lower_bound',
    };
  }
}
