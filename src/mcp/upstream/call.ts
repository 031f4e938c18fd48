// One tool call to one upstream.
import type { CallToolRequest, CallToolResult, Client, RequestOptions, Tool } from '@modelcontextprotocol/client';
import { err, ok } from '../../lib/result.ts';
import type { Result } from '../../lib/result.ts';
import type { Upstream } from '../../policy/snapshot.ts';
import { callOperation } from '../openapi/call.ts';
import type {
  CallUpstreamTool,
  Catalog,
  UpstreamNetwork,
  UpstreamSession,
  UpstreamSessions,
  UpstreamToolCall,
  UpstreamViews,
} from '../ports.ts';
import { toolResult } from './relayed-result.ts';
import { connect, forcedEra } from './connect.ts';
import { callDirectly } from './direct-call.ts';
import { explainFailure } from './explain-failure.ts';
import { refusedWith } from './refusal.ts';
import { MOST_TIMEOUTS } from './patience.ts';

const DEFAULT_TIMEOUT_MS = 60_000;
/** How long a call waits to learn the era of a server that was never met. */
const ACQUAINTANCE_MS = 2_000;

export interface CallDependencies {
  readonly network: UpstreamNetwork;
  readonly views: UpstreamViews;
  readonly sessions: UpstreamSessions;
  readonly maxResponseBytes: number;
  /** Keeps the end of an exchange (a cancellation on its way, a session being stored) going after the response. */
  readonly waitUntil: (work: Promise<unknown>) => void;
}

export function createCallUpstreamTool(dependencies: CallDependencies): CallUpstreamTool {
  const { sessions, views } = dependencies;
  return async (upstream, owner, call) => {
    if (upstream.type === 'openapi') return callOperation(dependencies, upstream, call);
    const { catalog } = await views.view(upstream, ACQUAINTANCE_MS);
    const session = catalog?.era === 'modern' ? undefined : await sessions.get(owner, upstream);
    const deadline = Date.now() + (upstream.timeout ?? DEFAULT_TIMEOUT_MS);
    const target: Target = { upstream, owner, catalog, deadline };
    let outcome = await attempt(dependencies, target, session, call);
    if (!outcome.ok && session !== undefined && isSessionLost(outcome.error.cause)) {
      await sessions.drop(owner, upstream, session.sessionId);
      outcome = await attempt(dependencies, target, undefined, call);
    }
    return outcome.ok ? outcome : err(explainFailure(outcome.error.cause, upstream, outcome.error.stage));
  };
}

interface Target {
  readonly upstream: Upstream;
  readonly owner: string;
  readonly catalog: Catalog | undefined;
  /** Of handshake, call and second attempt together; milliseconds since the epoch. */
  readonly deadline: number;
}

interface Breakdown {
  readonly stage: 'initialize' | 'call';
  readonly cause: unknown;
}

/** One attempt, in the session given or in a new one, which is kept. */
async function attempt(
  { network, maxResponseBytes, sessions, waitUntil }: CallDependencies,
  { upstream, owner, catalog, deadline }: Target,
  session: UpstreamSession | undefined,
  call: UpstreamToolCall,
): Promise<Result<CallToolResult, Breakdown>> {
  let stage: Breakdown['stage'] = 'initialize';
  try {
    if (isAcquainted(upstream, catalog, session, call)) {
      stage = 'call';
      const options = { network, maxResponseBytes, timeoutMs: remaining(deadline), waitUntil };
      return ok(await callDirectly(upstream, session, call, options));
    }
    const known = { era: catalog?.era, capabilities: catalog?.capabilities, session };
    const options = { network, maxResponseBytes, timeoutMs: remaining(deadline), signal: call.signal };
    const connection = await connect(upstream, known, options);
    stage = 'call';
    try {
      const opened = connection.session;
      if (opened !== undefined && opened !== session) waitUntil(sessions.put(owner, upstream, opened));
      return ok(await request(connection.client, call, catalog, remaining(deadline)));
    } finally {
      waitUntil(connection.close());
    }
  } catch (cause) {
    return err({ stage, cause });
  }
}

/** Whether the call needs nothing but its own request: no handshake, and no headers made from its arguments. */
function isAcquainted(
  upstream: Upstream,
  catalog: Catalog | undefined,
  session: UpstreamSession | undefined,
  call: UpstreamToolCall,
): boolean {
  if (upstream.type === 'sse') return false;
  const era = forcedEra(upstream) ?? catalog?.era;
  if (era !== 'modern') return session !== undefined;
  return session === undefined && catalog !== undefined && !toolsWithHeaders(catalog).has(call.name);
}

// A catalog is plain data that outlives requests, and so may what is derived from it.
const withHeaders = new WeakMap<Catalog, ReadonlySet<string>>();

/** The names of the tools that want arguments mirrored into `Mcp-Param-*`. */
function toolsWithHeaders(catalog: Catalog): ReadonlySet<string> {
  const known = withHeaders.get(catalog);
  if (known !== undefined) return known;
  const tools = catalog.tools.filter(({ inputSchema }) => JSON.stringify(inputSchema).includes('"x-mcp-header"'));
  const names = new Set(tools.map(({ name }) => name));
  withHeaders.set(catalog, names);
  return names;
}

function remaining(deadline: number): number {
  return Math.max(1, deadline - Date.now());
}

async function request(
  client: Client,
  call: UpstreamToolCall,
  catalog: Catalog | undefined,
  timeout: number,
): Promise<CallToolResult> {
  const params = {
    name: call.name,
    ...(call.arguments === undefined ? {} : { arguments: { ...call.arguments } }),
    ...(call.meta === undefined ? {} : { _meta: { ...call.meta } }),
  } satisfies CallToolRequest['params'];
  const options: RequestOptions = { signal: call.signal, timeout, ...progressOptions(call, timeout) };
  const tool = toolWithHeaders(client, catalog, call.name);
  if (tool === undefined) return client.request({ method: 'tools/call', params }, toolResult, options);
  // Only `callTool` mirrors arguments into `Mcp-Param-*`. Results are the caller's to validate, hence no output schema.
  const { outputSchema: _, ...toolDefinition } = tool;
  return client.callTool(params, { ...options, toolDefinition });
}

function progressOptions(call: UpstreamToolCall, timeout: number): RequestOptions {
  const { onProgress } = call;
  if (onProgress === undefined) return {};
  return {
    resetTimeoutOnProgress: true,
    maxTotalTimeout: MOST_TIMEOUTS * timeout,
    onprogress: ({ progress, total, message }) =>
      onProgress({
        progress,
        ...(total === undefined ? {} : { total }),
        ...(message === undefined ? {} : { message }),
      }),
  };
}

function toolWithHeaders(client: Client, catalog: Catalog | undefined, name: string): Tool | undefined {
  if (client.getProtocolEra() !== 'modern' || catalog === undefined || !toolsWithHeaders(catalog).has(name)) return;
  return catalog.tools.find((tool) => tool.name === name);
}

/**
 * The server refused the request because it no longer knows the session, so the call did not run. The protocol says
 * 404 (2025-11-25, transports §session management); servers made from the reference template answer 400 and name the
 * session in the text.
 */
function isSessionLost(error: unknown): boolean {
  const refused = refusedWith(error);
  return refused?.status === 404 || (refused?.status === 400 && /session/i.test(refused.text));
}
