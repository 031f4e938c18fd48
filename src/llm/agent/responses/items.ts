// OpenAI's own form for tools that the server runs, its `mcp_call` items, tells a client what was called and what came
// of it. The provider knows only the calls of its own connector, so on the way in ours become the function call and
// its output that they stand for.
import { at, isObject, listAt, textAt, type JsonObject } from '../../../lib/json-value.ts';
import { PRODUCT } from '../../../lib/product.ts';
import { textOf } from '../tool-result.ts';
import type { ToolRun, ToolUse } from '../toolbox.ts';

/** What the ids of our items begin with; the call's own id follows. */
const OWN_ID = `mcp_${PRODUCT.name}_`;

export function outputItem({ use, answer }: ToolRun): JsonObject {
  const hasPicture = answer.content.some(({ type }) => type === 'image');
  const parts = answer.content.map((part) =>
    part.type === 'text'
      ? { type: 'input_text', text: part.text }
      : { type: 'input_image', image_url: `data:${part.mimeType};base64,${part.data}`, detail: 'auto' },
  );
  return { type: 'function_call_output', call_id: use.id, output: hasPicture ? parts : textOf(answer) };
}

/** @param run absent while the tool runs */
export function shownCall(use: ToolUse, run?: ToolRun): JsonObject {
  const text = run === undefined ? null : textOf(run.answer);
  const failed = run?.answer.isError === true;
  return {
    type: 'mcp_call',
    id: OWN_ID + use.id,
    server_label: PRODUCT.name,
    name: use.name,
    arguments: JSON.stringify(use.arguments ?? {}),
    approval_request_id: null,
    output: failed ? null : text,
    error: failed ? text : null,
    status: run === undefined ? 'in_progress' : failed ? 'failed' : 'completed',
  };
}

/** Undefined where there is nothing to restore. */
export function restoredInput(input: readonly unknown[]): readonly unknown[] | undefined {
  if (!input.some(isOwnCall)) return undefined;
  return input.flatMap((item) => {
    if (!isOwnCall(item)) return [item];
    const callId = (textAt(item, 'id') ?? '').slice(OWN_ID.length);
    const output = textAt(item, 'output') ?? textAt(item, 'error') ?? '';
    return [
      { type: 'function_call', call_id: callId, name: item['name'], arguments: item['arguments'] },
      { type: 'function_call_output', call_id: callId, output },
    ];
  });
}

function isOwnCall(item: unknown): item is JsonObject {
  return isObject(item) && item['type'] === 'mcp_call' && textAt(item, 'id')?.startsWith(OWN_ID) === true;
}

/**
 * What the model said, in the form in which it may be handed back. A provider that was told not to store an answer
 * knows none of its items by id, and a thought only by its encrypted text.
 */
export function handedBack(request: unknown, output: readonly JsonObject[]): readonly JsonObject[] {
  // A conversation that the provider keeps holds the answer already.
  if ((at(request, 'conversation') ?? null) !== null) return [];
  if (at(request, 'store') !== false) return output;
  return output
    .filter((item) => item['type'] !== 'reasoning' || typeof item['encrypted_content'] === 'string')
    .map(({ id: _id, ...item }) => item);
}

/** The conversation as a list: a lone text is the user's. */
export function inputItems(request: unknown): readonly unknown[] {
  const input = at(request, 'input');
  return typeof input === 'string' ? [{ role: 'user', content: input }] : listAt(request, 'input');
}
