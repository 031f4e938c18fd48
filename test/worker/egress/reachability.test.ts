import { connect } from 'cloudflare:sockets';
import { inject, it, expect, describe } from 'vitest';
import '../../support/provided-context.ts';
import { refusesConnections } from '../../../src/egress/reachability.ts';

/** The sockets of this process, as the operator's network gives them. */
function network(open: typeof connect = connect): { OPERATOR_NETWORK: Fetcher } {
  return { OPERATOR_NETWORK: { connect: open } as unknown as Fetcher };
}

/** A server that is behind something that drops what it does not like. */
function never(): Socket {
  const pending = new Promise<never>(() => undefined);
  return { opened: pending, closed: pending, close: async () => undefined } as unknown as Socket;
}

describe('whether a server takes connections', () => {
  it('is told of a port that nobody listens on', async () => {
    expect(await refusesConnections(network(), 'http://127.0.0.1:1/v1')).toBe(true);
    expect(await refusesConnections(network(), 'http://[::1]:1/v1')).toBe(true);
  });

  it('is told of a server that answers', async () => {
    expect(await refusesConnections(network(), inject('providerFakeUrl'))).toBe(false);
  });

  it('is told of a server that takes connections and says nothing', async () => {
    expect(await refusesConnections(network(), `${inject('misbehavingUrl')}/hang/mcp`)).toBe(false);
  });

  it('is not waited for', async () => {
    const began = Date.now();
    expect(await refusesConnections(network(never), 'http://10.0.0.1/')).toBe(false);
    expect(Date.now() - began).toBeLessThan(2000);
  });

  it('is not known without the network of the operator, or without an address', async () => {
    expect(await refusesConnections({}, 'http://127.0.0.1:1/')).toBe(false);
    expect(await refusesConnections(network(), 'nowhere')).toBe(false);
  });

  it.each([
    ['https://api.example.com/v1', { hostname: 'api.example.com', port: 443 }],
    ['http://models.local/v1', { hostname: 'models.local', port: 80 }],
    ['http://[::1]:8080/v1', { hostname: '[::1]', port: 8080 }],
  ])('is asked at the port of %s', async (url, address) => {
    const asked: unknown[] = [];
    const closed = (at: unknown): Socket => {
      asked.push(at);
      return connect({ hostname: '127.0.0.1', port: 1 });
    };
    expect(await refusesConnections(network(closed as typeof connect), url)).toBe(true);
    expect(asked).toEqual([address]);
  });
});
