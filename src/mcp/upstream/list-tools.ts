import type { Client, Tool } from '@modelcontextprotocol/client';
import { listResult } from './relayed-result.ts';

/** A server whose cursor never ends, or whose pages are tiny, must end all the same. */
const MOST_PAGES = 200;

export interface ListedTools {
  readonly tools: readonly Tool[];
  /** What was left out, for the operator to read. */
  readonly note?: string;
}

/**
 * Follows the pages of `tools/list` and keeps the first `limit` tools. A definition without a name is left out and one
 * without an input schema gets an empty one; nothing else of a definition is judged, so that one odd schema does not
 * hide the other tools.
 */
export async function listTools(
  client: Client,
  limit: number,
  options: { readonly signal: AbortSignal; readonly timeout: number },
): Promise<ListedTools> {
  const tools: Tool[] = [];
  let cursor: string | undefined;
  let nameless = 0;
  for (let page = 0; page < MOST_PAGES; page++) {
    const params = cursor === undefined ? {} : { cursor };
    const result = await client.request({ method: 'tools/list', params }, listResult, options);
    for (const listed of result.tools) {
      const tool = asTool(listed);
      if (tool === undefined) nameless += 1;
      else if (tools.length < limit) tools.push(tool);
      else return { tools, note: `only its first ${limit} tools are offered (limits.tools_per_server)` };
    }
    const next = result.nextCursor;
    if (next === undefined || next === '') {
      return nameless === 0 ? { tools } : { tools, note: `${nameless} of its tools have no name and are left out` };
    }
    if (next === cursor) return { tools, note: 'its tool list repeats the same page; the rest is left out' };
    cursor = next;
  }
  return { tools, note: `only the first ${MOST_PAGES} pages of its tool list were read` };
}

function asTool(listed: unknown): Tool | undefined {
  if (typeof listed !== 'object' || listed === null) return undefined;
  const { name, inputSchema } = listed as { name?: unknown; inputSchema?: unknown };
  if (typeof name !== 'string' || name === '') return undefined;
  const schema = typeof inputSchema === 'object' && inputSchema !== null ? inputSchema : { type: 'object' };
  return { ...listed, inputSchema: schema } as Tool;
}
