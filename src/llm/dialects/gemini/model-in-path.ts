// In Gemini's dialect the path names the model. A body may name it once more, and then has to name the same.
import { isObject, listAt, type JsonObject } from '../../../lib/json-value.ts';
import { err, ok, type Result } from '../../../lib/result.ts';
import { failure, type Failure } from '../../../policy/failure.ts';
import { withMember } from '../../agent/request-edit.ts';
import type { LlmRequestBody } from '../../model-name.ts';

/** Fails where the body names another model than the path: the one would be checked and the other be called. */
export function modelOfPath({ value }: LlmRequestBody, model: string): Result<string, Failure> {
  if (!isObject(value)) return err(failure('invalid_request', 'The request body must be a JSON object.'));
  const named = [value, value['generateContentRequest'], ...listAt(value, 'requests')].map(modelIn);
  if (named.every((name) => name === undefined || name === model || name === `models/${model}`)) return ok(model);
  const text = `"model" in the body is not the model of the path, "${model.slice(0, 200)}"; leave it out or name the same.`;
  return err(failure('invalid_request', text, { param: 'model' }));
}

/** The body's text with the model as the provider knows it, wherever the body names it. */
export function withPathModel(body: LlmRequestBody, _requested: string, model: string): string {
  const name = `models/${model}`;
  const { value } = body;
  if (!isObject(value)) return body.text;
  const renamed = (one: unknown): unknown =>
    modelIn(one) === undefined ? one : { ...(one as JsonObject), model: name };
  let changed = body;
  if (modelIn(value) !== undefined) changed = withMember(changed, 'model', name);
  const { generateContentRequest: counted, requests } = value;
  if (modelIn(counted) !== undefined) changed = withMember(changed, 'generateContentRequest', renamed(counted));
  if (Array.isArray(requests)) changed = withMember(changed, 'requests', requests.map(renamed));
  return changed.text;
}

function modelIn(value: unknown): unknown {
  return isObject(value) ? value['model'] : undefined;
}
