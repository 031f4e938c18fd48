import { env } from 'cloudflare:workers';
import { afterEach, describe, expect, inject, it, vi } from 'vitest';
import '../../support/provided-context.ts';
import { asEgressError, EgressError, egressFailure } from '../../../src/egress/egress-error.ts';
import { deadlineSignal, operatorFetch } from '../../../src/egress/fetch.ts';
import { limitResponse, readBody } from '../../../src/egress/response-limit.ts';
import { maskSecrets } from '../../../src/egress/secrets.ts';
import { createUpstreamNetwork } from '../../../src/egress/upstream-network.ts';

const send = operatorFetch({});
const at = (quirk: string): string => `${inject('misbehavingUrl')}/${quirk}/mcp`;
const post = { method: 'POST', body: '{"method":"ping","id":1}' };

afterEach(() => {
  vi.restoreAllMocks();
});

async function errorOf(work: Promise<unknown>): Promise<EgressError> {
  const error = await work.then(
    () => undefined,
    (rejection: unknown) => rejection,
  );
  const known = asEgressError(error);
  if (known === undefined) throw new Error('it did not fail in a known way', { cause: error });
  return known;
}

describe('the way out', () => {
  it('passes what a server answers, errors included', async () => {
    const answer = await send(at('error'), post);
    expect([answer.status, await answer.text()]).toEqual([500, 'status 500']);
  });

  it('uses the network bound for the operator, where one is', async () => {
    const fetcher = { fetch: async () => new Response('private') } as unknown as Fetcher;
    const answer = await operatorFetch({ OPERATOR_NETWORK: fetcher })('http://10.0.0.1/');
    expect(await answer.text()).toBe('private');
  });

  it('does not follow a redirect, and says where it pointed without the query', async () => {
    const error = await errorOf(send(at('redirect'), post));
    expect(error).toMatchObject({ code: 'upstream_error', progress: 'not_started' });
    expect(error.message).toContain('redirect to http://127.0.0.1:1/elsewhere,');
    expect(error.message).not.toContain('secret-in-location');
  });

  it.each([
    ['close', 'upstream_unavailable'],
    ['refused', 'upstream_unavailable'],
    ['hang', 'upstream_timeout'],
  ])('names what went wrong: %s is %s', async (quirk, code) => {
    const url = quirk === 'refused' ? 'http://127.0.0.1:1/' : at(quirk);
    const error = await errorOf(send(url, { ...post, signal: deadlineSignal(200) }));
    expect(error).toMatchObject({ code, progress: 'may_have_run' });
    const told = egressFailure(error, 'provider "x"');
    expect(told.message).toMatch(/^provider "x" /);
    expect(told.message).not.toMatch(/internal error|reference|127\.0\.0\.1/);
  });

  it('leaves the caller its own abort', async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error('enough')), 50);
    const sent = send(at('hang'), { ...post, signal: deadlineSignal(5_000, controller.signal) });
    await expect(sent).rejects.toThrow('enough');
  });

  it('drops the platform’s own words', () => {
    const opaque = asEgressError(new Error('internal error; reference = 4fd9nee23nehmhq0o39qc6i1'));
    expect(opaque).toMatchObject({ code: 'upstream_unavailable' });
    expect(opaque?.message).not.toContain('4fd9nee23');
    expect(asEgressError(new TypeError('x is not a function'))).toBeUndefined();
  });
});

describe('the limit on a body', () => {
  it('stops a flood that declares no length', async () => {
    const error = await errorOf(readBody(await send(at('huge'), post), 1024 * 1024));
    expect(error).toMatchObject({ code: 'upstream_error', message: expect.stringContaining('1048576 bytes') });
  });

  it('refuses at once what declares too much', async () => {
    const declared = new Response('x'.repeat(100), { headers: { 'content-length': '100' } });
    expect(await errorOf(limitResponse(declared, 99))).toMatchObject({ code: 'upstream_error' });
  });

  it('counts what arrives when the declared length is of the compressed body, or no number', async () => {
    for (const headers of [{ 'content-length': '1', 'content-encoding': 'x-none' }, { 'content-length': 'many' }]) {
      const response = new Response(new Blob(['x'.repeat(100)]).stream(), { headers });
      expect(await errorOf(readBody(response, 99))).toMatchObject({ code: 'upstream_error' });
    }
  });

  it('lets through what fits, to the byte', async () => {
    const hundred = new Blob(['x'.repeat(100)]);
    expect((await readBody(new Response(hundred.stream()), 100)).byteLength).toBe(100);
    expect(await errorOf(readBody(new Response(hundred.stream()), 99))).toBeInstanceOf(EgressError);
  });

  it('names a body that broke off', async () => {
    expect(await errorOf(readBody(await send(at('mid-body'), post), 1024))).toMatchObject({ progress: 'may_have_run' });
  });
});

describe('credentials', () => {
  const upstream = {
    name: 'a',
    type: 'http',
    fingerprint: 'f',
    url: 'http://a.example/mcp?key=query-secret',
    headers: { authorization: 'Bearer header-secret', 'x-flag': '1' },
  } as const;

  it('of an upstream never leave for another host', async () => {
    const { fetch: toUpstream } = createUpstreamNetwork(env).endpoint(upstream);
    await expect(toUpstream('http://b.example/messages', {})).rejects.toThrow('another host');
  });

  it('are masked wherever an upstream repeats them', () => {
    const text = 'got Bearer header-secret, header-secret and query-secret; flag 1';
    expect(maskSecrets(text, upstream)).toBe('got ***, *** and ***; flag 1');
  });
});
