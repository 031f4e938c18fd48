import type { AgentDialect } from './dialect.ts';
import { chatCompletionsDialect } from './chat-completions/dialect.ts';
import { messagesDialect } from './messages/dialect.ts';
import { responsesDialect } from './responses/dialect.ts';

/** By the operation's path. */
const DIALECTS: ReadonlyMap<string, AgentDialect> = new Map([
  ['/chat/completions', chatCompletionsDialect],
  ['/responses', responsesDialect],
  ['/messages', messagesDialect],
]);

/** Undefined for operations that know no tools. */
export function agentDialectOf(path: string): AgentDialect | undefined {
  return DIALECTS.get(path);
}

export { chatCompletionsDialect, messagesDialect, responsesDialect };
