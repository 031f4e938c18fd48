// What a model costs and how much it can take and say: as configured, else as the price list has it.
import { listEntryOf, type ModelPrice, type TermRates } from '../budget/price.ts';
import type { ModelTarget } from './resolve-model.ts';

export interface ModelPricing {
  readonly price: ModelPrice;
  /** Of terms other than the usual ones; the third argument of `costOf`. */
  readonly rates?: TermRates;
  /** In tokens, input and output together. */
  readonly contextWindow?: number;
  readonly maxOutputTokens?: number;
}

/**
 * @param now milliseconds since the epoch
 * @param responseModel the model that answered: the list knows some models by the name asked for and some by that
 * @returns undefined where the model has no price
 */
export function modelPricing(
  target: ModelTarget,
  now: number,
  responseModel?: string,
): ModelPricing | 'free' | undefined {
  const { prices } = target.type;
  if (prices === 'free' || prices === undefined) return prices;
  return (
    listEntryOf(prices.list, target.model, now) ??
    (responseModel === undefined ? undefined : listEntryOf(prices.list, responseModel, now))
  );
}
