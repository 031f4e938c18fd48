// Finds out whether an upstream answers, what it speaks and what it offers.
import type { ProbeRequest, ProbeResult } from '../../../durable-objects/contracts.ts';
import { EgressError } from '../../egress/egress-error.ts';
import { deadlineSignal } from '../../egress/fetch.ts';
import { canonicalJson } from '../../lib/canonical-json.ts';
import { sha256 } from '../../lib/sha256.ts';
import type { Upstream } from '../../policy/snapshot.ts';
import { probeOpenApi } from '../openapi/probe.ts';
import type { Catalog, UpstreamNetwork } from '../ports.ts';
import { connect } from './connect.ts';
import type { Acquaintance, Connection, ConnectOptions } from './connect.ts';
import { explainFailure, isAnswer } from './explain-failure.ts';
import { refusedWith } from './refusal.ts';
import { listCatalog, type CatalogLimits } from './list-catalog.ts';
import { pingResult } from './relayed-result.ts';

/** The whole of a probe may take this many times the deadline of one answer: long lists come in pages. */
const WHOLE_PROBE = 4;
/** A command may have to be downloaded before it runs for the first time. */
const FIRST_START_MS = 30_000;

export interface ProbeDependencies {
  readonly network: UpstreamNetwork;
  readonly maxResponseBytes: number;
  readonly catalogLimits: CatalogLimits;
  readonly now: () => number;
}

/** Never rejects for the upstream's fault. Leaves a sleeping stdio server asleep unless it was never met. */
export async function probeUpstream(
  dependencies: ProbeDependencies,
  upstream: Upstream,
  request: Omit<ProbeRequest, 'name'>,
): Promise<Exclude<ProbeResult, { gone: true }>> {
  if (upstream.type === 'openapi') return probeOpenApi(dependencies, upstream, request);
  const { fingerprint } = upstream;
  const startedAt = dependencies.now();
  const timeoutMs = patience(upstream, request);
  const sleeper = new SleepWatch(dependencies.network, request.known !== undefined);
  const options: ConnectOptions = {
    network: sleeper,
    maxResponseBytes: dependencies.maxResponseBytes,
    timeoutMs,
    signal: deadlineSignal(WHOLE_PROBE * timeoutMs),
  };
  let stage: 'initialize' | 'list' = 'initialize';
  let connection: Connection | undefined;
  try {
    connection = await meet(upstream, request.known ?? {}, options);
    const latencyMs = dependencies.now() - startedAt;
    stage = 'list';
    const catalog = request.listing ? await discover(dependencies, connection, options) : undefined;
    return {
      ok: true,
      fingerprint,
      latencyMs,
      ...(catalog === undefined ? {} : { catalog }),
      ...(connection.session === undefined ? {} : { session: connection.session }),
    };
  } catch (error) {
    if (sleeper.asleep) return { ok: true, fingerprint, latencyMs: dependencies.now() - startedAt, asleep: true };
    return { fingerprint, ...explainProbe(error, upstream, stage) };
  } finally {
    await connection?.close();
  }
}

function patience(upstream: Upstream, request: Omit<ProbeRequest, 'name'>): number {
  const first = upstream.type === 'stdio' && request.known === undefined;
  return first ? Math.max(FIRST_START_MS, request.timeoutMs) : request.timeoutMs;
}

function explainProbe(
  error: unknown,
  upstream: Upstream,
  reached: 'initialize' | 'list',
): Pick<Extract<ProbeResult, { stage: string }>, 'ok' | 'stage' | 'message' | 'needsAuth'> {
  const { code, stage: explained, message, detail = message } = explainFailure(error, upstream, reached);
  const credential = explained === 'credential';
  const unreachable = reached === 'initialize' && code === 'upstream_unavailable';
  const oauth = upstream.type !== 'stdio' && (upstream.auth === 'oauth' || upstream.auth === 'per_user_oauth');
  const stage = credential ? 'credential' : unreachable ? 'connect' : reached;
  return { ok: false, stage, message: detail, needsAuth: credential && oauth };
}

/** A connection on which the server has just answered something. */
async function meet(upstream: Upstream, known: Acquaintance, options: ConnectOptions): Promise<Connection> {
  // A modern server is asked to describe itself each time: that answer is the sign of life.
  const acquaintance = known.era === 'legacy' ? known : {};
  const connection = await connect(upstream, acquaintance, options);
  if (acquaintance.session === undefined) return connection;
  try {
    const { timeoutMs: timeout, signal } = options;
    await connection.client.request({ method: 'ping' }, pingResult, { timeout, signal });
    return connection;
  } catch (error) {
    if (isAnswer(error)) return connection;
    await connection.close();
    if (refusedWith(error) === undefined) throw error;
    // The session is gone: whether the server is too shows when a new one is opened.
    return connect(upstream, { era: 'legacy' }, options);
  }
}

async function discover(
  { catalogLimits, now }: ProbeDependencies,
  connection: Connection,
  { timeoutMs: timeout, signal }: ConnectOptions,
): Promise<Catalog> {
  const { client, era, session } = connection;
  const capabilities = session?.capabilities ?? client.getServerCapabilities() ?? {};
  const serverInfo = session?.serverInfo ?? client.getServerVersion();
  const instructions = session?.instructions ?? client.getInstructions();
  const offered = await listCatalog(client, { capabilities, era }, catalogLimits, { timeout, signal });
  const described = {
    ...offered,
    era,
    capabilities,
    ...(serverInfo === undefined ? {} : { serverInfo }),
    ...(instructions === undefined ? {} : { instructions }),
  };
  return { ...described, fingerprint: await fingerprintOf(described), at: now() };
}

/** Of what an upstream offers. @throws EgressError when it is nested beyond measure */
export async function fingerprintOf(value: unknown): Promise<string> {
  return sha256(canonicalForm(value));
}

function canonicalForm(value: unknown): string {
  try {
    return canonicalJson(value);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new EgressError('upstream_error', 'may_have_run', 'describes what it offers with endlessly nested schemas');
  }
}

/** Marks requests as a probe's, so that they do not keep a stdio server awake, and notices that it sleeps. */
class SleepWatch implements UpstreamNetwork {
  readonly #network: UpstreamNetwork;
  readonly #mayStayAsleep: boolean;
  asleep = false;

  constructor(network: UpstreamNetwork, mayStayAsleep: boolean) {
    this.#network = network;
    this.#mayStayAsleep = mayStayAsleep;
  }

  endpoint(upstream: Upstream): ReturnType<UpstreamNetwork['endpoint']> {
    const { url, fetch: send } = this.#network.endpoint(upstream);
    if (upstream.type !== 'stdio' || !this.#mayStayAsleep) return { url, fetch: send };
    return {
      url,
      fetch: async (input: RequestInfo | URL, init?: RequestInit) => {
        const headers = new Headers(init?.headers);
        headers.set('x-sallyport-probe', '1');
        const response = await send(input, { ...init, headers });
        if (response.status === 204 && response.headers.get('x-sallyport-child') === 'idle') this.asleep = true;
        return response;
      },
    };
  }
}
