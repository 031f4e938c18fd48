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

/**
 * A stream reports usage only if the caller asked for it (`stream_options.include_usage`), and the request is not
 * changed to ask. Without it every delta counts as one output token, which is a lower bound; input stays unknown.
 */
export class ChatCompletionsReader implements ResponseReader {
  readonly #toolUseIds = new ToolUseIds();
  #usage: Omit<Usage, 'certainty'> | undefined;
  #model: string | undefined;
  #deltas = 0;
  #isWhole = false;
  #isFinished = false;
  #hasFailed = false;

  readBody(body: unknown): void {
    this.#model = textAt(body, 'model');
    this.#usage = chatUsage(at(body, 'usage'));
    for (const choice of listAt(body, 'choices'))
      for (const call of listAt(choice, 'message', 'tool_calls')) this.#toolUseIds.add(textAt(call, 'id'));
    this.#isWhole = true;
    this.#isFinished = true;
  }

  readEvent({ data }: SseEvent): void {
    if (data === '[DONE]') {
      this.#isWhole = true;
      this.#isFinished = true;
      return;
    }
    const chunk = parseJson(data);
    this.#model ??= textAt(chunk, 'model');
    this.#usage = chatUsage(at(chunk, 'usage')) ?? chatUsage(at(chunk, 'x_groq', 'usage')) ?? this.#usage;
    if (at(chunk, 'error') !== undefined) this.#hasFailed = true;
    for (const choice of listAt(chunk, 'choices')) {
      if (hasContent(at(choice, 'delta'))) this.#deltas++;
      for (const call of listAt(choice, 'delta', 'tool_calls')) this.#toolUseIds.add(textAt(call, 'id'));
      // Not every compatible provider ends with [DONE].
      if (textAt(choice, 'finish_reason') !== undefined) this.#isWhole = true;
    }
  }

  facts(): ResponseFacts {
    const usage: Usage | undefined =
      this.#usage === undefined
        ? countedUsage(this.#deltas)
        : { ...this.#usage, certainty: this.#isWhole ? 'exact' : 'lower_bound' };
    return responseFacts(usage, this.#model, {
      toolUseIds: this.#toolUseIds.list(),
      isWhole: this.#isWhole,
      isFinished: this.#isFinished,
      hasFailed: this.#hasFailed,
    });
  }
}

function hasContent(delta: unknown): boolean {
  return (
    (textAt(delta, 'content') ?? textAt(delta, 'reasoning_content') ?? textAt(delta, 'refusal') ?? '') !== '' ||
    listAt(delta, 'tool_calls').length > 0
  );
}

export function chatUsage(usage: unknown): Omit<Usage, 'certainty'> | undefined {
  const inputTokens = countAt(usage, 'prompt_tokens');
  if (inputTokens === undefined) return undefined;
  return known({
    inputTokens,
    // DeepSeek names its cache hits on the top level.
    cacheReadTokens:
      countAt(usage, 'prompt_tokens_details', 'cached_tokens') ?? countAt(usage, 'prompt_cache_hit_tokens'),
    cacheWriteTokens: countAt(usage, 'prompt_tokens_details', 'cache_write_tokens'),
    inputAudioTokens: countAt(usage, 'prompt_tokens_details', 'audio_tokens'),
    outputTokens: countAt(usage, 'completion_tokens'),
    reasoningTokens: countAt(usage, 'completion_tokens_details', 'reasoning_tokens'),
    outputAudioTokens: countAt(usage, 'completion_tokens_details', 'audio_tokens'),
  });
}
