// What can be asked of a provider, and in which dialect.
import type { ResponseReader } from './response-reader.ts';
import { MessagesReader } from './dialects/anthropic/messages-reader.ts';
import { CountTokensReader } from './dialects/anthropic/count-tokens-reader.ts';
import { EmbedContentReader } from './dialects/gemini/embed-content-reader.ts';
import { GenerateContentReader } from './dialects/gemini/generate-content-reader.ts';
import { ChatCompletionsReader } from './dialects/openai/chat-completions-reader.ts';
import { EmbeddingsReader } from './dialects/openai/embeddings-reader.ts';
import { ResponsesReader } from './dialects/openai/responses-reader.ts';

export type LlmDialect = 'openai' | 'anthropic' | 'gemini';

export interface Operation {
  readonly dialect: LlmDialect;
  /** Below the version segment: `/chat/completions`. `{model}` stands for the model, where the path names it. */
  readonly path: string;
  readonly createReader: () => ResponseReader;
  /** A stream of it tells the usage only to those who ask. */
  readonly mustAskForUsage?: true;
}

export const OPERATIONS = {
  chatCompletions: {
    dialect: 'openai',
    path: '/chat/completions',
    createReader: () => new ChatCompletionsReader(),
    mustAskForUsage: true,
  },
  responses: { dialect: 'openai', path: '/responses', createReader: () => new ResponsesReader() },
  embeddings: { dialect: 'openai', path: '/embeddings', createReader: () => new EmbeddingsReader() },
  messages: { dialect: 'anthropic', path: '/messages', createReader: () => new MessagesReader() },
  countTokens: {
    dialect: 'anthropic',
    path: '/messages/count_tokens',
    createReader: () => new CountTokensReader(),
  },
  generateContent: {
    dialect: 'gemini',
    path: '/models/{model}:generateContent',
    createReader: () => new GenerateContentReader(),
  },
  streamGenerateContent: {
    dialect: 'gemini',
    path: '/models/{model}:streamGenerateContent',
    createReader: () => new GenerateContentReader(),
  },
  geminiCountTokens: {
    dialect: 'gemini',
    path: '/models/{model}:countTokens',
    createReader: () => new CountTokensReader(),
  },
  embedContent: {
    dialect: 'gemini',
    path: '/models/{model}:embedContent',
    createReader: () => new EmbedContentReader(),
  },
  batchEmbedContents: {
    dialect: 'gemini',
    path: '/models/{model}:batchEmbedContents',
    createReader: () => new EmbedContentReader(),
  },
} as const satisfies Record<string, Operation>;

const IN_PATH = '/models/{model}:';

/** Of Gemini, by the method that its path ends with: `generateContent`. */
export const GEMINI_OPERATIONS: ReadonlyMap<string, Operation> = new Map(
  Object.values<Operation>(OPERATIONS)
    .filter(({ path }) => path.startsWith(IN_PATH))
    .map((operation) => [operation.path.slice(IN_PATH.length), operation]),
);
export const GEMINI_METHODS: readonly string[] = [...GEMINI_OPERATIONS.keys()];

/** The path of an operation at a provider. @param model as the provider knows it */
export function pathOf({ path }: Pick<Operation, 'path'>, model: string): string {
  return path.replace('{model}', () => encodeURIComponent(model));
}

/** Where to turn with a model that is not served in the dialect asked for. */
export const MAIN_PATH: Readonly<Record<LlmDialect, string>> = {
  openai: '/v1/chat/completions',
  anthropic: '/v1/messages',
  gemini: '/genai/v1beta/models/<model>:generateContent',
};
