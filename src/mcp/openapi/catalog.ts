// A description as the tools it stands for. Pure.
import type { Tool } from '@modelcontextprotocol/client';
import { isObject, textAt, type JsonObject } from '../../lib/json-value.ts';
import { err, ok, type Result } from '../../lib/result.ts';
import { baseOf, type ApiAddress } from './base.ts';
import { readDocument, SpecProblem } from './document.ts';
import { CATALOG_CHARACTERS, NAMED_OMISSIONS } from './limits.ts';
import { toolNames } from './operation-name.ts';
import { SchemaConverter } from './schema.ts';
import { parseSpecText } from './spec-text.ts';
import { pathItemOf, serverOf, toolOf, type Operation, type ToolContext } from './tool.ts';
import { Withheld } from './withheld.ts';

/** TRACE is left out: no client can send it. */
const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch'];
const INSTRUCTIONS_LENGTH = 1_000;
/** Of the time and the memory that a description may take, before its tools are counted. */
const MOST_OPERATIONS = 20_000;

export interface ApiConfiguration extends ApiAddress {
  /** Names of the headers that the configuration sets. */
  readonly headers: readonly string[];
  readonly maxTools: number;
}

export interface ApiCatalog {
  readonly tools: readonly Tool[];
  /** Where the API is. */
  readonly base: string;
  readonly title?: string;
  readonly version?: string;
  readonly instructions?: string;
  /** What is left out, and why; a predicate of nothing in particular. */
  readonly note?: string;
}

/** @returns as error what is wrong with the description, as a predicate: "is empty" */
export function readCatalog(text: string, configuration: ApiConfiguration): Result<ApiCatalog, string> {
  const parsed = parseSpecText(text);
  if (!parsed.ok) return parsed;
  const read = readDocument(parsed.value);
  if (!read.ok) return read;
  const document = read.value;
  const server = serverOf(document);
  const base = baseOf(configuration, server);
  if (!base.ok) return base;
  const operations = operationsOf(document);
  if (operations.length > MOST_OPERATIONS) return err(`describes more than ${MOST_OPERATIONS} operations`);
  const context: ToolContext = {
    document,
    withheld: new Withheld(document, {
      headers: configuration.headers,
      query: [...new URL(base.value).searchParams.keys()],
    }),
    requests: new SchemaConverter(document, 'request'),
    responses: new SchemaConverter(document, 'response'),
    server,
    ...(configuration.baseUrl === undefined && { base: base.value }),
  };
  const { tools, omissions } = offer(operations, context, configuration.maxTools);
  const note = noteOf(omissions);
  const title = textAt(document, 'info', 'title');
  const version = textAt(document, 'info', 'version');
  const instructions = textAt(document, 'info', 'summary') ?? textAt(document, 'info', 'description');
  return ok({
    tools,
    base: base.value,
    ...(title !== undefined && { title }),
    ...(version !== undefined && { version }),
    ...(instructions !== undefined && { instructions: instructions.slice(0, INSTRUCTIONS_LENGTH) }),
    ...(note !== undefined && { note }),
  });
}

function operationsOf(document: JsonObject): Operation[] {
  const paths = isObject(document['paths']) ? document['paths'] : {};
  return Object.entries(paths).flatMap(([path, value]) => {
    const pathItem = readPathItem(document, value);
    return METHODS.flatMap((method) => {
      const operation = pathItem[method];
      return isObject(operation) ? [{ method: method.toUpperCase(), path, pathItem, operation }] : [];
    });
  });
}

function readPathItem(document: JsonObject, value: unknown): JsonObject {
  try {
    return pathItemOf(document, value);
  } catch (error) {
    // What stands beside the reference is still there.
    if (error instanceof SpecProblem) return isObject(value) ? value : {};
    throw error;
  }
}

interface Omission {
  readonly operation: string;
  readonly reason: string;
}

interface Offer {
  readonly tools: readonly Tool[];
  readonly omissions: readonly Omission[];
}

function offer(operations: readonly Operation[], context: ToolContext, maxTools: number): Offer {
  const names = toolNames(operations.map(named));
  const tools: Tool[] = [];
  const omissions: Omission[] = [];
  let characters = 0;
  for (const [index, operation] of operations.entries()) {
    const omit = (reason: string): void => {
      omissions.push({ operation: `${operation.method} ${operation.path}`, reason });
    };
    if (tools.length >= maxTools) {
      omit(`only ${maxTools} tools are offered (limits.tools_per_server)`);
      continue;
    }
    try {
      const tool = toolOf(names[index] ?? '', operation, context);
      const size = JSON.stringify(tool).length;
      if (characters + size > CATALOG_CHARACTERS) {
        omit(`all tools together are larger than ${CATALOG_CHARACTERS / 1024 ** 2} MiB`);
        continue;
      }
      characters += size;
      tools.push(tool);
    } catch (error) {
      if (!(error instanceof SpecProblem)) throw error;
      omit(`it ${error.message}`);
    }
  }
  return { tools, omissions };
}

function named({ method, path, operation }: Operation): { method: string; path: string; operationId?: string } {
  const { operationId } = operation;
  return { method, path, ...(typeof operationId === 'string' && { operationId }) };
}

function noteOf(omissions: readonly Omission[]): string | undefined {
  if (omissions.length === 0) return undefined;
  const byReason = new Map<string, string[]>();
  for (const { operation, reason } of omissions) byReason.set(reason, [...(byReason.get(reason) ?? []), operation]);
  const parts = Array.from(byReason, ([reason, left]) => {
    const listed = left.slice(0, NAMED_OMISSIONS).map((operation) => operation.slice(0, 100));
    const more = left.length > listed.length ? ` and ${left.length - listed.length} more` : '';
    return `${listed.join(', ')}${more}: ${reason}`;
  });
  return `left out: ${parts.join('; ')}`;
}
