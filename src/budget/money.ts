declare const nanoUsd: unique symbol;

/** Integer billionths of a US dollar. Exact to 2^53, about nine million dollars. */
export type NanoUsd = number & { readonly [nanoUsd]: true };

export const NANO_PER_USD = 1_000_000_000;

/** @throws RangeError when the amount is not a safe non-negative integer: money is never rounded silently. */
export function toNanoUsd(amount: number): NanoUsd {
  if (!Number.isSafeInteger(amount) || amount < 0)
    throw new RangeError(`not a whole number of nano-dollars: ${amount}`);
  return amount as NanoUsd;
}

/** Rounds to the nearest nano-dollar. @throws RangeError for negative, unsafe or non-finite amounts. */
export function fromUsd(usd: number): NanoUsd {
  return toNanoUsd(Math.round(usd * NANO_PER_USD));
}

/** As a decimal number of dollars, exact and without an exponent: `0.000123456`. */
export function toUsdText(amount: NanoUsd): string {
  const digits = String(amount).padStart(10, '0');
  const fraction = digits.slice(-9).replace(/0+$/, '');
  const whole = digits.slice(0, -9);
  return fraction === '' ? whole : `${whole}.${fraction}`;
}
