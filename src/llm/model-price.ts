// What a model costs and how much it can take and say: as configured, else as the price list has it.
import { listEntryOf, type ModelPrice } from '../budget/price.ts';
import { completedPrice, termRatesOf, type TermRates } from '../budget/vendor-terms.ts';
import type { PriceDocument } from '../config/prices-document.ts';
import { mostSpecific } from '../policy/patterns.ts';
import { maxOutputTokensOf } from './model-limits.ts';
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
  { provider, type, model }: ModelTarget,
  now: number,
  responseModel?: string,
): ModelPricing | 'free' | undefined {
  const list = type.prices === 'free' ? undefined : type.prices?.list;
  const configured = configuredFor(provider.prices, model);
  const listed = list === undefined ? undefined : listedPricing(list, model, now, responseModel);
  if (configured === undefined) return type.prices === 'free' ? 'free' : listed;

  const { max_output_tokens: maxOutputTokens, context_window: contextWindow, ...rates } = configured;
  const limits = {
    ...listed,
    ...(maxOutputTokens !== undefined && { maxOutputTokens }),
    ...(contextWindow !== undefined && { contextWindow }),
  };
  // Prices stand for the whole of the list's entry; limits alone leave it.
  if (rates.input_mtok === undefined) return type.prices === 'free' ? 'free' : listed && { ...listed, ...limits };
  if (list === undefined) return { ...limits, price: rates };
  return { ...limits, price: completedPrice(list, model, rates), rates: termRatesOf(list, model) };
}

function configuredFor(
  prices: Readonly<Record<string, PriceDocument>> | undefined,
  model: string,
): PriceDocument | undefined {
  if (prices === undefined) return undefined;
  const pattern = mostSpecific(Object.keys(prices), model);
  return pattern === undefined ? undefined : prices[pattern];
}

function listedPricing(
  list: string,
  model: string,
  now: number,
  responseModel: string | undefined,
): ModelPricing | undefined {
  const entry =
    listEntryOf(list, model, now) ?? (responseModel === undefined ? undefined : listEntryOf(list, responseModel, now));
  if (entry === undefined) return undefined;
  const maxOutputTokens = maxOutputTokensOf(list, model);
  return { ...entry, ...(maxOutputTokens !== undefined && { maxOutputTokens }) };
}
