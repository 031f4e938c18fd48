// OpenAI's Chat Completions. It has no form for calls that the server ran, so those leave no trace in the answer but
// the words the model said around them.
import { at, isObject, listAt, textAt, type JsonObject } from '../../../lib/json-value.ts';
import type { AgentDialect, Round } from '../dialect.ts';
import { textOf } from '../tool-result.ts';
import type { ToolRun } from '../toolbox.ts';
import { summedUsage } from '../usage-sum.ts';
import { ChatCompletionsSplice } from './splice.ts';
import { toolUseOf, TURN_BREAK, turnOf } from './turn.ts';

export const chatCompletionsDialect: AgentDialect = {
  conversation: 'messages',
  toolNames: (request) =>
    [...listAt(request, 'tools').map((tool) => at(tool, 'function')), ...listAt(request, 'functions')].flatMap(
      (definition) => textAt(definition, 'name') ?? [],
    ),
  offer: (tool, description, parameters) => ({
    type: 'function',
    function: { name: tool.name, description, parameters },
  }),
  forcesTools(request) {
    const choice = at(request, 'tool_choice');
    return choice === 'required' || isObject(choice);
  },
  restored: () => undefined,
  readAnswer(answer) {
    const choices = listAt(answer, 'choices');
    const message = at(choices[0], 'message');
    return turnOf(isObject(message) ? message : {}, textAt(choices[0], 'finish_reason'), choices.length === 1);
  },
  continued: (_request, said, runs) => ({ add: [...said, ...runs.map(toolMessage)] }),
  composed(rounds, last) {
    const [choice, ...others] = listAt(last, 'choices');
    const message = at(choice, 'message');
    if (!isObject(choice) || !isObject(message)) return last;
    const words = [...rounds.map(({ answer }) => answer), last].map(wordsOf).filter((text) => text !== '');
    const content = words.length === 0 ? {} : { content: words.join(TURN_BREAK) };
    const usage = rounds.reduceRight<unknown>((sum, { answer }) => summedUsage(answer['usage'], sum), last['usage']);
    return {
      ...last,
      choices: [{ ...choice, message: { ...message, ...content } }, ...others],
      ...(usage !== undefined && { usage }),
    };
  },
  createSplice: (isAuto) => new ChatCompletionsSplice(isAuto),
  readToolUse: toolUseOf,
  resultItem: toolMessage,
};

function toolMessage({ use, answer }: ToolRun): JsonObject {
  return { role: 'tool', tool_call_id: use.id, content: textOf(answer) };
}

function wordsOf(answer: Round['answer']): string {
  return textAt(listAt(answer, 'choices')[0], 'message', 'content') ?? '';
}
