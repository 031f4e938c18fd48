import { at, textAt } from '../../../lib/json-value.ts';
import { responseFacts, type ResponseFacts, type ResponseReader } from '../../response-reader.ts';
import { believableUsage } from '../../told-usage.ts';
import { chatCounts } from './counts.ts';

/** Embeddings do not stream and have no output tokens. */
export class EmbeddingsReader implements ResponseReader {
  #usage: unknown;
  #model: string | undefined;
  #isFinished = false;

  readBody(body: unknown): void {
    this.#usage = at(body, 'usage');
    this.#model = textAt(body, 'model');
    this.#isFinished = true;
  }

  readEvent(): void {}

  facts(): ResponseFacts {
    const usage = believableUsage(chatCounts(this.#usage), { isFinal: this.#isFinished, pieces: 0, hasOutput: false });
    return responseFacts(usage, this.#model, {
      toolUseIds: [],
      isWhole: this.#isFinished,
      isFinished: this.#isFinished,
      hasFailed: false,
    });
  }
}
