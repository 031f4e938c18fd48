/** What one call used, as far as it is known. An absent member is unknown, which is not zero. */
export interface Usage {
  /** All input tokens, those read from and written to a cache included. */
  readonly inputTokens?: number;
  readonly cacheReadTokens?: number;
  readonly cacheWriteTokens?: number;
  /** Of the tokens written to a cache, those kept for an hour. */
  readonly cacheWrite1hTokens?: number;
  /** Of all input tokens, cached ones included. */
  readonly inputAudioTokens?: number;
  readonly inputImageTokens?: number;
  readonly inputVideoTokens?: number;
  /** Of the tokens read from a cache. */
  readonly cacheReadAudioTokens?: number;
  readonly cacheReadImageTokens?: number;
  /** All output tokens, reasoning included. */
  readonly outputTokens?: number;
  readonly reasoningTokens?: number;
  readonly outputAudioTokens?: number;
  readonly outputImageTokens?: number;
  /** Searches of the web that the provider made on its own and charges for. */
  readonly webSearches?: number;
  /** Searches of files that the provider stores. */
  readonly fileSearches?: number;
  /** Sandboxes in which the provider ran code. */
  readonly codeSessions?: number;
  /**
   * Terms other than the usual ones under which the call was served, as the provider named them: `tier:priority`,
   * `speed:fast`, `geo:us`. One whose rate is not known makes the cost unknown.
   */
  readonly terms?: readonly string[];
  /** Something was used that is charged for and that no member here counts. */
  readonly hasOtherCharges?: true;
  /** `lower_bound` where the call was cut short or the provider did not say: at least this much was used. */
  readonly certainty: 'exact' | 'lower_bound';
}
