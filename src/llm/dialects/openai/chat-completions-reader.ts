import { at, listAt, parseJson, textAt } from '../../../lib/json-value.ts';
import type { SseEvent } from '../../../lib/sse-parser.ts';
import { generatedBytes } from '../../generated-bytes.ts';
import { responseFacts, ToolUseIds, type ResponseFacts, type ResponseReader } from '../../response-reader.ts';
import { believableUsage, termsOf } from '../../told-usage.ts';
import { chatCounts } from './counts.ts';

/**
 * A stream reports usage only if it was asked to (`stream_options.include_usage`). Without it every delta counts as one
 * output token, which is a lower bound; input stays unknown.
 */
export class ChatCompletionsReader implements ResponseReader {
  readonly #toolUseIds = new ToolUseIds();
  #usage: unknown;
  #model: string | undefined;
  #tier: string | undefined;
  #deltas = 0;
  #bytes: number | undefined;
  #isWhole = false;
  #isFinished = false;
  #hasFailed = false;

  readBody(body: unknown): void {
    this.#readTop(body);
    for (const choice of listAt(body, 'choices')) this.#readSaid(at(choice, 'message'));
    this.#isWhole = true;
    this.#isFinished = true;
  }

  readEvent({ data }: SseEvent): void {
    if (data === '[DONE]') {
      this.#isWhole = true;
      this.#isFinished = true;
      return;
    }
    this.#bytes ??= 0;
    const chunk = parseJson(data);
    this.#readTop(chunk);
    if (at(chunk, 'error') !== undefined) this.#hasFailed = true;
    for (const choice of listAt(chunk, 'choices')) {
      this.#readSaid(at(choice, 'delta'));
      // Not every compatible provider ends with [DONE].
      if (textAt(choice, 'finish_reason') !== undefined) this.#isWhole = true;
    }
  }

  facts(): ResponseFacts {
    const usage = believableUsage(chatCounts(this.#usage), {
      isFinal: this.#isWhole,
      pieces: this.#deltas,
      hasOutput: true,
      terms: termsOf({ tier: this.#tier }),
    });
    const told = {
      toolUseIds: this.#toolUseIds.list(),
      isWhole: this.#isWhole,
      isFinished: this.#isFinished,
      hasFailed: this.#hasFailed,
    };
    return responseFacts(usage, this.#model, told, this.#bytes);
  }

  #readTop(body: unknown): void {
    this.#model ??= textAt(body, 'model');
    this.#tier = textAt(body, 'service_tier') ?? this.#tier;
    this.#usage = at(body, 'usage') ?? at(body, 'x_groq', 'usage') ?? this.#usage;
  }

  #readSaid(message: unknown): void {
    const bytes = generatedBytes(message);
    const calls = listAt(message, 'tool_calls');
    if (bytes > 0 || calls.length > 0) this.#deltas++;
    this.#bytes = (this.#bytes ?? 0) + bytes;
    for (const call of calls) this.#toolUseIds.add(textAt(call, 'id'));
  }
}
