// What a single request wants to see of that which its key may use (`x-sallyport-include-…`). It narrows a scope, never
// widens it: a name that is unknown, or not granted, leaves nothing of that name.
import { err, ok, type Result } from '../lib/result.ts';
import { failure, type Failure } from '../policy/failure.ts';
import { unitePatterns } from '../policy/patterns.ts';
import type { NamePatterns } from '../policy/snapshot.ts';
import type { Grant, Scope } from './scope.ts';

export const INCLUDE_SERVERS_HEADER = 'x-sallyport-include-servers';
export const INCLUDE_TOOLS_HEADER = 'x-sallyport-include-tools';

const MOST_NAMES = 1_000;
const SERVER = /^[a-z0-9][a-z0-9-]{0,39}$/;
/** Names of tools as they are shown, `*` alone or at the end. */
const TOOL = /^[^\s,*]{0,255}\*?$/;

export interface Narrowing {
  readonly servers?: readonly string[];
  /** By the names under which the endpoint shows them. */
  readonly tools?: NamePatterns;
}

/** Comma-separated lists; a header that is there and empty includes nothing. */
export function parseNarrowing(headers: Pick<Headers, 'get'>): Result<Narrowing, Failure> {
  const servers = parseList(headers.get(INCLUDE_SERVERS_HEADER), SERVER);
  if (servers === 'malformed') return err(malformed(INCLUDE_SERVERS_HEADER, 'names of servers'));
  const tools = parseList(headers.get(INCLUDE_TOOLS_HEADER), TOOL);
  if (tools === 'malformed') {
    return err(malformed(INCLUDE_TOOLS_HEADER, 'names of tools as they are listed, "*" at the end of a name only'));
  }
  return ok({ ...(servers !== undefined && { servers }), ...(tools !== undefined && { tools }) });
}

export function narrowScope(scope: Scope, { servers, tools }: Narrowing): Scope {
  if (servers === undefined && tools === undefined) return scope;
  const grants = new Map<string, Grant>();
  for (const [name, grant] of scope.grants) {
    if (servers !== undefined && !servers.includes(name)) continue;
    // Several lists of one request would have to hold each; there is one.
    grants.set(name, tools === undefined ? grant : { ...grant, shownTools: unitePatterns(tools, []) });
  }
  return { ...scope, grants };
}

function parseList(header: string | null, form: RegExp): readonly string[] | 'malformed' | undefined {
  if (header === null) return undefined;
  const names = header
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  return names.length > MOST_NAMES || names.some((name) => !form.test(name)) ? 'malformed' : names;
}

function malformed(header: string, holds: string): Failure {
  return failure('invalid_request', `The header ${header} must hold a comma-separated list of ${holds}.`, {
    param: header,
  });
}
