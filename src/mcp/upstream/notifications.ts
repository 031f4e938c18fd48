// What kinds of notifications there are, as far as it matters to whom they go.
import type { LoggingLevel } from '@modelcontextprotocol/client';
import type { JsonObject } from '../../lib/json-value.ts';

export const LIST_CHANGES = {
  tools: 'notifications/tools/list_changed',
  prompts: 'notifications/prompts/list_changed',
  resources: 'notifications/resources/list_changed',
} as const;
export const RESOURCE_UPDATED = 'notifications/resources/updated';

const LIST_CHANGE_METHODS: ReadonlySet<string> = new Set(Object.values(LIST_CHANGES));
/** From the least severe (RFC 5424). */
const LEVELS: readonly LoggingLevel[] = [
  'debug',
  'info',
  'notice',
  'warning',
  'error',
  'critical',
  'alert',
  'emergency',
];

export function isListChange(method: string): boolean {
  return LIST_CHANGE_METHODS.has(method);
}

/** What concerns whoever listens, on whatever stream it comes. */
export function isChange(method: string): boolean {
  return isListChange(method) || method === RESOURCE_UPDATED;
}

/** A message of a level that the protocol does not know passes: somebody meant to say something. */
export function isSevereEnough(params: JsonObject | undefined, least: LoggingLevel): boolean {
  const level = LEVELS.indexOf(params?.['level'] as LoggingLevel);
  return level === -1 || level >= LEVELS.indexOf(least);
}
