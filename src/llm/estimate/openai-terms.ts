// Members that Chat Completions and Responses have in common.
import { textAt, type JsonObject } from '../../lib/json-value.ts';
import { nameOf, type Demand } from './demand.ts';

/** The usual terms and cheaper ones, which may fall back to the usual ones. */
const NOT_DEARER: ReadonlySet<unknown> = new Set([
  undefined,
  null,
  'default',
  'standard',
  'on_demand',
  'flex',
  'scale',
]);

export function noteServiceTier(demand: Demand, body: JsonObject): void {
  const tier = body['service_tier'];
  if (NOT_DEARER.has(tier)) return;
  if (tier === 'auto') demand.possibleTerms.push('tier:priority');
  else demand.terms.push(`tier:${nameOf(tier)}`);
}

/** Caches are written to unasked, where that has a price. */
export function noteCaching(demand: Demand, body: JsonObject): void {
  const ttl = textAt(body, 'prompt_cache_options', 'ttl') ?? '30m';
  demand.cacheWrite = ttl === '30m' && textAt(body, 'prompt_cache_retention') === undefined ? 'short' : 'hour';
}
