import { describe, expect, it } from 'vitest';
import { err, ok } from '../../../src/lib/result.ts';
import type { UpstreamCallFailure } from '../../../src/mcp/ports.ts';
import { failure } from '../../../src/policy/failure.ts';
import { callWith, CLIENTS, legacyClient, modernClient } from './clients.ts';
import { fakeGateway, text, tool, URL_BASE, type FakeOptions, type FakeUpstream } from './fake-gateway.ts';

function oneTool(upstream: FakeUpstream = {}, options: Partial<FakeOptions> = {}) {
  return fakeGateway({ upstreams: { s: { tools: [tool('a')], ...upstream } }, ...options });
}

function failing(code: 'upstream_timeout' | 'upstream_error', more: Partial<UpstreamCallFailure> = {}): FakeUpstream {
  return { call: async () => err({ ...failure(code, 'It broke.'), stage: 'call', ...more }) };
}

describe('the audit event of a call', () => {
  it('says who called what, how it went and what it took', async () => {
    const gateway = oneTool({ call: async () => ok(text('é')) });
    const client = await modernClient((input, init) => {
      const request = new Request(input, init);
      request.headers.set('x-sallyport-tags', 'run=42');
      return gateway.fetch(request);
    });
    const _meta = { 'claudecode/toolUseId': 'toolu_1' };
    await client.callTool({ name: 's__a', arguments: { b: 1, a: 2 }, _meta });
    expect(gateway.events).toEqual([
      {
        id: expect.stringMatching(/^evt_/),
        at: expect.any(Number),
        kind: 'tool.call',
        outcome: 'ok',
        request_id: 'req_1',
        key_id: 'vk_1',
        key_name: 'test',
        team: 'eng',
        principal: 'virtual_key:vk_1',
        server: 's',
        tool: 'a',
        client: 'test-client/1.2.3',
        latency_ms: expect.any(Number),
        upstream_ms: expect.any(Number),
        request_bytes: expect.any(Number),
        response_bytes: new TextEncoder().encode(JSON.stringify(text('é'))).byteLength,
        tags: { run: '42' },
        tool_use_id: 'toolu_1',
        // sha256 of {"a":2,"b":1}
        args_sha256: 'd3626ac30a87e6f7a6428233b3c68299976865fa5508e4267c5415c76af7a772',
      },
    ]);
    await client.close();
  });

  it('passes the meta on, without what belongs to the hop', async () => {
    const gateway = oneTool();
    const client = await modernClient(gateway.fetch);
    await client.callTool(
      { name: 's__a', _meta: { traceparent: '00-1', 'claudecode/toolUseId': 'toolu_1' } },
      { onprogress: () => {} },
    );
    expect(gateway.calls[0]?.call.meta).toEqual({ traceparent: '00-1', 'claudecode/toolUseId': 'toolu_1' });
    expect(gateway.calls[0]?.owner).toBe('vk_1');
    await client.close();
  });

  it('keeps absent arguments absent', async () => {
    const gateway = oneTool();
    const client = await legacyClient(gateway.fetch);
    await client.callTool({ name: 's__a' });
    await client.callTool({ name: 's__a', arguments: {} });
    expect(gateway.calls.map(({ call }) => call.arguments)).toEqual([undefined, {}]);
    await client.close();
  });

  it('names a legacy client by its user agent', async () => {
    const gateway = oneTool();
    const headers = {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'user-agent': 'agent/1',
    };
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 's__a' } });
    await gateway.fetch(`${URL_BASE}/mcp`, { method: 'POST', headers, body });
    expect(gateway.events[0]).toMatchObject({ client: 'agent/1', request_bytes: body.length });
  });

  it.each([
    ['a denied tool', 's__denied', { outcome: 'denied', reason: 'tool_not_granted', server: 's', tool: 'denied' }],
    ['a denied server', 't__a', { outcome: 'denied', reason: 'upstream_not_granted', server: 't', tool: 'a' }],
    ['a tool that does not exist', 's__a2', { outcome: 'error', reason: 'not_found', server: 's', tool: 'a2' }],
  ])('tells of %s', async (_what, name, event) => {
    const gateway = fakeGateway({
      upstreams: { s: { tools: [tool('a'), tool('denied')] }, t: { tools: [tool('a')] } },
      grants: { s: ['a*'] },
    });
    const client = await modernClient(gateway.fetch);
    await expect(client.callTool({ name })).rejects.toThrow(`Unknown tool: ${name}`);
    expect(gateway.events).toHaveLength(1);
    expect(gateway.events[0]).toMatchObject(event);
    await client.close();
  });

  it('tells an error of the tool from one of the upstream', async () => {
    const gateway = fakeGateway({
      upstreams: {
        s: { tools: [tool('a')], call: async () => ok({ ...text('no'), isError: true }) },
        t: { tools: [tool('a')], ...failing('upstream_timeout') },
      },
    });
    const client = await modernClient(gateway.fetch);
    await client.callTool({ name: 's__a' });
    await client.callTool({ name: 't__a' });
    expect(gateway.events.map(({ outcome, reason }) => [outcome, reason])).toEqual([
      ['error', 'tool_error'],
      ['error', 'upstream_timeout'],
    ]);
    await client.close();
  });

  it('keeps what the operator asks for, and no more', async () => {
    const secret = { password: 'hunter2hunter2', path: '/a' };
    const kept = async (content: string) => {
      const gateway = oneTool({}, { settings: { audit: { content } } });
      const client = await modernClient(gateway.fetch);
      await client.callTool({ name: 's__a', arguments: secret });
      await client.close();
      return gateway.events[0];
    };
    expect(await kept('none')).not.toHaveProperty('args_sha256');
    expect(await kept('hash')).not.toHaveProperty('arguments');
    expect((await kept('redacted'))?.arguments).not.toContain('hunter2');
    expect(await kept('full')).toMatchObject({
      arguments: JSON.stringify(secret),
      result: JSON.stringify(text('s did a')),
    });
  });
});

