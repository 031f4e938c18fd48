// The one change that is made to a request: the model's name loses its provider prefix, in the text as it was sent.
import type { JsonSpan } from '../lib/json-scan.ts';
import { isObject } from '../lib/json-value.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { failure, type Failure } from '../policy/failure.ts';

export interface LlmRequestBody {
  /** Exactly as sent. */
  readonly text: string;
  readonly value: unknown;
  /** Where the values of the top-level object stand in `text`. */
  readonly members: ReadonlyMap<string, JsonSpan>;
  readonly byteLength: number;
}

export function requestedModel({ value }: LlmRequestBody): Result<string, Failure> {
  if (!isObject(value)) return err(failure('invalid_request', 'The request body must be a JSON object.'));
  const { model } = value;
  if (model === undefined) return err(missing('is missing'));
  if (typeof model !== 'string') return err(missing('must be a string'));
  return model === '' ? err(missing('is empty')) : ok(model);
}

function missing(what: string): Failure {
  return failure('invalid_request', `"model" ${what}; name a model that GET /v1/models lists.`, { param: 'model' });
}

/** The body's text with `model` in the place of `requested`, every other character kept. */
export function withModel(body: LlmRequestBody, requested: string, model: string): string {
  const span = body.members.get('model');
  if (requested === model || span === undefined) return body.text;
  const literal = body.text.slice(span.start, span.end);
  const prefix = requested.slice(0, requested.length - model.length);
  // Written with escapes, the name has to be written anew.
  const renamed = literal.startsWith(`"${prefix}`) ? `"${literal.slice(1 + prefix.length)}` : JSON.stringify(model);
  return body.text.slice(0, span.start) + renamed + body.text.slice(span.end);
}
