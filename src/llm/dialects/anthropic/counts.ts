// Anthropic's usage object. It counts input without what is read from and written to a cache; here they are one sum.
import { at, listAt, textAt } from '../../../lib/json-value.ts';
import { isCount, type ToldCounts } from '../../told-usage.ts';

/** @param runsCode whether the model ran code at the provider */
export function messagesCounts(usage: unknown, runsCode: boolean): ToldCounts {
  // A compaction is a call of its own, which the totals leave out.
  const calls = [usage, ...listAt(usage, 'iterations').filter((one) => textAt(one, 'type') === 'compaction')];
  const all = (count: (call: unknown) => unknown): unknown => calls.map(count).reduce(sum);
  const searches = at(usage, 'server_tool_use', 'web_search_requests');
  const fetches = at(usage, 'server_tool_use', 'web_fetch_requests');
  // Code that serves a search or a fetch is not charged for.
  const isCharged = runsCode && !isSome(searches) && !isSome(fetches);
  return {
    inputTokens: all((call) =>
      ['cache_read_input_tokens', 'cache_creation_input_tokens']
        .map((name) => at(call, name) ?? 0)
        .reduce(sum, at(call, 'input_tokens')),
    ),
    cacheReadTokens: all((call) => at(call, 'cache_read_input_tokens')),
    cacheWriteTokens: all((call) => at(call, 'cache_creation_input_tokens')),
    cacheWrite1hTokens: all(writtenForAnHour),
    outputTokens: all((call) => at(call, 'output_tokens')),
    reasoningTokens: at(usage, 'output_tokens_details', 'thinking_tokens'),
    ...(isSome(searches) && { webSearches: searches }),
    ...(isCharged && { codeSessions: 1 }),
  };
}

/**
 * The last word of a stream may have more written to the cache than its first, and tells no durations: where any of the
 * first was for an hour, the rest is taken to be.
 */
function writtenForAnHour(call: unknown): unknown {
  const hour = at(call, 'cache_creation', 'ephemeral_1h_input_tokens');
  const written = at(call, 'cache_creation_input_tokens');
  const short = at(call, 'cache_creation', 'ephemeral_5m_input_tokens');
  if (!isSome(hour) || !isCount(written) || !isCount(short)) return hour;
  return Math.max(hour, written - short);
}

/** Whether other models had a part in the answer: an advisor, or a fallback. Each has a price of its own. */
export function hasOtherModels(usage: unknown): boolean {
  return listAt(usage, 'iterations').some((one) =>
    ['advisor_message', 'fallback_message'].includes(textAt(one, 'type') ?? ''),
  );
}

/** Of two counts as told. What is no count makes no sum, and what was not told adds nothing. */
function sum(left: unknown, right: unknown): unknown {
  if (left === undefined || right === undefined) return left ?? right;
  return isCount(left) && isCount(right) ? left + right : Number.NaN;
}

function isSome(value: unknown): value is number {
  return isCount(value) && value > 0;
}
