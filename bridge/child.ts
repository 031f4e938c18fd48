// One process of a stdio MCP server: its start, its pipes, its end. What the messages mean is the relay's business.
import type { Writable, Readable } from 'node:stream';
import { spawnOnLeash } from './leash.ts';
import type { Leashed } from './leash.ts';
import { LineReader } from './line-reader.ts';
import { toMessage } from './json-rpc.ts';
import type { RpcMessage } from './json-rpc.ts';
import type { Definition } from './definition.ts';
import type { Log } from './log.ts';
import { lineMask } from './stderr-ring.ts';
import type { StderrRing } from './stderr-ring.ts';

/** The longest message a server may send. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;
/** What a server may leave unread of what was written to it. */
const MAX_UNREAD_BYTES = 64 * 1024 * 1024;
const MAX_STDERR_LINE_BYTES = 16 * 1024;
/** MCP lifecycle, shutdown over stdio: close its input, then SIGTERM, then SIGKILL. */
const CLOSED_INPUT_GRACE_MS = 500;
const TERMINATE_GRACE_MS = 2000;
/** How long after its exit a server's last output is waited for. */
const LAST_OUTPUT_MS = 250;
/** All that a server sees of the bridge's own environment. */
const INHERITED = ['PATH', 'HOME', 'LANG'] as const;

export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** In words: "exited with code 1". */
  readonly reason: string;
  readonly at: number;
  readonly uptimeMs: number;
  /** Whether the bridge ended it. */
  readonly wanted: boolean;
}

export interface ChildOptions {
  readonly definition: Definition;
  readonly stderr: StderrRing;
  readonly log: Log;
  readonly onMessage: (message: RpcMessage) => void;
  /** The command has ended; the rest of its group may have a moment left, see `gone`. */
  readonly onExit: (exit: ChildExit) => void;
}

/** The environment a server runs in: PATH, HOME and LANG of the bridge, and what its `env` names, which wins. */
export function environmentOf(definition: Definition): Record<string, string> {
  const inherited = INHERITED.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  });
  return { ...Object.fromEntries(inherited), ...definition.env };
}

export class Child {
  readonly startedAt = Date.now();
  readonly #options: ChildOptions;
  readonly #leashed: Leashed;
  readonly #input: Writable;
  #endedBy: { readonly reason: string; readonly wanted: boolean } | undefined;
  #sawJunk = false;
  #hasExited = false;

  constructor(options: ChildOptions) {
    this.#options = options;
    const { definition, log } = options;
    const [command, ...args] = definition.command;
    this.#leashed = spawnOnLeash(command, args, {
      env: environmentOf(definition),
      ...(definition.cwd === undefined ? {} : { cwd: definition.cwd }),
    });
    const { child } = this.#leashed;
    const { stdin, stdout, stderr } = child;
    if (stdin === null || stdout === null || stderr === null) throw new TypeError('a server needs all three pipes');
    this.#input = stdin;
    // A server that closed its input, or died, is noticed by its exit.
    stdin.on('error', (error) =>
      log('debug', 'bridge.child.input_closed', { server: definition.name, error: error.message }),
    );
    readLines(
      stdout,
      MAX_LINE_BYTES,
      (line) => this.#receive(line),
      () => {
        void this.stop(`sent a line of more than ${MAX_LINE_BYTES} bytes`, { wanted: false, kill: true });
      },
    );
    this.#keepStderr(stderr);

    child.once('error', (error) => {
      if (child.pid === undefined) this.#exited(null, null, `could not be started: ${error.message}`);
    });
    child.once('exit', (code, signal) => {
      // `close` comes after the last byte of output, but never where a process that left the group holds the pipe open.
      const exited = (): void => this.#exited(code, signal, exitReason(code, signal));
      child.once('close', exited);
      setTimeout(exited, LAST_OUTPUT_MS).unref();
    });
  }

  get pid(): number | undefined {
    return this.#leashed.child.pid;
  }

  /** Resolves when nothing of its process group is left. */
  get gone(): Promise<void> {
    return this.#leashed.gone;
  }

  /** False when the server does not read what it is sent. */
  send(message: RpcMessage): boolean {
    if (this.#input.writableLength > MAX_UNREAD_BYTES) return false;
    if (this.#input.writable) this.#input.write(`${JSON.stringify(message)}\n`);
    return true;
  }

  /** Ends the process and its group; `wanted: false` counts as its failure. */
  async stop(reason: string, how: { readonly wanted: boolean; readonly kill?: boolean }): Promise<void> {
    this.#endedBy ??= { reason, wanted: how.wanted };
    if (how.kill === true) return this.#leashed.stop(0);
    this.#input.end();
    const timer = new Promise<void>((resolve) => {
      setTimeout(resolve, CLOSED_INPUT_GRACE_MS).unref();
    });
    await Promise.race([this.gone, timer]);
    await this.#leashed.stop(TERMINATE_GRACE_MS);
  }

  #exited(code: number | null, signal: NodeJS.Signals | null, ownReason: string): void {
    if (this.#hasExited) return;
    this.#hasExited = true;
    const at = Date.now();
    this.#options.onExit({
      code,
      signal,
      reason: this.#endedBy?.reason ?? ownReason,
      at,
      uptimeMs: at - this.startedAt,
      wanted: this.#endedBy?.wanted ?? false,
    });
  }

  #receive(line: string): void {
    const message = parseLine(line);
    if (message !== undefined) {
      this.#options.onMessage(message);
      return;
    }
    // Said once: a server that prints its banner to stdout tends to print more.
    if (!this.#sawJunk) {
      const { definition, log } = this.#options;
      const beginning = lineMask(definition.env)(line).slice(0, 200);
      log('warn', 'bridge.child.not_json_rpc', { server: definition.name, pid: this.pid, beginning });
    }
    this.#sawJunk = true;
  }

  #keepStderr(stream: Readable): void {
    const { definition, stderr, log } = this.#options;
    const mask = lineMask(definition.env);
    const keep = (raw: string): void => {
      const line = mask(raw);
      stderr.push(line);
      log('debug', 'bridge.child.stderr', { server: definition.name, pid: this.pid, line });
    };
    readLines(stream, MAX_STDERR_LINE_BYTES, keep, keep);
  }
}

function readLines(
  stream: Readable,
  maxBytes: number,
  onLine: (line: string) => void,
  onOverflow: (line: string) => void,
): void {
  const reader = new LineReader({ maxBytes, onLine, onOverflow });
  stream.on('data', (chunk: Buffer) => reader.push(chunk));
  stream.once('end', () => reader.end());
}

function parseLine(line: string): RpcMessage | undefined {
  try {
    return toMessage(JSON.parse(line));
  } catch {
    // Not JSON is one way of not being a message; the caller says so.
    return undefined;
  }
}

function exitReason(code: number | null, signal: NodeJS.Signals | null): string {
  if (code === null) return `was ended by ${signal ?? 'an unknown signal'}`;
  if (code === 126) return 'exited with code 126 (its command could not be executed)';
  if (code === 127) return 'exited with code 127 (its command, or one that it calls, was not found)';
  return `exited with code ${code}`;
}
