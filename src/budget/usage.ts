/** What one call used, as far as it is known. An absent member is unknown, which is not zero. */
export interface Usage {
  /** All input tokens, those read from and written to a cache included. */
  readonly inputTokens?: number;
  readonly cacheReadTokens?: number;
  readonly cacheWriteTokens?: number;
  /** Of the tokens written to a cache, those kept for an hour. */
  readonly cacheWrite1hTokens?: number;
  readonly inputAudioTokens?: number;
  /** All output tokens, reasoning included. */
  readonly outputTokens?: number;
  readonly reasoningTokens?: number;
  readonly outputAudioTokens?: number;
  /** Searches that the provider made on its own and charges for. */
  readonly webSearches?: number;
  /** `lower_bound` where the call was cut short or the provider did not say: at least this much was used. */
  readonly certainty: 'exact' | 'lower_bound';
}
