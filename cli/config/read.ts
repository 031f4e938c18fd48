// The configuration file as the commands need it: whole and right, or an end with every problem printed.
import { readFile } from 'node:fs/promises';
import { dirname, relative } from 'node:path';
import { Complaint } from '../complaint.ts';
import { formatProblem, parseConfig, type LoadedConfig, type LocatedProblem } from './load.ts';

export interface ReadConfig {
  readonly text: string;
  readonly config: LoadedConfig;
}

/** @throws Complaint with a line per problem */
export async function readConfig(file: string): Promise<ReadConfig> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    const reason = missing ? 'there is no such file' : error instanceof Error ? error.message : String(error);
    throw new Complaint(`${shortPath(file)}: ${reason}; give --config the path of the configuration`, 2);
  }
  const parsed = parseConfig(text, process.env, dirname(file));
  if (!parsed.ok) throw new Complaint(problemLines(file, parsed.error), 2);
  return { text, config: parsed.value };
}

export function problemLines(file: string, problems: readonly LocatedProblem[]): string {
  return problems.map((problem) => formatProblem(shortPath(file), problem)).join('\n');
}

/** As a user here would write it. */
export function shortPath(file: string): string {
  const fromHere = relative(process.cwd(), file);
  return fromHere === '' || fromHere.startsWith('..') ? file : fromHere;
}
