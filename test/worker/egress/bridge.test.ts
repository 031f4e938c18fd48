import { describe, expect, it } from 'vitest';
import { bridgeFetch, bridgeUrl, forgetAtBridge } from '../../../src/egress/bridge.ts';
import type { StdioUpstream } from '../../../src/egress/bridge.ts';

const upstream: StdioUpstream = {
  name: 'files',
  type: 'stdio',
  command: ['npx', 'server'],
  env: { TOKEN: 'stdio-secret' },
  isolation: 'shared',
  idle_timeout: 60_000,
  fingerprint: 'f7',
};

/** A bridge that answers from a list, and keeps what it was asked. */
function bridge(...answers: Response[]): { env: Parameters<typeof bridgeFetch>[0]; asked: Request[] } {
  const asked: Request[] = [];
  const fetcher = {
    fetch: async (input: RequestInfo, init?: RequestInit) => {
      asked.push(new Request(input, init));
      const answer = answers.shift();
      if (answer === undefined) throw new Error('asked once too often');
      return answer;
    },
  } as unknown as Fetcher;
  return { env: { BRIDGE: fetcher, SALLYPORT_BRIDGE_SECRET: 'start-secret' }, asked };
}

const post = { method: 'POST', body: '{"id":1}', headers: { 'mcp-method': 'ping' } };

describe('the stdio bridge', () => {
  it('is spoken to with the secret of this start and the fingerprint of the definition', async () => {
    const { env, asked } = bridge(new Response('pong'));
    const answer = await bridgeFetch(env, upstream)(bridgeUrl(upstream), post);
    expect(await answer.text()).toBe('pong');
    expect(asked[0]?.url).toBe('http://bridge/servers/files/mcp');
    expect(Object.fromEntries(asked[0]?.headers ?? [])).toMatchObject({
      authorization: 'Bearer start-secret',
      'x-sallyport-fingerprint': 'f7',
      'mcp-method': 'ping',
    });
  });

  it('is told the definition when it asks for it, and the request is sent again once', async () => {
    const { env, asked } = bridge(
      new Response(null, { status: 428 }),
      new Response(null, { status: 204 }),
      new Response('pong'),
    );
    const answer = await bridgeFetch(env, upstream)(bridgeUrl(upstream), post);
    expect(await answer.text()).toBe('pong');
    expect(asked.map((request) => `${request.method} ${new URL(request.url).pathname}`)).toEqual([
      'POST /servers/files/mcp',
      'PUT /servers/files',
      'POST /servers/files/mcp',
    ]);
    expect(await asked[1]?.json()).toEqual({
      fingerprint: 'f7',
      command: ['npx', 'server'],
      env: { TOKEN: 'stdio-secret' },
      isolation: 'shared',
      idle_timeout_ms: 60_000,
    });
    expect(await asked[2]?.text()).toBe('{"id":1}');
  });

  it('says why a server did not start, with its last words and without its secrets', async () => {
    const refusal = {
      code: 'exited',
      message: 'server exited with code 1',
      stderr_tail: ['loading', 'bad token stdio-secret'],
    };
    const { env } = bridge(Response.json(refusal, { status: 503 }));
    const failed = bridgeFetch(env, upstream)(bridgeUrl(upstream), post);
    await expect(failed).rejects.toMatchObject({
      code: 'upstream_unavailable',
      message: 'is not available: server exited with code 1\nloading\nbad token ***',
    });
  });

  it('may answer 503 with anything', async () => {
    const { env } = bridge(new Response('<html>', { status: 503 }));
    await expect(bridgeFetch(env, upstream)(bridgeUrl(upstream), post)).rejects.toMatchObject({
      code: 'upstream_unavailable',
    });
  });

  it('may refuse a definition', async () => {
    const { env } = bridge(
      new Response(null, { status: 428 }),
      Response.json({ message: 'cwd stdio-secret is no folder' }, { status: 400 }),
    );
    await expect(bridgeFetch(env, upstream)(bridgeUrl(upstream), post)).rejects.toThrow(
      'refused by the stdio bridge: cwd *** is no folder',
    );
  });

  it('may not run here at all', async () => {
    const failed = bridgeFetch({}, upstream)(bridgeUrl(upstream), post);
    await expect(failed).rejects.toMatchObject({
      code: 'upstream_unavailable',
      progress: 'not_started',
      message: expect.stringContaining('no stdio bridge runs here'),
    });
    await forgetAtBridge({}, 'files');
  });

  it('forgets a server that was removed', async () => {
    const { env, asked } = bridge(new Response(null, { status: 204 }));
    await forgetAtBridge(env, 'files');
    expect(asked[0]?.method).toBe('DELETE');
    expect(asked[0]?.url).toBe('http://bridge/servers/files');
  });
});
