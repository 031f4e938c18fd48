// The four lists, answered from memory.
import { decodeBase64, encodeBase64Url } from '../../lib/base64url.ts';
import type { JsonObject } from '../../lib/json-value.ts';
import { promptsInScope, resourcesInScope, resourceTemplatesInScope, toolsInScope } from '../catalog.ts';
import type { ClientRequest } from '../client-request.ts';
import { LIST_TTL_MS, PAGE_SIZE } from '../limits.ts';
import type { RpcAnswer } from '../protocol/message.ts';
import { resourceMap } from '../resource-map.ts';
import { withLegacyOutputSchema } from '../legacy-output.ts';
import { finished } from '../shown-result.ts';
import { hasApp, withShownApp } from '../tool-app.ts';
import { invalidParams } from './failure-answer.ts';

export async function listTools(request: ClientRequest, params: JsonObject): Promise<RpcAnswer> {
  const { caller, upstreamViews, peer } = request;
  const { scope } = caller;
  const shown = await toolsInScope(scope, upstreamViews);
  const paged = page(shown, ({ definition }) => definition.name, params);
  if (paged === undefined) return badCursor();
  const definitions = paged.items.map(({ definition }) => definition);
  const isMapped = scope.naming === 'qualified' && definitions.some(hasApp);
  const resources = isMapped ? await resourceMap(scope, upstreamViews) : undefined;
  const tools = definitions.map((tool) => {
    const readable = resources === undefined ? tool : withShownApp(tool, resources);
    return peer.era === 'legacy' ? withLegacyOutputSchema(readable) : readable;
  });
  return listed(request, { tools, ...paged.next });
}

export async function listPrompts(request: ClientRequest, params: JsonObject): Promise<RpcAnswer> {
  const shown = await promptsInScope(request.caller.scope, request.upstreamViews);
  const paged = page(shown, ({ definition }) => definition.name, params);
  if (paged === undefined) return badCursor();
  return listed(request, { prompts: paged.items.map(({ definition }) => definition), ...paged.next });
}

export async function listResources(request: ClientRequest, params: JsonObject): Promise<RpcAnswer> {
  const shown = await resourcesInScope(request.caller.scope, request.upstreamViews);
  const paged = page(
    sortedBy(shown, ({ uri }) => uri),
    ({ uri }) => uri,
    params,
  );
  return paged === undefined ? badCursor() : listed(request, { resources: paged.items, ...paged.next });
}

export async function listResourceTemplates(request: ClientRequest, params: JsonObject): Promise<RpcAnswer> {
  const shown = await resourceTemplatesInScope(request.caller.scope, request.upstreamViews);
  const paged = page(sortedBy(shown, templateOf), templateOf, params);
  return paged === undefined ? badCursor() : listed(request, { resourceTemplates: paged.items, ...paged.next });
}

function templateOf({ uriTemplate }: { readonly uriTemplate: string }): string {
  return uriTemplate;
}

/** What a key sees is its own, hence private. */
async function listed(request: ClientRequest, list: JsonObject): Promise<RpcAnswer> {
  if (request.peer.era === 'legacy') return { result: list };
  return finished(request, { ...list, ttlMs: LIST_TTL_MS, cacheScope: 'private' });
}

interface Page<T> {
  readonly items: readonly T[];
  readonly next: { readonly nextCursor?: string };
}

/**
 * @param all in the order of their keys: the cursor is a key, not a position, so that items which come or go between two
 *   pages make none appear twice or vanish
 * @returns undefined where the cursor is none of ours
 */
function page<T>(all: readonly T[], keyOf: (item: T) => string, { cursor }: JsonObject): Page<T> | undefined {
  const after = cursor === undefined ? undefined : readCursor(cursor);
  if (cursor !== undefined && after === undefined) return undefined;
  const from = after === undefined ? 0 : all.findIndex((item) => keyOf(item) > after);
  if (from === -1) return { items: [], next: {} };
  const items = all.slice(from, from + PAGE_SIZE);
  const last = items.at(-1);
  const more = last !== undefined && from + PAGE_SIZE < all.length;
  return { items, next: more ? { nextCursor: writeCursor(keyOf(last)) } : {} };
}

function sortedBy<T>(items: readonly T[], keyOf: (item: T) => string): T[] {
  return items.toSorted((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1));
}

const CURSOR_MARK = 'after:';

function writeCursor(key: string): string {
  return encodeBase64Url(new TextEncoder().encode(CURSOR_MARK + key));
}

function readCursor(cursor: unknown): string | undefined {
  const bytes = typeof cursor === 'string' ? decodeBase64(cursor) : undefined;
  const text = bytes === undefined ? '' : new TextDecoder().decode(bytes);
  return text.startsWith(CURSOR_MARK) ? text.slice(CURSOR_MARK.length) : undefined;
}

function badCursor(): RpcAnswer {
  return invalidParams('Invalid cursor: list again from the beginning');
}
