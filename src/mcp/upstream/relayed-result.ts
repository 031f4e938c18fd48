// What must hold of a result for it to be relayed. The SDK's own schemas would refuse or reorder what they do not know.
import type { CallToolResult } from '@modelcontextprotocol/client';
import { z } from 'zod';

export function isToolResult(value: unknown): value is CallToolResult {
  return typeof value === 'object' && value !== null && 'content' in value && Array.isArray(value.content);
}

export const NOT_A_TOOL_RESULT = 'is not a tool result: "content" must be an array';
export const toolResult = z.custom<CallToolResult>(isToolResult, NOT_A_TOOL_RESULT);

export const listResult = z.custom<{ readonly tools: readonly unknown[]; readonly nextCursor?: string }>(
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    'tools' in value &&
    Array.isArray(value.tools) &&
    (!('nextCursor' in value) || typeof value.nextCursor === 'string'),
  'is not a tool list: "tools" must be an array, "nextCursor" a string',
);

/** Whatever a server answers to a ping, it is alive. */
export const pingResult = z.unknown();
