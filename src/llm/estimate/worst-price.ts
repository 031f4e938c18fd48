// The dearest that each part of a call can be charged at.
import { toNanoUsd, type NanoUsd } from '../../budget/money.ts';
import type { ModelPrice } from '../../budget/price.ts';
import { rateOf, type TermRates } from '../../budget/vendor-terms.ts';
import type { Demand } from './demand.ts';

const PICO_PER_NANO = 1000;

/** Trillionths of a dollar for one LLM token, and for what is charged by the piece. */
export interface WorstPrice {
  readonly input: number;
  readonly audio: number;
  readonly output: number;
  readonly fees: number;
}

/** What has no price, as the configuration names it. */
export interface Unpriced {
  readonly entry: string;
}

/**
 * @param inputTokens of the whole call at most; every tier up to there may hold
 * @returns what has no price, where something may be used that has none
 */
export function worstPrice(
  price: ModelPrice,
  rates: TermRates | undefined,
  demand: Demand,
  inputTokens: number,
): WorstPrice | Unpriced {
  const dearest = (names: readonly string[]): number | undefined => dearestOf(price, names, inputTokens);
  const input = dearest(inputNames(demand));
  if (input === undefined) return { entry: 'input_mtok' };
  const audio = demand.audioTokens === 0 ? input : dearest(['input_audio_mtok']);
  if (audio === undefined) return { entry: 'input_audio_mtok' };
  if (demand.answersWithAudio && price['output_audio_mtok'] === undefined) return { entry: 'output_audio_mtok' };
  const output = demand.isInputOnly ? 0 : dearest(outputNames(demand));
  if (output === undefined) return { entry: 'output_mtok' };
  const fees = feesOf(price, demand);
  if (typeof fees !== 'number') return fees;
  const factor = factorOf(demand, rates);
  if (typeof factor !== 'number') return factor;
  return { input: input * factor, audio: Math.max(audio, input) * factor, output: output * factor, fees };
}

function inputNames({ cacheWrite, images, mayHoldMedia }: Demand): readonly string[] {
  const names = ['input_mtok'];
  if (cacheWrite !== 'none') names.push('cache_write_mtok');
  if (cacheWrite === 'hour') names.push('cache_write_1h_mtok');
  if (images > 0 || mayHoldMedia) names.push('input_image_mtok');
  if (mayHoldMedia) names.push('input_audio_mtok', 'input_video_mtok');
  return names;
}

function outputNames({ answersWithAudio, answersWithImages }: Demand): readonly string[] {
  const names = ['output_mtok', 'output_reasoning_mtok', 'output_citation_mtok'];
  if (answersWithAudio) names.push('output_audio_mtok');
  if (answersWithImages) names.push('output_image_mtok', 'output_video_mtok');
  return names;
}

/** Picodollars per token: a millionth of a list price is a whole number of them. */
function dearestOf(price: ModelPrice, names: readonly string[], inputTokens: number): number | undefined {
  let most: number | undefined;
  for (const name of names) {
    const rate = highest(price, name, inputTokens);
    if (rate !== undefined && (most === undefined || rate > most)) most = rate;
  }
  return most === undefined ? undefined : Math.round(most * 1e6);
}

function highest(price: ModelPrice, name: string, reached: number): number | undefined {
  const entry = price[name];
  if (entry === undefined || typeof entry === 'number') return entry;
  let most = entry.base;
  for (const tier of entry.tiers) if (reached > tier.start && tier.price > most) most = tier.price;
  return most;
}

function feesOf(price: ModelPrice, { fees }: Demand): number | Unpriced {
  let pico = 0;
  const add = (count: number, name: string): boolean => {
    const rate = highest(price, name, Number.MAX_SAFE_INTEGER);
    if (rate === undefined) return count === 0;
    pico += count * Math.round(rate * 1e9);
    return true;
  };
  const isGrounded = price['grounding_kcount'] !== undefined;
  // Where every request has a fee of its own, what it finds is part of that.
  const isIncluded = price['requests_kcount'] !== undefined && price['web_searches_kcount'] === undefined;
  if (isGrounded) add(Math.min(1, fees.webSearches), 'grounding_kcount');
  else if (!isIncluded && !add(fees.webSearches, 'web_searches_kcount')) return { entry: 'web_searches_kcount' };
  if (!add(fees.fileSearches, 'storage_searches_kcount')) return { entry: 'storage_searches_kcount' };
  // Some vendors charge nothing for it.
  add(fees.codeSessions, 'code_sessions_kcount');
  add(1, 'requests_kcount');
  return pico;
}

/** Never below 1: what is asked for at a discount may be served without. */
function factorOf({ terms, possibleTerms }: Demand, rates: TermRates | undefined): number | Unpriced {
  let factor = 1;
  for (const term of [...terms, ...possibleTerms]) {
    const ratio = rateOf(term, rates);
    if (ratio !== undefined) factor *= Math.max(1, ratio[0] / ratio[1]);
    else if (terms.includes(term)) return { entry: term };
  }
  return factor;
}

/** To the nearest nano-dollar, as costs are; what is more than can be counted is more than any budget. */
export function inNanoUsd(pico: number): NanoUsd {
  const isExact = Number.isInteger(pico) && pico <= Number.MAX_SAFE_INTEGER;
  const nano = isExact ? Math.round(pico / PICO_PER_NANO) : Math.ceil((pico / PICO_PER_NANO) * (1 + 1e-12));
  return toNanoUsd(Math.min(nano, Number.MAX_SAFE_INTEGER));
}
