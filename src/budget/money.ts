declare const nanoUsd: unique symbol;

/** Integer billionths of a US dollar. Exact to 2^53, about nine million dollars. */
export type NanoUsd = number & { readonly [nanoUsd]: true };

/** @throws RangeError when the amount is not a safe non-negative integer: money is never rounded silently. */
export function toNanoUsd(amount: number): NanoUsd {
  if (!Number.isSafeInteger(amount) || amount < 0)
    throw new RangeError(`not a whole number of nano-dollars: ${amount}`);
  return amount as NanoUsd;
}

/** @returns undefined where the amount is negative, too large, or no whole number of nano-dollars */
export function fromUsd(usd: number): NanoUsd | undefined {
  const text = usd.toFixed(9);
  const nano = Number(text.replace('.', ''));
  return Number(text) === usd && nano >= 0 && Number.isSafeInteger(nano) ? toNanoUsd(nano) : undefined;
}

/** As a decimal number of dollars, exact and without an exponent: `0.000123456`. */
export function toUsdText(amount: NanoUsd): string {
  const digits = String(amount).padStart(10, '0');
  const fraction = digits.slice(-9).replace(/0+$/, '');
  const whole = digits.slice(0, -9);
  return fraction === '' ? whole : `${whole}.${fraction}`;
}
