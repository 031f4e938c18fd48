/** The kinds of provider whose addresses are known; any other needs a `base_url` and is taken to speak OpenAI's dialect. */
export const PROVIDER_TYPE_NAMES = [
  'openai',
  'anthropic',
  'gemini',
  'groq',
  'mistral',
  'deepseek',
  'openrouter',
  'xai',
  'together',
  'fireworks',
  'perplexity',
  'cerebras',
  'ollama',
  'echo',
] as const;

export type ProviderTypeName = (typeof PROVIDER_TYPE_NAMES)[number];
