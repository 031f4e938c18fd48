// What is taken for granted where neither the request nor the vendor says. All in LLM tokens unless named otherwise.

/** What a provider's template puts around any conversation, beyond what its JSON is longer than its text. */
export const TEMPLATE_TOKENS = 128;
/** For offering tools at all: the longest such prompt that a vendor documents has 804 tokens. */
export const TOOL_PROMPT_TOKENS = 1024;
/** For asking for an answer of a certain form; the schema itself is in the request. */
export const FORMAT_PROMPT_TOKENS = 512;
/** For a tool that the vendor defined and the caller runs: the longest documented has 1,250 tokens, with its prompt. */
export const VENDOR_TOOL_TOKENS = 2048;
/** For a whole set of those. */
export const VENDOR_TOOLSET_TOKENS = 8192;

/** How often a tool that the provider runs is charged for, where the request does not bound it. */
export const UNSTATED_USES = 10;

/** Percent that a context window may be longer than the round number that is published for it. */
export const WINDOW_MARGIN_PERCENT = 5;
/** Of a model whose price has a tier that begins where its published window ends. */
export const EXTENDED_WINDOW = 1_000_000;

/** What a provider generates on before it notices that nobody listens: so many, or that part of what was seen. */
export const UNSEEN_TOKENS = 256;
export const UNSEEN_PERCENT = 25;
/** The most that a model whose thinking is not shown is taken to think in a second, for each answer. */
export const UNSEEN_TOKENS_PER_SECOND = 2000;
