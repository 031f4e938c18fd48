import type { Env } from '../env.ts';
import type { UpstreamNetwork } from '../mcp/ports.ts';
import type { Upstream } from '../policy/snapshot.ts';
import { bridgeFetch, bridgeUrl } from './bridge.ts';
import { EgressError } from './egress-error.ts';
import { operatorFetch } from './fetch.ts';

/** Where each upstream is spoken to, with its own credentials on every request and nobody else's. */
export function createUpstreamNetwork(env: Env): UpstreamNetwork {
  return {
    endpoint(upstream) {
      if (upstream.type === 'stdio') return { url: bridgeUrl(upstream), fetch: bridgeFetch(env, upstream) };
      const send = operatorFetch(env);
      const url = new URL(addressOf(upstream));
      const { origin } = url;
      return {
        url,
        fetch: async (input: RequestInfo | URL, init?: RequestInit) => {
          // A server names its own message endpoint over the legacy SSE transport; it must not be a stranger's.
          if (new URL(input instanceof Request ? input.url : input).origin !== origin) {
            throw new EgressError('upstream_error', 'not_started', 'named a message endpoint on another host');
          }
          const headers = new Headers(init?.headers);
          for (const [name, value] of Object.entries(upstream.headers ?? {})) headers.set(name, value);
          return send(input, { ...init, headers });
        },
      };
    },
  };
}

/** An API whose address only its description tells is asked for with that address filled in. */
function addressOf(upstream: Exclude<Upstream, { type: 'stdio' }>): string {
  if (upstream.type !== 'openapi') return upstream.url;
  if (upstream.base_url !== undefined) return upstream.base_url;
  throw new EgressError('upstream_error', 'not_started', 'has no address yet: its description was not read');
}
