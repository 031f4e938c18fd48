// The shape of prices, named as the price list names them.
import { z } from 'zod';
import { pattern } from './fields.ts';

const MAX_USD = 1_000_000;
const MAX_MODEL_TOKENS = 100_000_000;

/** US dollars per million tokens or per thousand. A finer price would be rounded, and some day to nothing. */
const rate = z
  .number()
  .nonnegative()
  .max(MAX_USD)
  .refine((value) => Number(value.toFixed(6)) === value, 'must have at most six decimals');
/** Once the input of a call is longer than `start` tokens, the tier's price holds for all of the call. */
const tiered = z.strictObject({
  base: rate,
  tiers: z.array(z.strictObject({ start: z.int().positive(), price: rate })).min(1),
});
const entry = z.union([rate, tiered]).optional();

const rates = {
  input_mtok: entry,
  output_mtok: entry,
  cache_read_mtok: entry,
  cache_write_mtok: entry,
  cache_write_1h_mtok: entry,
  output_reasoning_mtok: entry,
  input_audio_mtok: entry,
  output_audio_mtok: entry,
  cache_audio_read_mtok: entry,
  input_image_mtok: entry,
  output_image_mtok: entry,
  cache_image_read_mtok: entry,
  input_video_mtok: entry,
  requests_kcount: entry,
  web_searches_kcount: entry,
  grounding_kcount: entry,
  storage_searches_kcount: entry,
  code_sessions_kcount: entry,
};
const RATE_NAMES = Object.keys(rates) as (keyof typeof rates)[];

/** Rates stand for the whole entry of the price list; without any, the list's hold. */
const price = z
  .strictObject({
    ...rates,
    /** Of one answer: what a call is taken for that does not say how long its answer may be. */
    max_output_tokens: z.int().positive().max(MAX_MODEL_TOKENS).optional(),
    context_window: z.int().positive().max(MAX_MODEL_TOKENS).optional(),
  })
  .superRefine((given, context) => {
    const isPriced = RATE_NAMES.some((name) => given[name] !== undefined);
    if (!isPriced && given.max_output_tokens === undefined && given.context_window === undefined)
      context.addIssue({
        code: 'custom',
        message: 'says nothing',
        params: { fix: 'add input_mtok and output_mtok, in US dollars per million tokens' },
      });
    for (const name of ['input_mtok', 'output_mtok'] as const)
      if (isPriced && given[name] === undefined)
        context.addIssue({
          code: 'custom',
          path: [name],
          message: 'is required where any price is given: it stands in the place of the whole entry of the price list',
          params: { fix: 'set it to 0 where it costs nothing' },
        });
  });

export const prices = z.record(pattern, price);

export type PriceDocument = z.output<typeof price>;
