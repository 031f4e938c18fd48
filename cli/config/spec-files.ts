// OpenAPI descriptions kept in files beside the configuration: a gateway may run on another machine, and is sent their
// text.
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { ConfigPath, ConfigProblem } from '../../src/config/check.ts';
import { settingsDocument } from '../../src/config/document.ts';
import { isObject, type JsonObject } from '../../src/lib/json-value.ts';
import { err, ok, type Result } from '../../src/lib/result.ts';
import { readCatalog } from '../../src/mcp/openapi/catalog.ts';
import { SPEC_BYTES } from '../../src/mcp/openapi/limits.ts';
import { parseSpecText, tooLarge } from '../../src/mcp/openapi/spec-text.ts';

export interface SpecFiles {
  /** The configuration with the texts in the place of the files' names. */
  readonly data: unknown;
  readonly problems: readonly ConfigProblem[];
  readonly warnings: readonly ConfigProblem[];
  /** Absolute path → content, of every file that was read. */
  readonly contents: ReadonlyMap<string, string>;
}

/**
 * @param data the configuration as data, of whatever shape
 * @param folder which the names are relative to
 */
export function inlineSpecFiles(data: unknown, folder: string): SpecFiles {
  const problems: ConfigProblem[] = [];
  const warnings: ConfigProblem[] = [];
  const contents = new Map<string, string>();
  const mcp = isObject(data) ? data['mcp'] : undefined;
  const servers = isObject(mcp) ? mcp['servers'] : undefined;
  if (!isObject(data) || !isObject(mcp) || !Array.isArray(servers)) return { data, problems, warnings, contents };
  const inlined: unknown[] = [];
  for (const [index, server] of (servers as unknown[]).entries()) {
    const name = isObject(server) && server['type'] === 'openapi' ? server['spec'] : undefined;
    if (!isObject(server) || typeof name !== 'string' || name === '' || URL_BEGINNING.test(name)) {
      inlined.push(server);
      continue;
    }
    const path: ConfigPath = ['mcp', 'servers', index, 'spec'];
    const file = resolve(folder, name);
    const text = readSpecFile(file);
    if (text.ok) contents.set(file, text.value);
    const read = text.ok ? toSpec(text.value, server) : text;
    if (!read.ok) problems.push({ path, ...read.error });
    else if (read.value.note !== undefined) warnings.push({ path, message: read.value.note });
    // What is wrong with the file is said once, and not that it is no description.
    inlined.push({ ...server, spec: { file: name, gzip: read.ok ? read.value.gzip : '' } });
  }
  return { data: { ...data, mcp: { ...mcp, servers: inlined } }, problems, warnings, contents };
}

const URL_BEGINNING = /^https?:\/\//i;

type Fault = Omit<ConfigProblem, 'path'>;

function readSpecFile(file: string): Result<string, Fault> {
  try {
    if (statSync(file).size > SPEC_BYTES) return err({ message: `the description ${tooLarge}` });
    return ok(readFileSync(file, 'utf8'));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const message = code === 'ENOENT' ? 'there is no such file' : `the file cannot be read (${code})`;
    return err({ message, fix: 'give the path of an OpenAPI document, relative to this configuration, or its URL' });
  }
}

/** The same description as JSON, which is read faster than YAML, compressed. */
function toSpec(text: string, server: JsonObject): Result<{ gzip: string; note?: string }, Fault> {
  const parsed = parseSpecText(text);
  if (!parsed.ok) return err({ message: `the description ${parsed.error}` });
  const json = JSON.stringify(parsed.value);
  const { base_url: baseUrl, headers } = server;
  const read = readCatalog(json, {
    // A base_url that is none is a problem of its own.
    baseUrl: baseUrl === undefined ? undefined : URL.canParse(String(baseUrl)) ? String(baseUrl) : 'http://unknown',
    headers: Object.keys(isObject(headers) ? headers : {}),
    maxTools: settingsDocument.shape.limits.parse({}).tools_per_server,
  });
  if (!read.ok) return err({ message: `the description ${read.error}` });
  const { note } = read.value;
  return ok({ gzip: gzipSync(json).toString('base64'), ...(note !== undefined && { note }) });
}
