import { ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server';
import type { JSONRPCRequest, ListToolsResult } from '@modelcontextprotocol/server';
import { decodeBase64, encodeBase64Url } from '../../lib/base64url.ts';
import { toolsInScope } from '../catalog.ts';
import type { Exchange } from '../exchange.ts';
import { LIST_TTL_MS, PAGE_SIZE } from '../limits.ts';

export async function listTools(exchange: Exchange, request: JSONRPCRequest): Promise<ListToolsResult> {
  const after = readCursor(request.params?.['cursor']);
  const all = await toolsInScope(exchange.caller.scope, exchange.upstreamViews);
  const from = after === undefined ? 0 : firstAfter(all, after);
  const page = all.slice(from, from + PAGE_SIZE).map((tool) => tool.definition);
  const last = page.at(-1);
  return {
    tools: page,
    ...(last !== undefined && from + PAGE_SIZE < all.length && { nextCursor: writeCursor(last.name) }),
    ...(exchange.era === 'modern' && { ttlMs: LIST_TTL_MS, cacheScope: 'private' }),
  };
}

/** A name, not a position: tools that come or go between two pages make none appear twice or vanish. */
function firstAfter(tools: Awaited<ReturnType<typeof toolsInScope>>, name: string): number {
  const index = tools.findIndex((tool) => tool.definition.name > name);
  return index === -1 ? tools.length : index;
}

const CURSOR_MARK = 'after:';

function writeCursor(name: string): string {
  return encodeBase64Url(new TextEncoder().encode(CURSOR_MARK + name));
}

function readCursor(cursor: unknown): string | undefined {
  if (cursor === undefined) return undefined;
  const bytes = typeof cursor === 'string' ? decodeBase64(cursor) : undefined;
  const text = bytes === undefined ? '' : new TextDecoder().decode(bytes);
  if (text.startsWith(CURSOR_MARK)) return text.slice(CURSOR_MARK.length);
  throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'Invalid cursor: list again from the beginning');
}
