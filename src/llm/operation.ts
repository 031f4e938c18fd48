// What can be asked of a provider, and in which dialect.
import type { ResponseReader } from './response-reader.ts';
import { MessagesReader } from './dialects/anthropic/messages-reader.ts';
import { CountTokensReader } from './dialects/anthropic/count-tokens-reader.ts';
import { ChatCompletionsReader } from './dialects/openai/chat-completions-reader.ts';
import { EmbeddingsReader } from './dialects/openai/embeddings-reader.ts';
import { ResponsesReader } from './dialects/openai/responses-reader.ts';

export type LlmDialect = 'openai' | 'anthropic';

export interface Operation {
  readonly dialect: LlmDialect;
  /** Below the version segment: `/chat/completions`. */
  readonly path: string;
  readonly createReader: () => ResponseReader;
}

export const OPERATIONS = {
  chatCompletions: {
    dialect: 'openai',
    path: '/chat/completions',
    createReader: () => new ChatCompletionsReader(),
  },
  responses: { dialect: 'openai', path: '/responses', createReader: () => new ResponsesReader() },
  embeddings: { dialect: 'openai', path: '/embeddings', createReader: () => new EmbeddingsReader() },
  messages: { dialect: 'anthropic', path: '/messages', createReader: () => new MessagesReader() },
  countTokens: {
    dialect: 'anthropic',
    path: '/messages/count_tokens',
    createReader: () => new CountTokensReader(),
  },
} as const satisfies Record<string, Operation>;

/** Where to turn with a model that is not served in the dialect asked for. */
export const MAIN_PATH: Readonly<Record<LlmDialect, string>> = {
  openai: '/v1/chat/completions',
  anthropic: '/v1/messages',
};