describe('a call that cannot be recorded', () => {
  it('withholds its result', async () => {
    const gateway = oneTool({}, { recordFails: true });
    const client = await modernClient(gateway.fetch);
    const result = await client.callTool({ name: 's__a' });
    expect(result).toMatchObject({ isError: true, _meta: { 'sallyport/error': { code: 'audit_unavailable' } } });
    expect(JSON.stringify(result)).not.toContain('s did a');
    expect(gateway.calls).toHaveLength(1);
    await client.close();
  });

  it('does not wait for the record where the operator chose batches', async () => {
    const gateway = oneTool({}, { recordFails: true, settings: { audit: { durability: { tool_calls: 'batched' } } } });
    const client = await modernClient(gateway.fetch);
    expect(await client.callTool({ name: 's__a' })).toMatchObject(text('s did a'));
    expect(gateway.events).toHaveLength(1);
    await client.close();
  });
});

describe('an upstream that fails', () => {
  it.each(['upstream_timeout', 'upstream_error'] as const)('%s is a result a model can read', async (code) => {
    const gateway = oneTool(failing(code));
    const client = await legacyClient(gateway.fetch);
    expect(await client.callTool({ name: 's__a' })).toMatchObject({
      content: [{ type: 'text', text: 'It broke.' }],
      isError: true,
      _meta: { 'sallyport/error': { code } },
    });
    expect(gateway.reports).toEqual([{ upstream: 's', outcome: { ok: false, stage: 'call', message: 'It broke.' } }]);
    await client.close();
  });

  it('is not tried while its breaker is open', async () => {
    const gateway = oneTool({ health: { breaker: 'open', state: 'failing', retryAt: Date.now() + 20_000 } });
    const client = await modernClient(gateway.fetch);
    const told = { code: 'upstream_unavailable', retry_after_seconds: 20 };
    expect(await client.callTool({ name: 's__a' })).toMatchObject({
      isError: true,
      _meta: { 'sallyport/error': told },
    });
    expect(gateway.calls).toEqual([]);
    expect(gateway.reports).toEqual([]);
    await client.close();
  });

  it('is tried again when the breaker lets it', async () => {
    const gateway = oneTool({ health: { breaker: 'open', state: 'failing', retryAt: Date.now() - 1 } });
    const client = await modernClient(gateway.fetch);
    expect(await client.callTool({ name: 's__a' })).toMatchObject(text('s did a'));
    expect(gateway.reports).toEqual([{ upstream: 's', outcome: { ok: true, latencyMs: expect.any(Number) } }]);
    await client.close();
  });

  it('says of one that never came up that it did not, and of one that waits for a person, for whom', async () => {
    const gateway = fakeGateway({
      upstreams: { s: { health: { state: 'failing' } }, t: { health: { state: 'needs_auth' } } },
    });
    const client = await modernClient(gateway.fetch);
    expect(JSON.stringify(await client.callTool({ name: 's__a' }))).toContain('has not come up yet');
    expect(JSON.stringify(await client.callTool({ name: 't__a' }))).toContain('authorize');
    await client.close();
  });

  it('is tried where nothing is known of it', async () => {
    const gateway = fakeGateway({ upstreams: { s: { health: { state: 'unknown' } } } });
    const client = await modernClient(gateway.fetch);
    expect(await client.callTool({ name: 's__a' })).toMatchObject(text('s did a'));
    await client.close();
  });

  it('hangs, and delays nobody else', async () => {
    const gateway = fakeGateway({ upstreams: { good: { tools: [tool('a')] }, hangs: { viewDelay: 60_000 } } });
    const client = await modernClient(gateway.fetch, '/mcp/good');
    const startedAt = Date.now();
    expect(await client.callTool({ name: 'a' })).toMatchObject(text('good did a'));
    expect(Date.now() - startedAt).toBeLessThan(1000);
    const all = await modernClient(gateway.fetch);
    expect((await all.listTools()).tools).toHaveLength(1);
    expect(Date.now() - startedAt).toBeLessThan(5500);
    await Promise.all([client.close(), all.close()]);
  });

  it('answers with a protocol error, which is relayed and no sign of ill health', async () => {
    const gateway = oneTool(failing('upstream_error', { answered: { code: -32050, data: { hint: 'tomorrow' } } }));
    const client = await modernClient(gateway.fetch);
    await expect(client.callTool({ name: 's__a' })).rejects.toMatchObject({ code: -32050, data: { hint: 'tomorrow' } });
    expect(gateway.reports[0]?.outcome.ok).toBe(true);
    expect(gateway.events[0]).toMatchObject({ outcome: 'error', reason: 'upstream_error' });
    await client.close();
  });

  it('complains of our own hop, which is no concern of the client', async () => {
    const gateway = oneTool(failing('upstream_error', { answered: { code: -32021, data: {} } }));
    const client = await modernClient(gateway.fetch);
    expect(await client.callTool({ name: 's__a' })).toMatchObject({ isError: true });
    await client.close();
  });

  it('breaks the gateway itself, which is recorded and told without detail', async () => {
    const gateway = oneTool({
      call: () => {
        throw new TypeError('secret detail');
      },
    });
    const client = await modernClient(gateway.fetch);
    const result = await client.callTool({ name: 's__a' });
    expect(result).toMatchObject({ isError: true, _meta: { 'sallyport/error': { code: 'internal_error' } } });
    expect(JSON.stringify(result)).not.toContain('secret detail');
    expect(gateway.events[0]).toMatchObject({ outcome: 'error', reason: 'internal_error' });
    await client.close();
  });
});

