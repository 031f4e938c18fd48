// Anthropic's Messages.
import { at, listAt, textAt } from '../../../lib/json-value.ts';
import type { AgentDialect } from '../dialect.ts';
import { summedUsage } from '../usage-sum.ts';
import { restoredMessages, shownResult, shownUse, toolResultBlock } from './blocks.ts';
import { MessagesSplice } from './splice.ts';
import { isToolUse, toolUseOf, turnOf } from './turn.ts';

export const messagesDialect: AgentDialect = {
  conversation: 'messages',
  toolNames: (request) => listAt(request, 'tools').flatMap((tool) => textAt(tool, 'name') ?? []),
  offer: (tool, description, schema) => ({ name: tool.name, description, input_schema: schema }),
  forcesTools(request) {
    const choice = textAt(request, 'tool_choice', 'type');
    return choice === 'any' || choice === 'tool';
  },
  restored: (request) => restoredMessages(listAt(request, 'messages')),
  readAnswer: (answer) => turnOf(listAt(answer, 'content'), textAt(answer, 'stop_reason')),
  continued: (_request, said, runs) => ({ add: [...said, { role: 'user', content: runs.map(toolResultBlock) }] }),
  composed(rounds, last) {
    const before = rounds.flatMap(({ answer, runs }) => [
      ...listAt(answer, 'content').filter((block) => !isToolUse(block)),
      ...runs.map(({ use }) => shownUse(use)),
      ...runs.map(shownResult),
    ]);
    const usage = rounds.reduceRight<unknown>(
      (sum, { answer }) => summedUsage(at(answer, 'usage'), sum),
      last['usage'],
    );
    return {
      ...last,
      content: [...before, ...listAt(last, 'content')],
      ...(usage !== undefined && { usage }),
    };
  },
  createSplice: (isAuto) => new MessagesSplice(isAuto),
  readToolUse: toolUseOf,
  resultItem: toolResultBlock,
};
