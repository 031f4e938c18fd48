import { isObject, textAt, type JsonObject } from '../../../lib/json-value.ts';
import type { ModelTurn } from '../dialect.ts';
import { parseArguments } from '../tool-result.ts';
import type { ToolUse } from '../toolbox.ts';

/** Calls that the provider runs itself; every other kind of call waits for the caller. */
const RUN_BY_PROVIDER = new Set([
  'web_search_call',
  'file_search_call',
  'code_interpreter_call',
  'image_generation_call',
  'mcp_call',
  'tool_search_call',
]);

/** @param output the items of an answer, whole */
export function turnOf(output: readonly unknown[], status: string | undefined): ModelTurn {
  const items = output.filter(isObject);
  const calls = items.filter(isFunctionCall);
  const toolUses = calls.flatMap((item) => toolUseOf(item) ?? []);
  const isOurs = toolUses.length === calls.length && !items.some(isCallers);
  return { toolUses, canContinue: status === 'completed' && isOurs, said: items };
}

export function isFunctionCall(item: unknown): item is JsonObject {
  return textAt(item, 'type') === 'function_call';
}

/** Whether an item waits for something that only the caller can do. */
export function isCallers(item: unknown): boolean {
  const type = textAt(item, 'type') ?? '';
  if (type === 'mcp_approval_request') return true;
  return type.endsWith('_call') && type !== 'function_call' && !RUN_BY_PROVIDER.has(type);
}

export function toolUseOf(item: unknown): ToolUse | undefined {
  const id = textAt(item, 'call_id');
  const name = textAt(item, 'name');
  if (id === undefined || name === undefined || !isFunctionCall(item)) return undefined;
  return { id, name, arguments: parseArguments(item['arguments']) };
}
