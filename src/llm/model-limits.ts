// How much the well-known models can say in one answer, as their vendors publish it. Only for what the vendor itself
// serves: who serves another's model sets limits of its own.
// developers.openai.com/api/docs/models · platform.claude.com/docs/en/about-claude/models · ai.google.dev/gemini-api/docs/models
// · api-docs.deepseek.com/quick_start/pricing. Where a beta or an alias allows more, the more stands; where the operator knows
// better, `providers[].prices` does.

type Limits = readonly (readonly [prefix: string, maxOutputTokens: number])[];

/** The first prefix that fits counts. */
const LIMITS: Readonly<Record<string, Limits>> = {
  openai: [
    ['gpt-5-pro', 272_000],
    ['gpt-5-chat', 16_384],
    ['gpt-5', 128_000],
    ['gpt-6', 128_000],
    ['gpt-4.1', 32_768],
    ['gpt-4o-2024-05-13', 4_096],
    ['gpt-4o', 16_384],
    ['chatgpt-4o', 16_384],
    ['gpt-audio', 16_384],
    ['gpt-4.5', 16_384],
    ['gpt-4-turbo', 4_096],
    ['gpt-4-32k', 32_768],
    ['gpt-4', 8_192],
    ['gpt-3.5-turbo', 4_096],
    ['o1-mini', 65_536],
    ['o1-preview', 32_768],
    ['o1', 100_000],
    ['o3', 100_000],
    ['o4-mini', 100_000],
    ['codex-mini', 100_000],
  ],
  anthropic: [
    ['claude-3-5', 8_192],
    ['claude-3-7', 128_000],
    ['claude-3', 4_096],
    ['claude-opus-4-0', 32_000],
    ['claude-opus-4-1', 32_000],
    ['claude-opus-4-2', 32_000],
    ['claude-opus-4-5', 64_000],
    ['claude-sonnet-4-0', 64_000],
    ['claude-sonnet-4-2', 64_000],
    ['claude-sonnet-4-5', 64_000],
    ['claude-haiku-4-5', 64_000],
    ['claude-opus-', 128_000],
    ['claude-sonnet-', 128_000],
    ['claude-haiku-', 128_000],
    ['claude-fable-', 128_000],
  ],
  google: [
    ['gemini-1.5', 8_192],
    ['gemini-2.0', 8_192],
    ['gemini-2.5-flash-image', 32_768],
    ['gemini-2.5', 65_536],
    ['gemini-3', 65_536],
  ],
  deepseek: [['deepseek-', 384_000]],
};

/** In tokens, reasoning included; undefined where it is not known. @param priceList the price list's name for the vendor */
export function maxOutputTokensOf(priceList: string, model: string): number | undefined {
  return LIMITS[priceList]?.find(([prefix]) => model.startsWith(prefix))?.[1];
}
