// What the gateway says a stdio server is. Kept in memory only: the gateway is the one source of truth.
import { isObject } from './json-rpc.ts';

type Isolation = 'shared' | 'session';

export interface Definition {
  readonly name: string;
  /** Changes with anything below; a request names the one it was made for. */
  readonly fingerprint: string;
  readonly command: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly isolation: Isolation;
  readonly idleTimeoutMs: number;
}

const DEFAULT_IDLE_TIMEOUT_MS = 10 * 60_000;
// The longest delay a timer takes.
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

const SERVER_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

export function isServerName(text: string): boolean {
  return SERVER_NAME.test(text);
}

export type ParsedDefinition =
  | { readonly ok: true; readonly value: Definition }
  | { readonly ok: false; readonly problem: string };

export function parseDefinition(name: string, body: unknown): ParsedDefinition {
  if (!isObject(body)) return problem('the body must be a JSON object');
  const { fingerprint, command, env = {}, cwd, isolation, idle_timeout_ms: idleTimeoutMs } = body;
  if (typeof fingerprint !== 'string' || fingerprint === '') return problem('fingerprint must be a non-empty string');
  if (!isCommand(command)) return problem('command must be a list of strings: the program, then its arguments');
  if (!isEnvironment(env)) return problem('env must map variable names to strings');
  if (cwd !== undefined && !isText(cwd)) return problem('cwd must be a path');
  if (isolation !== 'shared' && isolation !== 'session') return problem('isolation must be "shared" or "session"');
  if (idleTimeoutMs !== undefined && !isTimeout(idleTimeoutMs)) {
    return problem(`idle_timeout_ms must be a whole number from 1 to ${LONGEST_TIMEOUT_MS}`);
  }
  return {
    ok: true,
    value: {
      name,
      fingerprint,
      command,
      env,
      ...(cwd === undefined ? {} : { cwd }),
      isolation,
      idleTimeoutMs: idleTimeoutMs ?? DEFAULT_IDLE_TIMEOUT_MS,
    },
  };
}

function problem(text: string): ParsedDefinition {
  return { ok: false, problem: text };
}

/** A NUL cannot be handed to a process. */
function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && !value.includes('\0');
}

function isCommand(value: unknown): value is readonly [string, ...string[]] {
  if (!Array.isArray(value) || !isText(value[0])) return false;
  return value.every((part) => typeof part === 'string' && !part.includes('\0'));
}

function isEnvironment(value: unknown): value is Readonly<Record<string, string>> {
  if (!isObject(value)) return false;
  return Object.entries(value).every(
    ([name, text]) => VARIABLE_NAME.test(name) && typeof text === 'string' && !text.includes('\0'),
  );
}

function isTimeout(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= LONGEST_TIMEOUT_MS;
}
