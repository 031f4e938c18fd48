// What vendors charge beyond what the price list has: terms of service, tools of their own, kinds of tokens that are
// charged like others. Where a vendor documents no figure there is none here, and the cost is unknown.
import type { ModelPrice } from '@pydantic/genai-prices';

/** `times / per` of the list price. Two whole numbers: 5/3 has no decimals. */
export type Ratio = readonly [times: number, per: number];
/** By a term of `Usage.terms`. */
export type TermRates = ReadonlyMap<string, Ratio>;

const SAME: Ratio = [1, 1];
const HALF: Ratio = [1, 2];
const DOUBLE: Ratio = [2, 1];

/** The usual terms, by whatever name: they change nothing. */
const USUAL: TermRates = new Map([
  ['tier:default', SAME],
  ['tier:standard', SAME],
  ['tier:auto', SAME],
  ['tier:on_demand', SAME],
  ['speed:standard', SAME],
  ['geo:global', SAME],
  ['geo:not_available', SAME],
]);

export function rateOf(term: string, rates: TermRates | undefined): Ratio | undefined {
  return rates?.get(term) ?? USUAL.get(term);
}

/**
 * openai.com/api-fast-mode and developers.openai.com/api/docs/pricing, read in November 2026. `priority` and `fast` are
 * the same. The first prefix that fits counts.
 */
const OPENAI_PRIORITY: readonly (readonly [prefix: string, Ratio])[] = [
  ['gpt-5.5', [5, 2]],
  ['gpt-5-mini', [9, 5]],
  ['gpt-5', DOUBLE],
  ['gpt-6', DOUBLE],
  ['gpt-4.1-nano', DOUBLE],
  ['gpt-4.1', [7, 4]],
  ['gpt-4o-mini', [5, 3]],
  ['gpt-4o-2024-05-13', [7, 4]],
  ['gpt-4o', [17, 10]],
  ['o3', [7, 4]],
  ['o4-mini', [20, 11]],
];

/** platform.claude.com/docs/en/build-with-claude/fast-mode: per model, over the whole context window. */
const ANTHROPIC_FAST: readonly (readonly [prefix: string, Ratio])[] = [
  ['claude-opus-4-6', [6, 1]],
  ['claude-opus-4-7', [6, 1]],
  ['claude-opus-4-8', DOUBLE],
  ['claude-opus-5', DOUBLE],
];

/** ai.google.dev/gemini-api/docs/optimization: 75 to 100 % more; the pricing page has 1.8 for these two. */
const GEMINI_PRIORITY: readonly (readonly [prefix: string, Ratio])[] = [
  ['gemini-3.7-flash', [9, 5]],
  ['gemini-3.8-flash', [9, 5]],
  ['gemini-', DOUBLE],
];

/** @param priceList the price list's name for the vendor */
export function termRatesOf(priceList: string, model: string): TermRates {
  switch (priceList) {
    case 'openai': {
      const priority = firstWithPrefix(OPENAI_PRIORITY, model);
      return new Map<string, Ratio>([
        ['tier:flex', HALF],
        ['tier:batch', HALF],
        // Prepaid by the unit: at the list price it is not too low.
        ['tier:scale', SAME],
        ...(priority === undefined ? [] : [['tier:priority', priority] as const, ['tier:fast', priority] as const]),
      ]);
    }
    case 'anthropic': {
      const fast = firstWithPrefix(ANTHROPIC_FAST, model);
      return new Map<string, Ratio>([
        ['tier:batch', HALF],
        // Committed in advance at a discount: at the list price it is not too low.
        ['tier:priority', SAME],
        // platform.claude.com/docs/en/manage-claude/data-residency
        ['geo:us', [11, 10]],
        ...(fast === undefined ? [] : [['speed:fast', fast] as const]),
      ]);
    }
    case 'google':
      return new Map<string, Ratio>([
        ['tier:flex', HALF],
        ['tier:batch', HALF],
        ['tier:provisioned_throughput', SAME],
        ['tier:priority', firstWithPrefix(GEMINI_PRIORITY, model) ?? DOUBLE],
      ]);
    case 'groq':
      // console.groq.com/docs/service-tiers: as on demand.
      return new Map<string, Ratio>([
        ['tier:flex', SAME],
        ['tier:batch', HALF],
      ]);
    default:
      return new Map();
  }
}

