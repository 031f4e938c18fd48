// Anthropic's own form for tools that the server runs, its blocks for remote MCP, tells a client what was called and
// what came of it. Providers take these blocks back only from their own connector, so on the way in they become the
// tool use and tool result that they stand for.
import { isObject, listAt, textAt, type JsonObject } from '../../../lib/json-value.ts';
import { PRODUCT } from '../../../lib/product.ts';
import type { ToolAnswer, ToolRun, ToolUse } from '../toolbox.ts';

/** What ids of the provider's own connector begin with. */
const CONNECTOR_ID = 'mcptoolu_';

export function toolResultBlock({ use, answer }: ToolRun): JsonObject {
  return {
    type: 'tool_result',
    tool_use_id: use.id,
    content: contentBlocks(answer),
    ...(answer.isError && { is_error: true }),
  };
}

export function shownUse(use: ToolUse): JsonObject {
  return {
    type: 'mcp_tool_use',
    id: use.id,
    name: use.name,
    server_name: PRODUCT.name,
    input: use.arguments ?? {},
  };
}

export function shownResult({ use, answer }: ToolRun): JsonObject {
  return { type: 'mcp_tool_result', tool_use_id: use.id, is_error: answer.isError, content: contentBlocks(answer) };
}

/** Undefined where there is nothing to restore. */
export function restoredMessages(messages: readonly unknown[]): readonly unknown[] | undefined {
  const own = new Set(messages.flatMap((message) => listAt(message, 'content').flatMap(ownUseId)));
  if (own.size === 0) return undefined;
  return messages.flatMap((message) => {
    const content = listAt(message, 'content');
    return content.some((block) => isOwn(block, own)) ? splitMessage(message, content, own) : [message];
  });
}

function ownUseId(block: unknown): string[] {
  const id = textAt(block, 'id');
  if (textAt(block, 'type') !== 'mcp_tool_use' || textAt(block, 'server_name') !== PRODUCT.name) return [];
  return id === undefined || id.startsWith(CONNECTOR_ID) ? [] : [id];
}

function isOwn(block: unknown, own: ReadonlySet<string>): boolean {
  const type = textAt(block, 'type');
  return (
    (type === 'mcp_tool_use' && ownUseId(block).length > 0) ||
    (type === 'mcp_tool_result' && own.has(textAt(block, 'tool_use_id') ?? ''))
  );
}

/** One message of several turns, as the turns it is made of: the results are said by the user. */
function splitMessage(message: unknown, content: readonly unknown[], own: ReadonlySet<string>): unknown[] {
  const turns: { role: string; content: unknown[] }[] = [];
  const say = (role: string, block: unknown): void => {
    const last = turns.at(-1);
    if (last?.role === role) last.content.push(block);
    else turns.push({ ...(isObject(message) ? message : {}), role, content: [block] });
  };
  for (const block of content) {
    if (!isObject(block) || !isOwn(block, own)) say('assistant', block);
    else if (block['type'] === 'mcp_tool_use') {
      const { server_name: _server, ...use } = block;
      say('assistant', { ...use, type: 'tool_use' });
    } else say('user', { ...block, type: 'tool_result' });
  }
  return turns;
}

function contentBlocks({ content }: ToolAnswer): readonly JsonObject[] {
  const said = content.filter((part) => part.type !== 'text' || part.text !== '');
  return said.map((part) =>
    part.type === 'text'
      ? { type: 'text', text: part.text }
      : { type: 'image', source: { type: 'base64', media_type: part.mimeType, data: part.data } },
  );
}
