import { at, isObject, textAt, type JsonObject } from '../../../lib/json-value.ts';
import type { ModelTurn } from '../dialect.ts';
import { parseArguments } from '../tool-result.ts';
import type { ToolUse } from '../toolbox.ts';

/** @param content the blocks of an answer, whole */
export function turnOf(content: readonly unknown[], stopReason: string | undefined): ModelTurn {
  const uses = content.filter(isToolUse);
  const toolUses = uses.flatMap((block) => toolUseOf(block) ?? []);
  // The API refuses to be told of empty texts and of input that is no object, both of which models say at times.
  const told = content
    .filter((block) => textAt(block, 'type') !== 'text' || textAt(block, 'text') !== '')
    .map(withInput);
  return {
    toolUses,
    canContinue: stopReason === 'tool_use' && toolUses.length === uses.length,
    said: [{ role: 'assistant', content: told }],
  };
}

function withInput(block: unknown): unknown {
  return isToolUse(block) && !isObject(block['input']) ? { ...block, input: {} } : block;
}

export function isToolUse(block: unknown): block is JsonObject {
  return isObject(block) && block['type'] === 'tool_use';
}

export function toolUseOf(block: unknown): ToolUse | undefined {
  const id = textAt(block, 'id');
  const name = textAt(block, 'name');
  if (id === undefined || name === undefined || !isToolUse(block)) return undefined;
  return { id, name, arguments: parseArguments(at(block, 'input')) };
}
