// The referee refereed: what stands between the suites and the gateway hides nothing and adds nothing.
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listen, readText, sendJson } from '../support/fixture-http.ts';
import type { Fixture } from '../support/fixture-http.ts';
import { lossesBetween } from './comparison.ts';
import { startFixtureV2 } from './fixture-v2.ts';
import { startHeaderProxy } from './header-proxy.ts';
import { renamingShim } from './renaming-shim.ts';
import { runServerSuite } from './suite.ts';
import type { Check } from './suite.ts';

const message = (method: string, params: unknown): string => JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
const encode = (name: string): string => `=?base64?${Buffer.from(name).toString('base64')}?=`;
const check = (id: string, status: Check['status']): Check => ({ scenario: 's', id, name: 'N', status });

describe('the header proxy', () => {
  let fixture: Fixture;

  beforeAll(async () => {
    fixture = await startFixtureV2();
  });

  afterAll(() => fixture?.stop());

  it('adds the key and leaves the rest as it came, the host included', async () => {
    const echo = await listen((incoming, outgoing) => sendJson(outgoing, incoming.rawHeaders, 418));
    const proxy = await startHeaderProxy({ target: echo.url, key: 'vk-some' });
    const answer = await new Promise<{ status: number | undefined; body: string }>((resolve) => {
      const headers = { Host: 'evil.example:1', Origin: 'http://evil.example', 'X-Case': 'Kept' };
      request(proxy.url, { headers }, (response) => {
        void readText(response).then((body) => resolve({ status: response.statusCode, body }));
      }).end();
    });
    expect(answer.status).toBe(418);
    const sent = JSON.parse(answer.body) as string[];
    expect(sent.slice(0, 6)).toEqual(['Host', 'evil.example:1', 'Origin', 'http://evil.example', 'X-Case', 'Kept']);
    expect(sent).toContain('Bearer vk-some');
    await Promise.all([proxy.stop(), echo.stop()]);
  });

  it('tells the server when its caller goes away', async () => {
    let gone = false;
    const silent = await listen((incoming, outgoing) => {
      outgoing.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      incoming.once('close', () => {
        gone = true;
      });
    });
    const proxy = await startHeaderProxy({ target: silent.url, key: 'vk-some' });
    const caller = new AbortController();
    const response = await fetch(proxy.url, { signal: caller.signal });
    expect(response.status).toBe(200);
    expect(gone).toBe(false);
    caller.abort();
    await expect.poll(() => gone).toBe(true);
    await Promise.all([proxy.stop(), silent.stop()]);
  });

  it.each(['2025-11-25', '2026-07-28'] as const)(
    'takes nothing from the suite %s, with a filter too',
    async (suite) => {
      const idle = { request: (headers: readonly string[], body: string) => ({ headers, body }), response: String };
      const proxy = await startHeaderProxy({ target: fixture.url, key: 'vk-some', filter: idle });
      const before = await runServerSuite(suite, fixture.url);
      const after = await runServerSuite(suite, proxy.url);
      expect(lossesBetween(before.checks, after.checks)).toEqual([]);
      await proxy.stop();
    },
  );
});

describe('the renaming shim', () => {
  const shim = renamingShim('one');

  it('qualifies the name in the body and, apart from it, the one in the header', () => {
    const headers = ['Mcp-Method', 'tools/call', 'Mcp-Name', 'b', 'Accept', 'b'];
    const renamed = shim.request(headers, message('tools/call', { name: 'a', arguments: { name: 'a' } }));
    expect(renamed.headers).toEqual(['Mcp-Method', 'tools/call', 'Mcp-Name', 'one__b', 'Accept', 'b']);
    expect(renamed.body).toBe(message('tools/call', { name: 'one__a', arguments: { name: 'a' } }));
  });

  it('qualifies inside the encoding of a header', () => {
    const renamed = shim.request(['mcp-name', encode('grüß')], message('prompts/get', { name: 'grüß' }));
    expect(renamed.headers).toEqual(['mcp-name', encode('one__grüß')]);
  });

  it('leaves URIs and malformed bodies alone', () => {
    const read = message('resources/read', { uri: 'test://a' });
    expect(shim.request(['Mcp-Name', 'test://a'], read)).toEqual({ headers: ['Mcp-Name', 'test://a'], body: read });
    expect(shim.request([], '{"method": tools/call')).toEqual({ headers: [], body: '{"method": tools/call' });
  });

  it('shows what one server has, by its own names', () => {
    const names = ['one__a', 'two__a', 'one__one__b'].map((name) => ({ name }));
    const line = `data: ${JSON.stringify({ id: 1, result: { tools: names } })}`;
    expect(shim.response(line)).toBe('data: {"id":1,"result":{"tools":[{"name":"a"},{"name":"one__b"}]}}');
  });
});

describe('the comparison', () => {
  it('finds a check that passes no longer, one that is gone, and a warning that is new', () => {
    const before = [check('a', 'SUCCESS'), check('b', 'SUCCESS'), check('b', 'SUCCESS'), check('c', 'FAILURE')];
    const after = [check('a', 'WARNING'), check('b', 'SUCCESS'), check('c', 'FAILURE'), check('d', 'WARNING')];
    expect(lossesBetween(before, after)).toEqual([
      's/a/N: passed 1 times, now 0; s/a/N: WARNING',
      's/b/N: passed 2 times, now 1',
      's/d/N: WARNING',
    ]);
    expect(lossesBetween(before, before)).toEqual([]);
  });
});
