import type { Usage } from '../../../budget/usage.ts';
import { at, textAt } from '../../../lib/json-value.ts';
import type { ResponseFacts, ResponseReader } from '../../response-reader.ts';
import { chatUsage } from './chat-completions-reader.ts';

/** Embeddings do not stream and have no output tokens. */
export class EmbeddingsReader implements ResponseReader {
  #usage: Omit<Usage, 'certainty'> | undefined;
  #model: string | undefined;
  #isFinished = false;

  readBody(body: unknown): void {
    this.#usage = chatUsage(at(body, 'usage'));
    this.#model = textAt(body, 'model');
    this.#isFinished = true;
  }

  readEvent(): void {}

  facts(): ResponseFacts {
    return {
      ...(this.#usage !== undefined && { usage: { ...this.#usage, certainty: 'exact' } }),
      ...(this.#model !== undefined && { responseModel: this.#model }),
      toolUseIds: [],
      isWhole: this.#isFinished,
      isFinished: this.#isFinished,
      hasFailed: false,
    };
  }
}
