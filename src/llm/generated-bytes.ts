// How much a model has said, for bounding the tokens of an answer that broke off.
import { isObject } from '../lib/json-value.ts';
import { utf8Length } from '../lib/utf8.ts';

/** What stands beside generated text in an answer and is not of the model's saying. */
const NOT_GENERATED = new Set([
  'type',
  'id',
  'role',
  'object',
  'index',
  'status',
  'phase',
  'call_id',
  'finish_reason',
  'signature',
  'thoughtSignature',
  'encrypted_content',
  // Sound and images, in base64.
  'data',
  'mimeType',
]);

/** UTF-8 bytes of all text in a piece of an answer: content, reasoning, arguments of tools, refusals, transcripts. */
export function generatedBytes(value: unknown): number {
  if (typeof value === 'string') return utf8Length(value);
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + generatedBytes(item), 0);
  if (!isObject(value)) return 0;
  let sum = 0;
  for (const name in value) if (!NOT_GENERATED.has(name)) sum += generatedBytes(value[name]);
  return sum;
}
