// A bridge as its own process, and the few HTTP requests tests make of it.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const SECRET = 'test-bridge-secret';
const MAIN = fileURLToPath(new URL('../../bridge/main.ts', import.meta.url));
const SCRIPTED = fileURLToPath(new URL('stdio-scripted.ts', import.meta.url));
export const MODERN = fileURLToPath(new URL('stdio-modern.ts', import.meta.url));

export interface ServerOptions {
  readonly fingerprint?: string;
  readonly env?: Record<string, string>;
  readonly cwd?: string;
  readonly isolation?: 'shared' | 'session';
  readonly idle_timeout_ms?: number;
}

export interface ServerState {
  readonly state: string;
  readonly pid?: number;
  readonly children: readonly { readonly pid: number; readonly era: string }[];
  readonly restarts: number;
  readonly last_exit?: { readonly reason: string; readonly code: number | null };
  readonly stderr_tail: readonly string[];
}

export class BridgeProcess {
  readonly process: ChildProcess;
  readonly url: string;
  readonly #log: string[];

  private constructor(child: ChildProcess, port: number, log: string[]) {
    this.process = child;
    this.url = `http://127.0.0.1:${port}`;
    this.#log = log;
  }

  static async start(args: readonly string[] = [], env: Record<string, string> = {}): Promise<BridgeProcess> {
    const child = spawn(process.execPath, [MAIN, '--log-level', 'debug', ...args], {
      env: { ...process.env, SALLYPORT_BRIDGE_SECRET: SECRET, ...env },
    });
    const log: string[] = [];
    child.stderr.setEncoding('utf8').on('data', (text: string) => log.push(text));
    const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
    const { port } = JSON.parse(line) as { port: number };
    return new BridgeProcess(child, port, log);
  }

  /** Everything it logged so far. */
  get log(): string {
    return this.#log.join('');
  }

  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(this.url + path, { ...init, headers: { authorization: `Bearer ${SECRET}`, ...init.headers } });
  }

  async define(name: string, command: readonly string[], options: ServerOptions = {}): Promise<void> {
    const body = { fingerprint: 'f1', isolation: 'shared', command, ...options };
    const response = await this.fetch(`/servers/${name}`, { method: 'PUT', body: JSON.stringify(body) });
    if (response.status !== 204) throw new Error(`${response.status} ${await response.text()}`);
  }

  /** Defines the scripted server, with flags for it. */
  defineScripted(name: string, options: ServerOptions = {}, flags: readonly string[] = []): Promise<void> {
    return this.define(name, [process.execPath, SCRIPTED, ...flags], options);
  }

  headers(fingerprint = 'f1'): Record<string, string> {
    return { authorization: `Bearer ${SECRET}`, 'x-sallyport-fingerprint': fingerprint };
  }

  /** One POST to a server's endpoint. */
  post(name: string, message: object, headers: Record<string, string> = {}, signal?: AbortSignal): Promise<Response> {
    return this.fetch(`/servers/${name}/mcp`, {
      method: 'POST',
      headers: {
        ...this.headers(),
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...headers,
      },
      body: JSON.stringify({ jsonrpc: '2.0', ...message }),
      ...(signal === undefined ? {} : { signal }),
    });
  }

  async state(name: string): Promise<ServerState> {
    const response = await this.fetch('/servers');
    const { items } = (await response.json()) as { items: (ServerState & { name: string })[] };
    const found = items.find((item) => item.name === name);
    if (found === undefined) throw new Error(`no server ${name}`);
    return found;
  }

  /** Ends it as its parent would, and answers its exit code. */
  async stop(): Promise<number | null> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return this.process.exitCode;
    const exited = once(this.process, 'exit');
    this.process.stdin?.end();
    await exited;
    return this.process.exitCode;
  }
}
