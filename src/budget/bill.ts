// The sum of what one call used, in integers.
import type { ModelPrice } from '@pydantic/genai-prices';
import { toNanoUsd, type NanoUsd } from './money.ts';
import type { Ratio } from './vendor-terms.ts';

const PICO_PER_NANO = 1000n;

export class Bill {
  readonly #price: ModelPrice;
  readonly #inputTokens: number;
  #tokensPico = 0n;
  #feesPico = 0n;
  #hasUnpriced = false;

  /** @param inputTokens of the whole call; they decide which tier of a price holds */
  constructor(price: ModelPrice, inputTokens: number) {
    this.#price = price;
    this.#inputTokens = inputTokens;
  }

  /** @param names entries in dollars per million tokens; the first that the price has counts */
  addTokens(tokens: number, names: readonly string[]): void {
    if (tokens <= 0) return;
    const perMillion = this.#firstRate(names);
    if (perMillion === undefined) this.#hasUnpriced = true;
    else this.#tokensPico += BigInt(tokens) * toPico(perMillion * 1e6);
  }

  /** @param name of an entry in dollars per thousand */
  addFees(count: number, name: string): void {
    if (count <= 0) return;
    const perThousand = this.#firstRate([name]);
    if (perThousand === undefined) this.#hasUnpriced = true;
    else this.#feesPico += BigInt(count) * toPico(perThousand * 1e9);
  }

  has(name: string): boolean {
    return this.#price[name] !== undefined;
  }

  /**
   * Rounded once, to the nearest nano-dollar. Undefined where something has no price, or where the sum is beyond all
   * money there is.
   * @param ratios at which the tokens are charged, each on top of the one before; fees are not
   */
  total(ratios: readonly Ratio[]): NanoUsd | undefined {
    if (this.#hasUnpriced) return undefined;
    let numerator = this.#tokensPico;
    let denominator = PICO_PER_NANO;
    let fees = this.#feesPico;
    for (const [times, per] of ratios) {
      numerator *= BigInt(times);
      denominator *= BigInt(per);
      fees *= BigInt(per);
    }
    numerator += fees;
    const nano = (numerator + denominator / 2n) / denominator;
    return nano > Number.MAX_SAFE_INTEGER ? undefined : toNanoUsd(Number(nano));
  }

  #firstRate(names: readonly string[]): number | undefined {
    for (const name of names) {
      const rate = this.#rate(name);
      if (rate !== undefined) return rate;
    }
    return undefined;
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
