import type { ResponseFacts, ResponseReader } from '../../response-reader.ts';

/** Counting is free and uses nothing: the number in the answer is of a call not made. */
export class CountTokensReader implements ResponseReader {
  readBody(): void {}

  readEvent(): void {}

  facts(): ResponseFacts {
    const usage = { inputTokens: 0, outputTokens: 0, certainty: 'exact' } as const;
    return { usage, toolUseIds: [], isWhole: true, isFinished: true, hasFailed: false };
  }
}
