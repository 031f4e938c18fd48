import { at, countAt, listAt, textAt } from '../../lib/json-value.ts';
import { tokensIn } from './turn.ts';
import { jsonAnswer } from './wire.ts';

export const DEFAULT_DIMENSIONS = 256;
export const MAX_DIMENSIONS = 4096;

/** Equal texts have equal vectors of length one; nearness means nothing. */
export function echoEmbeddings(request: unknown): Response {
  const inputs = embeddingInputs(request);
  const dimensions = Math.min(MAX_DIMENSIONS, Math.max(1, countAt(request, 'dimensions') ?? DEFAULT_DIMENSIONS));
  const isBase64 = textAt(request, 'encoding_format') === 'base64';
  const tokens = tokensIn(inputs.reduce((sum, input) => sum + input.length, 0));
  return jsonAnswer({
    object: 'list',
    data: inputs.map((input, index) => {
      const vector = vectorOf(input, dimensions);
      return { object: 'embedding', index, embedding: isBase64 ? base64(vector) : [...vector] };
    }),
    model: textAt(request, 'model'),
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  });
}

/** A text, several, or tokens; no input at all where there is none. */
export function embeddingInputs(request: unknown): readonly string[] {
  const input = at(request, 'input');
  if (typeof input === 'string') return [input];
  const inputs = listAt(request, 'input');
  if (typeof inputs[0] === 'number') return [inputs.join(' ')];
  return inputs.map((one) => (typeof one === 'string' ? one : JSON.stringify(one)));
}

/** FNV-1a over the text seeds a xorshift, which fills the vector. */
export function vectorOf(text: string, dimensions: number): Float32Array {
  let state = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    state = Math.imul(state ^ text.charCodeAt(index), 0x01000193);
  }
  state ||= 1;
  const vector = new Float32Array(dimensions);
  for (let index = 0; index < dimensions; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    vector[index] = state / 0x80000000;
  }
  const length = Math.hypot(...vector) || 1;
  return vector.map((value) => value / length);
}

function base64(vector: Float32Array): string {
  let binary = '';
  for (const byte of new Uint8Array(vector.buffer)) binary += String.fromCharCode(byte);
  return btoa(binary);
}
