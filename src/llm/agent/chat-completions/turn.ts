import { at, isObject, listAt, textAt, type JsonObject } from '../../../lib/json-value.ts';
import type { ModelTurn } from '../dialect.ts';
import { parseArguments } from '../tool-result.ts';
import type { ToolUse } from '../toolbox.ts';

/** Between the words of two turns, which become one message. */
export const TURN_BREAK = '\n\n';

/** @param isOnly whether it is the only answer; with `n` above one nobody can tell which to go on from */
export function turnOf(message: JsonObject, finishReason: string | undefined, isOnly: boolean): ModelTurn {
  const calls = listAt(message, 'tool_calls');
  const toolUses = calls.flatMap((call) => toolUseOf(call) ?? []);
  // Providers say "stop" after forced calls, and some after all calls; a call cut short must not be run.
  const isCut = finishReason === undefined || finishReason === 'length' || finishReason === 'content_filter';
  return { toolUses, canContinue: isOnly && !isCut && toolUses.length === calls.length, said: [message] };
}

/** @param item of `tool_calls` */
export function toolUseOf(item: unknown): ToolUse | undefined {
  const id = textAt(item, 'id');
  const called = at(item, 'function');
  const name = textAt(called, 'name');
  if (id === undefined || name === undefined || !isObject(called)) return undefined;
  return { id, name, arguments: parseArguments(called['arguments']) };
}
