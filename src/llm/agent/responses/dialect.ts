// OpenAI's Responses.
import { at, isObject, listAt, textAt } from '../../../lib/json-value.ts';
import type { AgentDialect } from '../dialect.ts';
import { summedUsage } from '../usage-sum.ts';
import { handedBack, inputItems, outputItem, restoredInput, shownCall } from './items.ts';
import { ResponsesSplice } from './splice.ts';
import { isFunctionCall, toolUseOf, turnOf } from './turn.ts';

export const responsesDialect: AgentDialect = {
  conversation: 'input',
  toolNames: (request) => listAt(request, 'tools').flatMap((tool) => textAt(tool, 'name') ?? []),
  // Left out, `strict` is true here, and a schema would have to be written for it.
  offer: (tool, description, parameters) => ({
    type: 'function',
    name: tool.name,
    description,
    parameters,
    strict: false,
  }),
  forcesTools(request) {
    const choice = at(request, 'tool_choice');
    return choice === 'required' || isObject(choice);
  },
  restored: (request) => restoredInput(listAt(request, 'input')),
  readAnswer: (answer) => turnOf(listAt(answer, 'output'), textAt(answer, 'status')),
  continued(request, said, runs) {
    const results = runs.map(outputItem);
    const isKept = (at(request, 'conversation') ?? null) !== null;
    const items = [...handedBack(request, said), ...results];
    return isKept ? { replace: items } : { replace: [...inputItems(request), ...items] };
  },
  composed(rounds, last) {
    const before = rounds.flatMap(({ answer, runs }) => [
      ...listAt(answer, 'output').filter((item) => !isFunctionCall(item)),
      ...runs.map((run) => shownCall(run.use, run)),
    ]);
    const usage = rounds.reduceRight<unknown>((sum, { answer }) => summedUsage(answer['usage'], sum), last['usage']);
    return { ...last, output: [...before, ...listAt(last, 'output')], ...(usage !== undefined && { usage }) };
  },
  createSplice: (isAuto) => new ResponsesSplice(isAuto),
  readToolUse: toolUseOf,
  resultItem: outputItem,
};
