// Usage × price = cost, in integers. The price list is a library's; its arithmetic is in floating point, so it is not used.
import { calcPrice, type ModelPrice } from '@pydantic/genai-prices';
import { toNanoUsd, type NanoUsd } from './money.ts';
import type { Usage } from './usage.ts';

/** Prices may depend on the minute of the day, never on less. */
const PRICE_LIFETIME_MS = 60_000;
const MAX_CACHED_PRICES = 500;
const PICO_PER_NANO = 1000n;

// A look-up walks the list's patterns; thousands a second would be most of a gateway's work.
const cache = new Map<string, { readonly minute: number; readonly price: ModelPrice | undefined }>();

/**
 * The list price of a model, or undefined where the list does not know it.
 * @param priceList the library's name for the provider
 * @param now milliseconds since the epoch; some prices change with the date or the time of day
 */
export function priceOf(priceList: string, model: string, now: number): ModelPrice | undefined {
  const minute = Math.floor(now / PRICE_LIFETIME_MS);
  const key = `${priceList} ${model}`;
  const cached = cache.get(key);
  if (cached?.minute === minute) return cached.price;
  if (cache.size >= MAX_CACHED_PRICES) cache.clear();
  const price = calcPrice({}, model, { providerId: priceList, timestamp: new Date(now) })?.model_price;
  cache.set(key, { minute, price });
  return price;
}

/**
 * The cost of what is known of the usage, rounded to the nearest nano-dollar; undefined when nothing is known of it, or
 * when something was used that has no price.
 */
export function costOf(usage: Usage, price: ModelPrice): NanoUsd | undefined {
  if (usage.inputTokens === undefined && usage.outputTokens === undefined) return undefined;
  const input = usage.inputTokens ?? 0;
  const bill = new Bill(price, input);

  const { cacheReadTokens = 0, cacheWriteTokens = 0, cacheWrite1hTokens = 0, inputAudioTokens = 0 } = usage;
  bill.add(cacheReadTokens, ['cache_read_mtok', 'input_mtok']);
  bill.add(cacheWrite1hTokens, ['cache_write_1h_mtok', 'cache_write_mtok', 'input_mtok']);
  bill.add(cacheWriteTokens - cacheWrite1hTokens, ['cache_write_mtok', 'input_mtok']);
  bill.add(inputAudioTokens, ['input_audio_mtok', 'input_mtok']);
  bill.add(input - cacheReadTokens - cacheWriteTokens - inputAudioTokens, ['input_mtok']);

  const { outputTokens = 0, reasoningTokens = 0, outputAudioTokens = 0 } = usage;
  bill.add(reasoningTokens, ['output_reasoning_mtok', 'output_mtok']);
  bill.add(outputAudioTokens, ['output_audio_mtok', 'output_mtok']);
  bill.add(outputTokens - reasoningTokens - outputAudioTokens, ['output_mtok']);

  bill.addThousands(usage.webSearches ?? 0, 'web_searches_kcount');
  bill.addThousands(1, 'requests_kcount');
  return bill.total();
}

class Bill {
  readonly #price: ModelPrice;
  readonly #inputTokens: number;
  #pico = 0n;
  #hasUnpriced = false;

  constructor(price: ModelPrice, inputTokens: number) {
    this.#price = price;
    this.#inputTokens = inputTokens;
  }

  /** @param names price entries in dollars per million tokens; the first that the model has counts */
  add(tokens: number, names: readonly string[]): void {
    if (tokens <= 0) return;
    for (const name of names) {
      const perMillion = this.#rate(name);
      if (perMillion === undefined) continue;
      this.#pico += BigInt(tokens) * toPico(perMillion * 1e6);
      return;
    }
    this.#hasUnpriced = true;
  }

  /** What has no entry of its own is not charged for. */
  addThousands(count: number, name: string): void {
    const perThousand = this.#rate(name);
    if (perThousand !== undefined) this.#pico += BigInt(count) * toPico(perThousand * 1e9);
  }

  total(): NanoUsd | undefined {
    return this.#hasUnpriced ? undefined : toNanoUsd(Number((this.#pico + PICO_PER_NANO / 2n) / PICO_PER_NANO));
  }

  /** A tier is reached by the whole input of the call, and then holds for all of its tokens. */
  #rate(name: string): number | undefined {
    const entry = this.#price[name];
    if (entry === undefined || typeof entry === 'number') return entry;
    let rate = entry.base;
    for (const tier of entry.tiers) if (this.#inputTokens > tier.start) rate = tier.price;
    return rate;
  }
}

/** A millionth of a list price is a whole number of picodollars for every price with up to six decimals. */
function toPico(amount: number): bigint {
  return BigInt(Math.round(amount));
}
