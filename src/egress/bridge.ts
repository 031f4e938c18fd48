// The way to stdio servers: a bridge beside the gateway offers each of them as Streamable HTTP.
import type { Env } from '../env.ts';
import type { Upstream } from '../policy/snapshot.ts';
import { asEgressError, EgressError } from './egress-error.ts';
import { readBody } from './response-limit.ts';
import { maskSecrets } from './secrets.ts';

type BridgeEnv = Pick<Env, 'BRIDGE' | 'SALLYPORT_BRIDGE_SECRET'>;
export type StdioUpstream = Extract<Upstream, { type: 'stdio' }>;

const ORIGIN = 'http://bridge';
const ERROR_BODY_BYTES = 64 * 1024;
/** The bridge does not know the definition that the fingerprint names. */
const DEFINITION_REQUIRED = 428;

export function bridgeUrl(upstream: StdioUpstream): URL {
  return new URL(`/servers/${upstream.name}/mcp`, ORIGIN);
}

/**
 * A `fetch` for one stdio server. The bridge is told the server's definition only when it asks for it.
 * Rejects with `EgressError`; what the server wrote to stderr before it failed is in its message.
 */
export function bridgeFetch(env: BridgeEnv, upstream: StdioUpstream): typeof fetch {
  return async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const headers = new Headers(init?.headers);
    headers.set('x-sallyport-fingerprint', upstream.fingerprint);
    const send = (): Promise<Response> => sendToBridge(env, input, { ...init, headers });
    const first = await send();
    if (first.status !== DEFINITION_REQUIRED) return accepted(first, upstream);
    await first.body?.cancel();
    await define(env, upstream, init?.signal);
    return accepted(await send(), upstream);
  };
}

/** Stops the server's process, if one runs, and forgets its definition. */
export async function forgetAtBridge(env: BridgeEnv, name: string): Promise<void> {
  if (env.BRIDGE === undefined) return;
  const response = await sendToBridge(env, `${ORIGIN}/servers/${name}`, { method: 'DELETE' });
  await response.body?.cancel();
}

async function define(env: BridgeEnv, upstream: StdioUpstream, signal: AbortSignal | null | undefined): Promise<void> {
  const { fingerprint, command, cwd, isolation } = upstream;
  const definition = {
    fingerprint,
    command,
    env: upstream.env ?? {},
    cwd,
    isolation,
    idle_timeout_ms: upstream.idle_timeout,
  };
  const response = await sendToBridge(env, `${ORIGIN}/servers/${upstream.name}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(definition),
    signal: signal ?? null,
  });
  const answer = await accepted(response, upstream);
  const text = await bodyText(answer);
  if (answer.ok) return;
  const { message = `HTTP ${answer.status}` } = parseRefusal(text);
  const predicate = maskSecrets(`was refused by the stdio bridge: ${message}`, upstream);
  throw new EgressError('upstream_unavailable', 'not_started', predicate);
}

async function sendToBridge(env: BridgeEnv, input: RequestInfo | URL, init: RequestInit): Promise<Response> {
  if (env.BRIDGE === undefined) {
    throw new EgressError(
      'upstream_unavailable',
      'not_started',
      'cannot be started: no stdio bridge runs here. Start the gateway with `npm start`, or offer the server over HTTP',
    );
  }
  const headers = new Headers(init.headers);
  headers.set('authorization', `Bearer ${env.SALLYPORT_BRIDGE_SECRET ?? ''}`);
  try {
    return await env.BRIDGE.fetch(input, { ...init, headers });
  } catch (error) {
    throw asEgressError(error) ?? error;
  }
}

/** Passes what the server itself answered; turns the bridge's own 503 into what it says. */
async function accepted(response: Response, upstream: StdioUpstream): Promise<Response> {
  if (response.status !== 503) return response;
  const { message, stderr } = parseRefusal(await bodyText(response));
  const reason = message === undefined ? '' : `: ${message}`;
  const lastWords = stderr === '' ? '' : `\n${stderr}`;
  const predicate = `is not available${reason}${lastWords}`;
  throw new EgressError('upstream_unavailable', 'may_have_run', maskSecrets(predicate, upstream));
}

async function bodyText(response: Response): Promise<string> {
  return new TextDecoder().decode(await readBody(response, ERROR_BODY_BYTES));
}

function parseRefusal(body: string): { readonly message?: string; readonly stderr: string } {
  let refusal: unknown;
  try {
    refusal = JSON.parse(body);
  } catch {
    return { stderr: '' };
  }
  const { message, stderr_tail: stderr } = Object(refusal) as { message?: unknown; stderr_tail?: unknown };
  return {
    ...(typeof message === 'string' ? { message } : {}),
    stderr: Array.isArray(stderr) ? stderr.join('\n') : '',
  };
}
