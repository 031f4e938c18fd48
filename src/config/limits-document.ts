// The shapes of budgets, rate limits and the cost of tools.
import { z } from 'zod';
import type { LimitWindow } from '../budget/limits.ts';
import { pattern } from './fields.ts';
import { isCalendarPeriod, periodProblem, windowKey } from './periods.ts';

/** Beyond it nano-dollars are no whole numbers any more. */
const MAX_USD = 9_000_000;
const MAX_COUNT = 1_000_000_000_000;

const usd = z
  .number()
  .nonnegative()
  .max(MAX_USD)
  .refine((amount) => Number(amount.toFixed(9)) === amount, 'must have at most nine decimals');
const count = z.int().positive().max(MAX_COUNT);

const period = z.string().superRefine((text, context) => {
  const message = periodProblem(text);
  if (message !== undefined) context.addIssue({ code: 'custom', message });
});

function checkCalendar(window: { period: string; calendar?: boolean | undefined }, context: z.RefinementCtx): void {
  if (window.calendar !== true || isCalendarPeriod(window.period)) return;
  context.addIssue({
    code: 'custom',
    path: ['period'],
    message: 'must be one of 1m, 1h, 1d, 1w, 1M, 1Y where calendar is true',
    params: { fix: 'take one of them, or remove calendar: true' },
  });
}

const budget = z
  .strictObject({
    limit_usd: usd,
    period,
    /** Since the beginning of the minute, hour, day, week (Monday), month or year, UTC. Rolling when absent. */
    calendar: z.boolean().optional(),
    /** Shares of the limit at which an alert is due. */
    alert_at: z.array(z.number().positive().max(1)).optional(),
  })
  .superRefine(checkCalendar);

export const budgets = z.array(budget).superRefine((list, context) => {
  reportRepeated(list, context, (entry) => [{ at: 'period', counts: windowKey(windowOf(entry)) }], 'another budget');
});

const rateFields = {
  requests: count.optional(),
  /** LLM tokens, input and output. */
  tokens: count.optional(),
  concurrent: count.optional(),
  /** Of requests and tokens. */
  period: period.default('1m'),
  calendar: z.boolean().optional(),
};
const NO_TOKENS = 'bounds nothing here: only calls of models use tokens';
const toolRateFields = {
  ...rateFields,
  tokens: z.custom<undefined>((value) => value === undefined, NO_TOKENS).optional(),
};

/** Of callers: all they ask of models and MCP servers. */
export const rateLimits = oneOrMore(z.strictObject(rateFields).superRefine(checkRate));
/** Of what MCP servers are asked. */
export const toolRateLimits = oneOrMore(z.strictObject(toolRateFields).superRefine(checkRate));

/** By tool, or pattern of tools. */
export const rateLimitsByTool = z.record(pattern, toolRateLimits);
export const toolCosts = z.record(pattern, usd);

type RateLimit = {
  requests?: number | undefined;
  tokens?: number | undefined;
  concurrent?: number | undefined;
  period: string;
  calendar?: boolean | undefined;
};

function checkRate(rate: RateLimit, context: z.RefinementCtx): void {
  checkCalendar(rate, context);
  if (rate.requests !== undefined || rate.tokens !== undefined || rate.concurrent !== undefined) return;
  context.addIssue({
    code: 'custom',
    message: 'bounds nothing',
    params: { fix: 'add requests, tokens or concurrent' },
  });
}

/** One may be written without the list around it. */
function oneOrMore<T extends z.ZodType<RateLimit>>(rate: T) {
  const list = z.array(rate).superRefine((rates, context) => {
    reportRepeated(rates, context, countersOf, 'another rate limit');
  });
  return z.union([rate.transform((one) => [one]), list]);
}

interface Counter {
  /** The field that says so. */
  readonly at: string;
  readonly counts: string;
}

function countersOf(rate: RateLimit): Counter[] {
  const window = windowKey(windowOf(rate));
  return (['requests', 'tokens', 'concurrent'] as const).flatMap((metric) =>
    rate[metric] === undefined
      ? []
      : [{ at: metric, counts: metric === 'concurrent' ? metric : `${metric} ${window}` }],
  );
}

function windowOf({ period: span, calendar }: { period: string; calendar?: boolean | undefined }): LimitWindow {
  return { period: span, calendar: calendar ?? false };
}

/** Of two limits of one place on the same thing, one would be for nothing, and nobody could say which. */
function reportRepeated<T>(
  list: readonly T[],
  context: z.RefinementCtx,
  countersIn: (entry: T) => readonly Counter[],
  kind: string,
): void {
  const seen = new Set<string>();
  for (const [index, entry] of list.entries()) {
    for (const { at, counts } of countersIn(entry)) {
      if (seen.has(counts)) {
        context.addIssue({
          code: 'custom',
          path: [index, at],
          message: `${kind} here bounds the same over the same time`,
          params: { fix: 'keep one of them' },
        });
      }
      seen.add(counts);
    }
  }
}

export type BudgetDocument = z.output<typeof budget>;
export type RateLimitDocument = z.output<typeof rateLimits>[number];
