// What must hold of a result for it to be relayed. The SDK's own schemas would refuse or reorder what they do not know.
import type { CallToolResult } from '@modelcontextprotocol/client';
import { z } from 'zod';
import { isObject, listAt, textAt, type JsonObject } from '../../lib/json-value.ts';

export function isToolResult(value: unknown): value is CallToolResult {
  return typeof value === 'object' && value !== null && 'content' in value && Array.isArray(value.content);
}

export const NOT_A_TOOL_RESULT = 'is not a tool result: "content" must be an array';

interface ListPage {
  readonly items: readonly unknown[];
  readonly nextCursor?: string;
}

/** One page of a list whose items are in the member named. */
export function pageOf(member: string): z.ZodType<ListPage> {
  return z
    .custom<JsonObject>(
      (value) =>
        isObject(value) &&
        Array.isArray(value[member]) &&
        (value['nextCursor'] === undefined || typeof value['nextCursor'] === 'string'),
      `is not a list: "${member}" must be an array, "nextCursor" a string`,
    )
    .transform((page): ListPage => {
      const cursor = textAt(page, 'nextCursor');
      return { items: listAt(page, member), ...(cursor !== undefined && { nextCursor: cursor }) };
    });
}

/** Whatever a server answers to a ping, it is alive. */
export const pingResult = z.unknown();
