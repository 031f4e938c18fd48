import { at, isObject, listAt, parseJson, textAt, type JsonObject } from '../../../lib/json-value.ts';
import type { SseEvent } from '../../../lib/sse-parser.ts';
import { generatedBytes } from '../../generated-bytes.ts';
import { responseFacts, ToolUseIds, type ResponseFacts, type ResponseReader } from '../../response-reader.ts';
import { believableUsage, termsOf } from '../../told-usage.ts';
import { hasOtherModels, messagesCounts } from './counts.ts';

/**
 * A stream tells its input in `message_start` and its output, cumulative, in `message_delta`: one cut short in between is
 * known by its input and by at least one output token for every delta.
 */
export class MessagesReader implements ResponseReader {
  readonly #toolUseIds = new ToolUseIds();
  #usage: JsonObject = {};
  #model: string | undefined;
  #deltas = 0;
  #bytes: number | undefined;
  #runsCode = false;
  #hasFinalUsage = false;
  #isFinished = false;
  #hasFailed = false;

  readBody(body: unknown): void {
    this.#readMessage(body);
    this.#deltas = (this.#bytes ?? 0) > 0 ? 1 : 0;
    this.#hasFinalUsage = true;
    this.#isFinished = true;
  }

  readEvent({ type, data }: SseEvent): void {
    this.#bytes ??= 0;
    switch (type) {
      case 'content_block_delta':
        this.#deltas++;
        this.#bytes = (this.#bytes ?? 0) + generatedBytes(at(parseJson(data), 'delta'));
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
    const { service_tier: tier, speed, inference_geo: geo } = this.#usage;
    const usage = believableUsage(messagesCounts(this.#usage, this.#runsCode), {
      isFinal: this.#hasFinalUsage && this.#isFinished,
      // What `message_start` has is of the first token, and what the last `message_delta` has is of all.
      pieces: this.#hasFinalUsage ? Math.min(1, this.#deltas) : this.#deltas,
      hasOutput: true,
      terms: termsOf({ tier, speed, geo }),
      hasOtherCharges: hasOtherModels(this.#usage),
    });
    const told = {
      toolUseIds: this.#toolUseIds.list(),
      isWhole: this.#isFinished,
      isFinished: this.#isFinished,
      hasFailed: this.#hasFailed,
    };
    return responseFacts(usage, this.#model, told, this.#bytes);
  }

  #readMessage(message: unknown): void {
    this.#model = textAt(message, 'model');
    this.#addUsage(at(message, 'usage'));
    for (const block of listAt(message, 'content')) this.#readBlock(block);
  }

  #readBlock(block: unknown): void {
    const type = textAt(block, 'type') ?? '';
    // Results of the provider's own tools are not of the model's saying.
    if (!type.endsWith('_tool_result')) this.#bytes = (this.#bytes ?? 0) + generatedBytes(block);
    // `server_tool_use` runs at the provider: no tool call of ours will ever join with it.
    if (type === 'tool_use') this.#toolUseIds.add(textAt(block, 'id'));
    if (type === 'server_tool_use' && textAt(block, 'name')?.endsWith('code_execution') === true) this.#runsCode = true;
  }

  #addUsage(usage: unknown): void {
    if (!isObject(usage)) return;
    const given = Object.entries(usage).filter(([, value]) => value !== null);
    this.#usage = { ...this.#usage, ...Object.fromEntries(given) };
  }
}
