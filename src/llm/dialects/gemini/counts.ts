// Gemini's `usageMetadata`. A count of zero is left out of it.
import { at, listAt, textAt } from '../../../lib/json-value.ts';
import { isCount, termsOf, type ToldCounts } from '../../told-usage.ts';

export function geminiCounts(metadata: unknown): ToldCounts {
  if (at(metadata, 'promptTokenCount') === undefined) return {};
  const prompt = [...listAt(metadata, 'promptTokensDetails'), ...listAt(metadata, 'toolUsePromptTokensDetails')];
  const cached = listAt(metadata, 'cacheTokensDetails');
  const candidates = listAt(metadata, 'candidatesTokensDetails');
  const thoughts = at(metadata, 'thoughtsTokenCount');
  return {
    // What tools at the provider found is input, counted apart; thoughts are output, counted apart.
    inputTokens: sum(at(metadata, 'promptTokenCount'), at(metadata, 'toolUsePromptTokenCount')),
    cacheReadTokens: at(metadata, 'cachedContentTokenCount'),
    ...modality('inputAudioTokens', prompt, 'AUDIO'),
    ...modality('inputImageTokens', prompt, 'IMAGE'),
    ...modality('inputVideoTokens', prompt, 'VIDEO'),
    ...modality('cacheReadAudioTokens', cached, 'AUDIO'),
    ...modality('cacheReadImageTokens', cached, 'IMAGE'),
    outputTokens: sum(at(metadata, 'candidatesTokenCount') ?? 0, thoughts),
    reasoningTokens: thoughts,
    ...modality('outputAudioTokens', candidates, 'AUDIO'),
    ...modality('outputImageTokens', candidates, 'IMAGE'),
  };
}

/** Of the Gemini API (`serviceTier`) and of Vertex AI (`trafficType`). */
export function geminiTerms(metadata: unknown): readonly string[] {
  const traffic = textAt(metadata, 'trafficType')?.replace(/^ON_DEMAND_/, '');
  const tier = textAt(metadata, 'serviceTier')?.replace(/^SERVICE_TIER_/i, '');
  return termsOf({ tier: tier ?? traffic });
}

function modality(name: string, details: readonly unknown[], wanted: string): Readonly<Record<string, unknown>> {
  const counts = details.filter((one) => textAt(one, 'modality') === wanted).map((one) => at(one, 'tokenCount'));
  return counts.length === 0 ? {} : { [name]: counts.reduce(sum) };
}

function sum(left: unknown, right: unknown): unknown {
  if (left === undefined || right === undefined) return left ?? right;
  return isCount(left) && isCount(right) ? left + right : Number.NaN;
}
