// OpenAI's usage objects, and those of the providers that follow it.
import { at } from '../../../lib/json-value.ts';
import { isCount, type ToldCounts } from '../../told-usage.ts';

/** `usage` of Chat Completions and Embeddings. */
export function chatCounts(usage: unknown): ToldCounts {
  const prompt = at(usage, 'prompt_tokens_details');
  const completion = at(usage, 'completion_tokens_details');
  return {
    inputTokens: at(usage, 'prompt_tokens'),
    // DeepSeek names its cache hits on the top level.
    cacheReadTokens: at(prompt, 'cached_tokens') ?? at(usage, 'prompt_cache_hit_tokens'),
    cacheWriteTokens: at(prompt, 'cache_write_tokens'),
    cacheWrite1hTokens: at(prompt, 'cache_write_tokens_details', 'ttl_12h_tokens'),
    inputAudioTokens: at(prompt, 'audio_tokens'),
    inputImageTokens: at(prompt, 'image_tokens'),
    outputTokens: allOutput(usage),
    reasoningTokens: at(completion, 'reasoning_tokens'),
    outputAudioTokens: at(completion, 'audio_tokens'),
    outputImageTokens: at(completion, 'image_tokens'),
  };
}

/** Some count reasoning beside the completion; the total tells. */
function allOutput(usage: unknown): unknown {
  const completion = at(usage, 'completion_tokens');
  const prompt = at(usage, 'prompt_tokens');
  const total = at(usage, 'total_tokens');
  const reasoning = at(usage, 'completion_tokens_details', 'reasoning_tokens');
  if (!isCount(completion) || !isCount(prompt) || !isCount(total) || !isCount(reasoning)) return completion;
  return reasoning > 0 && total === prompt + completion + reasoning ? completion + reasoning : completion;
}

/** `usage` of Responses. */
export function responsesCounts(usage: unknown): ToldCounts {
  const input = at(usage, 'input_tokens_details');
  const output = at(usage, 'output_tokens_details');
  return {
    inputTokens: at(usage, 'input_tokens'),
    cacheReadTokens: at(input, 'cached_tokens'),
    cacheWriteTokens: at(input, 'cache_write_tokens'),
    cacheWrite1hTokens: at(input, 'cache_write_tokens_details', 'ttl_12h_tokens'),
    inputAudioTokens: at(input, 'audio_tokens'),
    inputImageTokens: at(input, 'image_tokens'),
    outputTokens: at(usage, 'output_tokens'),
    reasoningTokens: at(output, 'reasoning_tokens'),
    outputAudioTokens: at(output, 'audio_tokens'),
    outputImageTokens: at(output, 'image_tokens'),
  };
}
