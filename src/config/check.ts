// Every problem of a configuration at once, for the command line and the admin API alike. No value of the configuration
// is ever quoted, for any of them may be a secret: only field names and the names of servers, keys and the like.
import { err, ok, type Result } from '../lib/result.ts';
import { gatewayDocument, type GatewayDocument } from './document.ts';
import { referenceProblems } from './references.ts';
import { schemaProblems } from './schema-problems.ts';
import { unenforcedSettings } from './unenforced.ts';

export type ConfigPath = readonly (string | number)[];

export interface ConfigProblem {
  readonly path: ConfigPath;
  readonly message: string;
  /** What to do about it. */
  readonly fix?: string;
}

export interface CheckedDocument {
  readonly document: GatewayDocument;
  /** What is accepted and has no effect: an unenforced limit must never be silent. */
  readonly warnings: readonly ConfigProblem[];
}

/** @param input a configuration as data, variables already filled in */
export function parseGatewayDocument(input: unknown): Result<CheckedDocument, readonly ConfigProblem[]> {
  const parsed = gatewayDocument.safeParse(input);
  const problems = [...(parsed.success ? [] : schemaProblems(parsed.error, input)), ...referenceProblems(input)];
  if (!parsed.success || problems.length > 0) return err(problems);
  return ok({ document: parsed.data, warnings: unenforcedSettings(parsed.data) });
}

/** `mcp.servers[2].url`; the whole document is `(document)`. */
export function formatConfigPath(path: ConfigPath): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (/^[\w-]+$/.test(step)) text += text === '' ? step : `.${step}`;
    else text += `[${JSON.stringify(step)}]`;
  }
  return text === '' ? '(document)' : text;
}
