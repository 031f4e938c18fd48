// The way out to what the operator configured. Private addresses are allowed here and nothing that came over the wire
// may be fetched through it.
import type { Env } from '../env.ts';
import { asEgressError, EgressError } from './egress-error.ts';

/**
 * A `fetch` for configured servers. It never follows a redirect, since credentials would go along.
 * Rejects with `EgressError`, or with the caller's own abort reason.
 */
export function operatorFetch(env: Pick<Env, 'OPERATOR_NETWORK'>): typeof fetch {
  const network = env.OPERATOR_NETWORK;
  return async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const manual: RequestInit = { ...init, redirect: 'manual' };
    let response: Response;
    try {
      response = await (network === undefined ? fetch(input, manual) : network.fetch(input, manual));
    } catch (error) {
      throw asEgressError(error) ?? error;
    }
    if (response.status < 300 || response.status > 399 || response.status === 304) return response;
    await response.body?.cancel();
    throw new EgressError('upstream_error', 'not_started', redirectRefused(input, response));
  };
}

/** Where a redirect pointed, without its query, which may hold a token. */
function redirectRefused(input: RequestInfo | URL, response: Response): string {
  const from = input instanceof Request ? input.url : input;
  const target = URL.parse(response.headers.get('location') ?? '', from);
  const where = target === null ? 'nowhere' : `${target.origin}${target.pathname}`;
  return `answered with a redirect to ${where}, which is not followed because credentials would go along: configure that address if it is right`;
}

/** A signal that fires after `milliseconds` (reason `TimeoutError`) or with the caller's own, whichever comes first. */
export function deadlineSignal(milliseconds: number, signal?: AbortSignal): AbortSignal {
  const timeout = AbortSignal.timeout(milliseconds);
  return signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
}
