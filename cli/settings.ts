// Where things are: flags first, then the environment, then the defaults.
import { resolve } from 'node:path';
import type { Environment } from './config/variables.ts';
import { Complaint } from './complaint.ts';

export interface Settings {
  readonly configFile: string;
  readonly dataFolder: string;
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** The names under which it answers, parted by commas; undefined for all. */
  readonly allowedHosts: string | undefined;
  /** The gateway that `apply` and `keys` speak to. */
  readonly url: URL;
}

/** Flags as parsed; those a command does not take are absent. */
export type Flags = Readonly<
  Partial<Record<'config' | 'data' | 'host' | 'port' | 'allowed-hosts' | 'url', string | undefined>>
>;

export const SETTING_FLAGS = {
  config: { type: 'string' },
  data: { type: 'string' },
  host: { type: 'string' },
  port: { type: 'string' },
  'allowed-hosts': { type: 'string' },
  url: { type: 'string' },
} as const;

/** @throws Complaint when a port or URL is none */
export function readSettings(flags: Flags, environment: Environment): Settings {
  const host = flags.host ?? (environment['SALLYPORT_HOST'] || '127.0.0.1');
  const port = parsePort(flags.port ?? (environment['SALLYPORT_PORT'] || '8080'));
  return {
    configFile: resolve(flags.config ?? (environment['SALLYPORT_CONFIG'] || 'sallyport.yaml')),
    dataFolder: resolve(flags.data ?? (environment['SALLYPORT_DATA'] || '.sallyport')),
    host,
    port,
    allowedHosts: allowedHosts(flags['allowed-hosts'] ?? (environment['SALLYPORT_ALLOWED_HOSTS'] || undefined), host),
    url: parseUrl(flags.url ?? (environment['SALLYPORT_URL'] || baseUrl(host, port))),
  };
}

/** On loopback no other name leads here but by a trick or through a proxy; elsewhere nobody but the operator knows. */
function allowedHosts(named: string | undefined, host: string): string | undefined {
  return named ?? (isLoopback(host) ? '' : undefined);
}

/** The URL under which a client on this machine reaches a gateway that listens there. */
export function baseUrl(host: string, port: number): string {
  const reachable = host === '0.0.0.0' || host === '' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${authority(reachable, port)}`;
}

/** `host:port`, an IPv6 address in brackets. */
export function authority(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port >= 0 && port <= 65_535) return port;
  throw new Complaint(`"${text}" is not a port: give a number from 0 to 65535`, 2);
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && (url.protocol === 'http:' || url.protocol === 'https:')) return url;
  throw new Complaint('the URL of the gateway must begin with http:// or https://', 2);
}
