import { at, listAt, parseJson, textAt } from '../../../lib/json-value.ts';
import type { SseEvent } from '../../../lib/sse-parser.ts';
import { generatedBytes } from '../../generated-bytes.ts';
import { responseFacts, ToolUseIds, type ResponseFacts, type ResponseReader } from '../../response-reader.ts';
import { believableUsage } from '../../told-usage.ts';
import { geminiCounts, geminiTerms } from './counts.ts';

/**
 * A stream is of the same objects as a whole answer, as events or as the items of one list; the usage in each is of all
 * so far. Nothing marks the last: only the end of the stream tells that no more usage comes.
 */
export class GenerateContentReader implements ResponseReader {
  readonly #toolUseIds = new ToolUseIds();
  readonly #searches = new Set<string>();
  #usage: unknown;
  #model: string | undefined;
  #pieces = 0;
  #bytes: number | undefined;
  #isWhole = false;
  #isFinished = false;
  #hasFailed = false;
  #usesMaps = false;

  readBody(body: unknown): void {
    for (const answer of Array.isArray(body) ? body : [body]) this.#readAnswer(answer);
    this.#isWhole = true;
    this.#isFinished = true;
  }

  readEvent({ data }: SseEvent): void {
    this.#bytes ??= 0;
    this.#readAnswer(parseJson(data));
  }

  facts(): ResponseFacts {
    const usage = believableUsage(
      { ...geminiCounts(this.#usage), ...(this.#searches.size > 0 && { webSearches: this.#searches.size }) },
      {
        isFinal: this.#isWhole,
        pieces: this.#isWhole ? Math.min(1, this.#pieces) : this.#pieces,
        hasOutput: true,
        terms: geminiTerms(this.#usage),
        hasOtherCharges: this.#usesMaps,
      },
    );
    const told = {
      toolUseIds: this.#toolUseIds.list(),
      isWhole: this.#isWhole,
      isFinished: this.#isFinished,
      hasFailed: this.#hasFailed,
    };
    return responseFacts(usage, this.#model, told, this.#bytes);
  }

  #readAnswer(answer: unknown): void {
    this.#model = textAt(answer, 'modelVersion') ?? this.#model;
    this.#usage = at(answer, 'usageMetadata') ?? this.#usage;
    if (at(answer, 'error') !== undefined) this.#hasFailed = true;
    // A prompt that was blocked has no candidate.
    if (at(answer, 'promptFeedback', 'blockReason') !== undefined) this.#isWhole = true;
    for (const candidate of listAt(answer, 'candidates')) this.#readCandidate(candidate);
  }

  #readCandidate(candidate: unknown): void {
    if (textAt(candidate, 'finishReason') !== undefined) this.#isWhole = true;
    const parts = listAt(candidate, 'content', 'parts');
    const bytes = generatedBytes(parts);
    this.#bytes = (this.#bytes ?? 0) + bytes;
    if (bytes > 0 || parts.length > 0) this.#pieces++;
    for (const part of parts) this.#toolUseIds.add(textAt(part, 'functionCall', 'id'));
    const grounding = at(candidate, 'groundingMetadata');
    for (const query of listAt(grounding, 'webSearchQueries')) this.#searches.add(String(query));
    if (listAt(grounding, 'groundingChunks').some((chunk) => at(chunk, 'maps') !== undefined)) this.#usesMaps = true;
  }
}
