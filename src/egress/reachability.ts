// Tells a server that takes no connections from one that took a request and was lost: workerd reports both alike.
import type { Env } from '../env.ts';

const PROBE_DEADLINE_MS = 250;

/** A connection that is refused fails at once: what failed later than this had been sent. Milliseconds. */
export const REFUSED_WITHIN_MS = 1000;

/**
 * Whether no connection to the server at `url` can be made at this moment: a request to it that has just failed, at
 * once, was then never sent. Known only where the operator's network is at hand; any doubt is `false`.
 */
export async function refusesConnections(env: Pick<Env, 'OPERATOR_NETWORK'>, url: string | URL): Promise<boolean> {
  const network = env.OPERATOR_NETWORK;
  const target = URL.parse(url);
  if (network === undefined || target === null) return false;
  const port = Number(target.port) || (target.protocol === 'https:' ? 443 : 80);
  const socket = network.connect({ hostname: target.hostname, port });
  const { promise: deadline, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), PROBE_DEADLINE_MS);
  // Closing it rejects what is still to come; the first of these has then been heard.
  socket.closed.catch(() => undefined);
  const answer = socket.opened.then(
    () => false,
    () => true,
  );
  const isRefused = await Promise.race([answer, deadline]);
  clearTimeout(timer);
  socket.close().catch(() => undefined);
  return isRefused;
}
