// What the bridge is started with.
import { parseArgs } from 'node:util';
import { isLogLevel } from './log.ts';
import type { LogLevel } from './log.ts';

const DEFAULT_MAX_CHILDREN = 64;

export interface BridgeOptions {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly maxChildren: number;
  readonly logLevel: LogLevel;
  /** Without a parent that holds its standard input, as in a container, its end means nothing. */
  readonly ignoreStdin: boolean;
  readonly secret: string;
}

export type ParsedOptions =
  | { readonly ok: true; readonly value: BridgeOptions }
  | { readonly ok: false; readonly problem: string };

export function parseOptions(args: readonly string[], env: NodeJS.ProcessEnv): ParsedOptions {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        host: { type: 'string', default: '127.0.0.1' },
        port: { type: 'string', default: '0' },
        'max-children': { type: 'string', default: String(DEFAULT_MAX_CHILDREN) },
        'log-level': { type: 'string', default: 'info' },
        'ignore-stdin': { type: 'boolean', default: false },
      },
    }));
  } catch (error) {
    return { ok: false, problem: error instanceof Error ? error.message : String(error) };
  }
  const port = wholeNumber(values.port, 65_535);
  if (port === undefined) return { ok: false, problem: '--port must be a number from 0 to 65535' };
  const maxChildren = wholeNumber(values['max-children'], 10_000);
  if (!maxChildren) return { ok: false, problem: '--max-children must be a number from 1 to 10000' };
  const logLevel = values['log-level'];
  if (!isLogLevel(logLevel)) return { ok: false, problem: '--log-level must be debug, info, warn or error' };
  const secret = env['SALLYPORT_BRIDGE_SECRET'] ?? '';
  if (secret === '')
    return { ok: false, problem: 'SALLYPORT_BRIDGE_SECRET must be set: callers prove themselves with it' };
  return {
    ok: true,
    value: { host: values.host, port, maxChildren, logLevel, ignoreStdin: values['ignore-stdin'], secret },
  };
}

function wholeNumber(text: string, most: number): number | undefined {
  const value = /^\d{1,6}$/.test(text) ? Number(text) : undefined;
  return value !== undefined && value <= most ? value : undefined;
}
