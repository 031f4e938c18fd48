// Usage × price = cost, in integers. The price list is a library's; its arithmetic is in floating point, so it is not used.
import { calcPrice, type ModelPrice } from '@pydantic/genai-prices';
import { Bill } from './bill.ts';
import type { NanoUsd } from './money.ts';
import type { Usage } from './usage.ts';
import { completedPrice, rateOf, termRatesOf, type Ratio, type TermRates } from './vendor-terms.ts';

/**
 * Dollars per million tokens (`…_mtok`) or per thousand pieces (`…_kcount`), by the library's names. `grounding_kcount`
 * and `code_sessions_kcount` are added to them: see `vendor-terms.ts`.
 */
export type { ModelPrice };

export interface ListEntry {
  /** With what the vendor documents and the list leaves out. */
  readonly price: ModelPrice;
  readonly rates: TermRates;
  readonly contextWindow?: number;
}

/** Prices may depend on the minute of the day, never on less. */
const PRICE_LIFETIME_MS = 60_000;
const MAX_CACHED_PRICES = 500;

// A look-up walks the list's patterns; thousands a second would be most of a gateway's work.
const cache = new Map<string, Map<string, CachedEntry>>();

interface CachedEntry {
  readonly minute: number;
  readonly entry: ListEntry | undefined;
}

/**
 * What the price list says of a model, or undefined where it does not know it.
 * @param priceList the library's name for the provider
 * @param now milliseconds since the epoch; some prices change with the date or the time of day
 */
export function listEntryOf(priceList: string, model: string, now: number): ListEntry | undefined {
  const minute = Math.floor(now / PRICE_LIFETIME_MS);
  const known = cache.get(priceList);
  const cached = known?.get(model);
  if (cached?.minute === minute) return cached.entry;
  const kept = known === undefined || known.size >= MAX_CACHED_PRICES ? new Map<string, CachedEntry>() : known;
  const entry = lookUp(priceList, model, now);
  cache.set(priceList, kept.set(model, { minute, entry }));
  return entry;
}

function lookUp(priceList: string, model: string, now: number): ListEntry | undefined {
  const found = calcPrice({}, model, { providerId: priceList, timestamp: new Date(now) });
  if (found === null) return undefined;
  const contextWindow = found.model.context_window;
  return {
    price: completedPrice(priceList, model, found.model_price),
    rates: termRatesOf(priceList, model),
    ...(contextWindow !== undefined && { contextWindow }),
  };
}

/**
 * The cost of what is known of the usage, rounded once, to the nearest nano-dollar. Undefined when nothing is known of
 * it, when something was used that has no price, and under terms whose rate is not known.
 *
 * Grows with `inputTokens` and `outputTokens` while the rest stays as it is, if the tiers of the price do. To price a
 * worst case, name the dearest kinds: all input as written to a cache, all output as audio where audio is asked for.
 */
export function costOf(usage: Usage, price: ModelPrice, rates?: TermRates): NanoUsd | undefined {
  if (isUnknown(usage)) return undefined;
  if (usage.hasOtherCharges === true) return undefined;
  const ratios: Ratio[] = [];
  for (const term of usage.terms ?? []) {
    const ratio = rateOf(term, rates);
    if (ratio === undefined) return undefined;
    ratios.push(ratio);
  }
  const bill = new Bill(price, usage.inputTokens ?? 0);
  addInput(bill, usage);
  addOutput(bill, usage);
  addFees(bill, usage);
  return bill.total(ratios);
}

/** Nothing told, or nothing used as far as it was told and more as it was not: that is not a cost of zero. */
function isUnknown({ inputTokens, outputTokens, certainty }: Usage): boolean {
  if (certainty === 'lower_bound') return (inputTokens ?? 0) === 0 && (outputTokens ?? 0) === 0;
  return inputTokens === undefined && outputTokens === undefined;
}

function addInput(bill: Bill, usage: Usage): void {
  const { inputTokens = 0, cacheReadTokens = 0, cacheWriteTokens = 0, cacheWrite1hTokens = 0 } = usage;
  const { inputAudioTokens = 0 } = usage;
  // What has no rate of its own is like text, cached or not. Audio never is by chance: where it costs the same, its
  // price says so.
  const inputImageTokens = bill.has('input_image_mtok') ? (usage.inputImageTokens ?? 0) : 0;
  const inputVideoTokens = bill.has('input_video_mtok') ? (usage.inputVideoTokens ?? 0) : 0;
  const readAudio = Math.min(usage.cacheReadAudioTokens ?? 0, cacheReadTokens, inputAudioTokens);
  const readImage = Math.min(usage.cacheReadImageTokens ?? 0, cacheReadTokens - readAudio, inputImageTokens);
  const audio = inputAudioTokens - readAudio;
  const image = inputImageTokens - readImage;
  bill.addTokens(readAudio, ['cache_audio_read_mtok', 'input_audio_mtok']);
  bill.addTokens(readImage, ['cache_image_read_mtok', 'input_image_mtok']);
  bill.addTokens(audio, ['input_audio_mtok']);
  bill.addTokens(image, ['input_image_mtok']);
  bill.addTokens(inputVideoTokens, ['input_video_mtok']);
  bill.addTokens(cacheWrite1hTokens, ['cache_write_1h_mtok', 'cache_write_mtok', 'input_mtok']);
  bill.addTokens(cacheWriteTokens - cacheWrite1hTokens, ['cache_write_mtok', 'input_mtok']);
  // What was read from a cache may also have been counted as audio or an image. Then it has been charged for, in full.
  const rest = Math.max(0, inputTokens - cacheWriteTokens - readAudio - readImage - audio - image - inputVideoTokens);
  const readText = Math.min(cacheReadTokens - readAudio - readImage, rest);
  bill.addTokens(readText, ['cache_read_mtok', 'input_mtok']);
  bill.addTokens(rest - readText, ['input_mtok']);
}

function addOutput(bill: Bill, usage: Usage): void {
  const { outputTokens = 0, reasoningTokens = 0, outputAudioTokens = 0, outputImageTokens = 0 } = usage;
  bill.addTokens(reasoningTokens, ['output_reasoning_mtok', 'output_mtok']);
  bill.addTokens(outputAudioTokens, ['output_audio_mtok']);
  bill.addTokens(outputImageTokens, ['output_image_mtok', 'output_mtok']);
  bill.addTokens(outputTokens - reasoningTokens - outputAudioTokens - outputImageTokens, ['output_mtok']);
}

function addFees(bill: Bill, usage: Usage): void {
  const { webSearches = 0, fileSearches = 0, codeSessions = 0 } = usage;
  // Some models charge for an answer that rests on searches, however many.
  if (bill.has('grounding_kcount')) bill.addFees(Math.min(1, webSearches), 'grounding_kcount');
  else bill.addFees(webSearches, 'web_searches_kcount');
  bill.addFees(fileSearches, 'storage_searches_kcount');
  bill.addFees(codeSessions, 'code_sessions_kcount');
  if (bill.has('requests_kcount')) bill.addFees(1, 'requests_kcount');
}
