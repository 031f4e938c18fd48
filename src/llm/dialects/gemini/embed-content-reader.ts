import { at } from '../../../lib/json-value.ts';
import { responseFacts, type ResponseFacts, type ResponseReader } from '../../response-reader.ts';
import { believableUsage } from '../../told-usage.ts';
import { geminiCounts } from './counts.ts';

/** Older models tell no usage of an embedding: then all that is known is that it was made. */
export class EmbedContentReader implements ResponseReader {
  #usage: unknown;
  #isFinished = false;

  readBody(body: unknown): void {
    this.#usage = at(body, 'usageMetadata');
    this.#isFinished = true;
  }

  readEvent(): void {}

  facts(): ResponseFacts {
    const usage = believableUsage(geminiCounts(this.#usage), {
      isFinal: this.#isFinished,
      pieces: 0,
      hasOutput: false,
    });
    return responseFacts(usage, undefined, {
      toolUseIds: [],
      isWhole: this.#isFinished,
      isFinished: this.#isFinished,
      hasFailed: false,
    });
  }
}