describe('a tool the catalog does not know yet', () => {
  it('is found by asking the upstream again', async () => {
    const gateway = oneTool({ learns: [tool('new')] });
    const client = await modernClient(gateway.fetch);
    expect(await client.callTool({ name: 's__new' })).toMatchObject(text('s did new'));
    expect(gateway.refreshed).toEqual(['s']);
    await client.close();
  });

  it('is not asked for where policy refuses it anyway', async () => {
    const gateway = oneTool({ learns: [tool('new')] }, { grants: { s: ['a'] } });
    const client = await modernClient(gateway.fetch);
    await expect(client.callTool({ name: 's__new' })).rejects.toThrow('Unknown tool');
    expect(gateway.refreshed).toEqual([]);
    await client.close();
  });
});

describe.each(CLIENTS)('cancelling by a client of %s', (_line, connect) => {
  it('cancels the call at the upstream, and is recorded', async () => {
    const started = Promise.withResolvers<void>();
    const gateway = oneTool({
      call: async ({ signal }) => {
        started.resolve();
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        return err({ ...failure('upstream_error', 'aborted'), stage: 'call' });
      },
    });
    const client = await connect(gateway.fetch);
    const abort = new AbortController();
    const call = callWith(client, 's__a', { signal: abort.signal });
    await started.promise;
    abort.abort();
    await expect(call).rejects.toThrow();
    await expect.poll(() => gateway.events[0]).toMatchObject({ outcome: 'cancelled', reason: 'client_cancelled' });
    expect(gateway.reports).toEqual([]);
    await client.close();
  });
});
