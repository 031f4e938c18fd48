import { isObject, listAt, type JsonObject } from '../../lib/json-value.ts';
import { Demand } from './demand.ts';

/** Text is its bytes, and a list of tokens is longer, written, than its tokens. Nothing is generated. */
export function embeddingsDemand(body: JsonObject): Demand {
  const demand = new Demand();
  demand.isInputOnly = true;
  // Pictures, for those who take them.
  if (isObject(body['input']) || listAt(body, 'input').some(isObject)) demand.addOpenMedia();
  return demand;
}
