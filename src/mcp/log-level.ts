// The severities of log messages.
import type { LoggingLevel } from '@modelcontextprotocol/server';
import type { JsonObject } from '../lib/json-value.ts';

/** RFC 5424, from the least severe. */
export const LOG_LEVELS = [
  'debug',
  'info',
  'notice',
  'warning',
  'error',
  'critical',
  'alert',
  'emergency',
] as const satisfies readonly LoggingLevel[];

export function isLogLevel(value: unknown): value is LoggingLevel {
  return LOG_LEVELS.some((known) => known === value);
}

/** A message of a level that the protocol does not know passes: somebody meant to say something. */
export function isSevereEnough(params: JsonObject | undefined, least: LoggingLevel): boolean {
  const level = params?.['level'];
  return !isLogLevel(level) || LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(least);
}