/** The price with what the vendor documents and the list leaves out. What the price has already stays. */
export function completedPrice(priceList: string, model: string, price: ModelPrice): ModelPrice {
  switch (priceList) {
    case 'openai':
      return { ...openAiFees(model), ...scaled(price, 'cache_write_mtok', 'cache_write_1h_mtok', 2), ...price };
    case 'anthropic':
      return {
        // docs/en/agents-and-tools/tool-use: a search is $0.01; code runs at $0.05 an hour, and usage does not tell how
        // long: one hour is more than a call can take.
        web_searches_kcount: 10,
        code_sessions_kcount: 50,
        // docs/en/build-with-claude/prompt-caching: 1.25 and 2 times the input.
        ...scaled(price, 'input_mtok', 'cache_write_mtok', 1.25),
        ...scaled(price, 'input_mtok', 'cache_write_1h_mtok', 2),
        ...price,
      };
    case 'google':
      return { ...geminiFees(model), ...geminiSound(price), ...price };
    default:
      return price;
  }
}

/** developers.openai.com/api/docs/pricing: tools, and audio of models that the list has as text only. */
function openAiFees(model: string): ModelPrice {
  return {
    web_searches_kcount: 10,
    storage_searches_kcount: 2.5,
    // A container of 1 GB.
    code_sessions_kcount: 30,
    ...(/^gpt-4o(-mini)?-search-preview/.test(model) && { requests_kcount: 25 }),
    ...(model.startsWith('gpt-5-search-api') && { requests_kcount: 10 }),
    ...(model.startsWith('gpt-4o-audio-preview') &&
      (model.endsWith('2024-10-01')
        ? { input_audio_mtok: 100, output_audio_mtok: 200 }
        : { input_audio_mtok: 40, output_audio_mtok: 80 })),
    ...(model.startsWith('gpt-4o-mini-audio-preview') && { input_audio_mtok: 10, output_audio_mtok: 20 }),
  };
}

/** ai.google.dev/gemini-api/docs/pricing: from Gemini 3 on by the search, before that by the answer. */
function geminiFees(model: string): ModelPrice {
  return /^gemini-([3-9]|\d\d)/.test(model) ? { web_searches_kcount: 14 } : { grounding_kcount: 35 };
}

/** Where Google lists no rate of its own for sound, it charges the one rate that it lists. */
function geminiSound(price: ModelPrice): ModelPrice {
  const { input_mtok: input, cache_read_mtok: read, output_mtok: output } = price;
  const isSeparate = price['input_audio_mtok'] !== undefined;
  return {
    ...(!isSeparate && read !== undefined && { cache_audio_read_mtok: read }),
    ...(input !== undefined && { input_audio_mtok: input }),
    ...(output !== undefined && { output_audio_mtok: output }),
  };
}

/** `to` as a multiple of the entry `from`; nothing where the price lacks it. */
function scaled(price: ModelPrice, from: string, to: string, factor: number): ModelPrice {
  const entry = price[from];
  if (entry === undefined) return {};
  if (typeof entry === 'number') return { [to]: times(entry, factor) };
  const tiers = entry.tiers.map(({ start, price: rate }) => ({ start, price: times(rate, factor) }));
  return { [to]: { base: times(entry.base, factor), tiers } };
}

/** To six decimals, as prices are. */
function times(rate: number, factor: number): number {
  return Math.round(rate * factor * 1e6) / 1e6;
}

function firstWithPrefix(table: readonly (readonly [string, Ratio])[], model: string): Ratio | undefined {
  return table.find(([prefix]) => model.startsWith(prefix))?.[1];
}
