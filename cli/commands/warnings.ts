import { itemLine, type AppliedConfig } from '../admin-client.ts';
import type { LoadedConfig } from '../config/load.ts';
import { problemLines } from '../config/read.ts';

/** What the file says and has no effect, and what else the gateway warned of when it was applied. */
export function warningLines(file: string, config: LoadedConfig, applied?: AppliedConfig): string[] {
  const known = new Set(config.warnings.map(({ where, message }) => `${where}: ${message}`));
  const more = (applied?.warnings ?? []).filter(({ path, message }) => !known.has(`${path}: ${message}`));
  const located = config.warnings.length === 0 ? [] : problemLines(file, config.warnings).split('\n');
  return [...located, ...more.map(itemLine)].map((line) => `warning: ${line}`);
}
