// One connection per exchange: a client and a transport around plain data, since neither may outlive the request
// that made it, nor be shared by two callers.
import { Client, SSEClientTransport } from '@modelcontextprotocol/client';
import type { DiscoverResult, PriorDiscovery, ServerCapabilities, Transport } from '@modelcontextprotocol/client';
import { deadlineSignal } from '../../egress/fetch.ts';
import { limitResponse } from '../../egress/response-limit.ts';
import { PRODUCT } from '../../lib/product.ts';
import type { Upstream } from '../../policy/snapshot.ts';
import type { UpstreamNetwork, UpstreamSession } from '../ports.ts';
import { ExchangeTransport, withoutIdleStream } from './transport.ts';

export type Era = 'modern' | 'legacy';
export const MODERN_VERSION = '2026-07-28';

/** What is known of the server beforehand; the more, the fewer round trips. */
export interface Acquaintance {
  readonly era?: Era | undefined;
  readonly capabilities?: ServerCapabilities | undefined;
  /** Of a legacy server. */
  readonly session?: UpstreamSession | undefined;
}

export interface ConnectOptions {
  readonly network: UpstreamNetwork;
  /** The most that one response may hold. */
  readonly maxResponseBytes: number;
  /** For the handshake, milliseconds. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface Connection {
  readonly client: Client;
  readonly era: Era;
  /** To be kept for the next exchange; absent on the modern era and over the legacy SSE transport. */
  readonly session?: UpstreamSession;
  close(): Promise<void>;
}

/** Rejects with what `explainFailure` understands. */
export async function connect(upstream: Upstream, known: Acquaintance, options: ConnectOptions): Promise<Connection> {
  const era = forcedEra(upstream) ?? known.era;
  const session = era === 'modern' ? undefined : known.session;
  const client = new Client(PRODUCT, {
    versionNegotiation: { mode: negotiation(upstream, era) },
    inputRequired: { autoFulfill: false },
  });
  const transport = transportFor(upstream, session, options);
  const prior = session === undefined ? priorOf(era, known) : undefined;
  const { timeoutMs: timeout, signal } = options;
  const connecting = client.connect(transport, { timeout, signal, ...(prior === undefined ? {} : { prior }) });
  await (upstream.type === 'sse' ? withDeadline(connecting, transport, options) : connecting);
  return describe(client, transport, session);
}

/** The SDK waits for ever until a stream of the older transport has opened. */
async function withDeadline(connecting: Promise<void>, transport: Transport, options: ConnectOptions): Promise<void> {
  const deadline = deadlineSignal(options.timeoutMs, options.signal);
  const late = new Promise<never>((_resolve, reject) => {
    deadline.addEventListener('abort', () => reject(deadline.reason), { once: true });
  });
  try {
    await Promise.race([connecting, late]);
  } catch (error) {
    connecting.catch(() => {});
    await transport.close();
    throw error;
  }
}

export function forcedEra(upstream: Upstream): Era | undefined {
  if (upstream.type === 'sse') return 'legacy';
  if (upstream.type === 'stdio' || upstream.type === 'openapi' || upstream.era === 'auto') return undefined;
  return upstream.era;
}

function negotiation(upstream: Upstream, era: Era | undefined): 'auto' | 'legacy' | { pin: string } {
  if (era === 'legacy') return 'legacy';
  return forcedEra(upstream) === 'modern' ? { pin: MODERN_VERSION } : 'auto';
}

/** Without capabilities a modern server was forced but never met: it is asked. */
function priorOf(era: Era | undefined, known: Acquaintance): PriorDiscovery | undefined {
  if (era === 'legacy') return { kind: 'legacy' };
  if (era !== 'modern' || known.capabilities === undefined) return undefined;
  const discover: DiscoverResult = {
    supportedVersions: [MODERN_VERSION],
    capabilities: known.capabilities,
    ttlMs: 0,
    cacheScope: 'private',
  };
  return { kind: 'modern', discover };
}

function transportFor(upstream: Upstream, session: UpstreamSession | undefined, options: ConnectOptions): Transport {
  const { url, fetch: send } = options.network.endpoint(upstream);
  if (upstream.type === 'sse') return new SSEClientTransport(url, { fetch: send });
  const limited = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> =>
    limitResponse(await send(input, init), options.maxResponseBytes);
  // An empty session id stands for a legacy server that keeps no sessions: the handshake is skipped, no header is sent.
  const resumed = session && { sessionId: session.sessionId, protocolVersion: session.protocolVersion };
  return new ExchangeTransport(url, {
    fetch: withoutIdleStream(limited),
    redirectPolicy: 'follow',
    ...resumed,
  });
}

function describe(client: Client, transport: Transport, resumed: UpstreamSession | undefined): Connection {
  const close = (): Promise<void> => client.close();
  if (resumed !== undefined) return { client, era: 'legacy', session: resumed, close };
  if (client.getProtocolEra() === 'modern') return { client, era: 'modern', close };
  if (!(transport instanceof ExchangeTransport)) return { client, era: 'legacy', close };
  const serverInfo = client.getServerVersion();
  const instructions = client.getInstructions();
  const session: UpstreamSession = {
    sessionId: transport.sessionId ?? '',
    protocolVersion: client.getNegotiatedProtocolVersion() ?? '',
    capabilities: client.getServerCapabilities() ?? {},
    ...(serverInfo === undefined ? {} : { serverInfo }),
    ...(instructions === undefined ? {} : { instructions }),
  };
  return { client, era: 'legacy', session, close };
}
