import { at, countAt, listAt } from '../../lib/json-value.ts';
import { DEFAULT_DIMENSIONS, MAX_DIMENSIONS, vectorOf } from './embeddings.ts';
import { contentText, tokensIn } from './turn.ts';
import { jsonAnswer } from './wire.ts';

/** @param isSingle whether one embedding is asked for rather than a list of them */
export function echoGeminiEmbedding(request: unknown, isSingle: boolean): Response {
  const inputs = geminiInputs(request);
  const embeddings = inputs.map(({ text, dimensions }) => ({ values: [...vectorOf(text, dimensions)] }));
  const usageMetadata = { promptTokenCount: tokensIn(inputs.reduce((sum, { text }) => sum + text.length, 0)) };
  return jsonAnswer(isSingle ? { embedding: embeddings[0], usageMetadata } : { embeddings, usageMetadata });
}

interface Input {
  readonly text: string;
  readonly dimensions: number;
}

/** Of one request or of several; none where there is nothing to embed. */
export function geminiInputs(request: unknown): readonly Input[] {
  const requests = at(request, 'requests') === undefined ? [request] : listAt(request, 'requests');
  return requests.flatMap((one) => {
    const parts = listAt(one, 'content', 'parts');
    const dimensions = countAt(one, 'outputDimensionality') ?? DEFAULT_DIMENSIONS;
    return parts.length === 0
      ? []
      : [{ text: contentText(parts), dimensions: Math.min(MAX_DIMENSIONS, Math.max(1, dimensions)) }];
  });
}
