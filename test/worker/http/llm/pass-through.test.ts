import { describe, expect, it } from 'vitest';
import { KEY, startRig } from './rig.ts';

const PROVIDERS = [
  { name: 'openai', keys: [{ value: 'sk-real', weight: 1, models: ['*'] }] },
  { name: 'anthropic', keys: [{ value: 'sk-ant-real', weight: 1, models: ['*'] }] },
];
const ODD_ANSWER = '{ "model":"gpt-4o-2024-08-06",\n\t"x" : "\\u00e9é🙂", "choices":[ ], "unknown": 1.50 }\r\n';

function answering(body: BodyInit = ODD_ANSWER, init: ResponseInit = {}) {
  return startRig({
    providers: PROVIDERS,
    network: () => new Response(body, { ...init, headers: { 'content-type': 'application/json', ...init.headers } }),
  });
}

function post(body: string, headers: Record<string, string> = {}): RequestInit {
  return { method: 'POST', body, headers };
}

describe('the request', () => {
  it('reaches the provider byte for byte, but for the model prefix', async () => {
    const rig = answering();
    await rig.fetch(
      '/v1/chat/completions',
      post(
        '\n{ "messages":[{"role":"user","content":"a/b \\u00e9 é 🙂 \\/"}],\t"model" :  "openai/gpt-4o" , "n": 1.0 }',
      ),
    );
    expect(rig.sent[0]?.url).toBe('https://api.openai.com/v1/chat/completions');
    expect(rig.sent[0]?.body).toBe(
      '\n{ "messages":[{"role":"user","content":"a/b \\u00e9 é 🙂 \\/"}],\t"model" :  "gpt-4o" , "n": 1.0 }',
    );
  });

  it.each([
    ['{"model":"gpt-4o","x":1}', '{"model":"gpt-4o","x":1}'],
    ['{"model":"openai\\/gpt-4o","x":1}', '{"model":"gpt-4o","x":1}'],
    ['{"mod\\u0065l":"openai/ft:gpt-4o:\\u00e9","x":1}', '{"mod\\u0065l":"ft:gpt-4o:\\u00e9","x":1}'],
    ['{"x":{"model":"openai/gpt-4o"},"model":"openai/gpt-4o"}', '{"x":{"model":"openai/gpt-4o"},"model":"gpt-4o"}'],
  ])('%s goes out as %s', async (body, expected) => {
    const rig = answering();
    expect((await rig.fetch('/openai/v1/chat/completions', post(body))).status).toBe(200);
    expect(rig.sent[0]?.body).toBe(expected);
  });

  it('keeps the query and the headers that mean something to the provider, and no credential', async () => {
    const rig = answering();
    await rig.fetch(
      '/v1/messages?beta=true',
      post('{"model":"anthropic/claude-sonnet-4-5"}', {
        'x-api-key': KEY,
        'anthropic-version': '2023-06-01',
        'anthropic-beta': 'context-1m-2025-08-07',
        'x-stainless-lang': 'js',
        'x-claude-code-session-id': 'session-1',
        'user-agent': 'claude-cli/2',
        cookie: 'a=b',
        'x-sallyport-tags': 'a=b',
        'x-forwarded-for': '10.0.0.1',
        'x-amzn-oidc-accesstoken': 'secret-1',
        'x-vault-token': 'secret-2',
        'accept-encoding': 'gzip',
        connection: 'x-hop',
        'x-hop': '1',
        'openai-organization': 'org-of-the-caller',
      }),
    );
    const { url, headers } = rig.sent[0] ?? { url: '', headers: new Headers() };
    expect(url).toBe('https://api.anthropic.com/v1/messages?beta=true');
    const passed = Object.fromEntries([...headers].filter(([name]) => name !== 'content-length'));
    expect(passed).toEqual({
      'anthropic-beta': 'context-1m-2025-08-07',
      'anthropic-version': '2023-06-01',
      'content-type': 'application/json',
      'user-agent': 'claude-cli/2',
      'x-api-key': 'sk-ant-real',
      'x-claude-code-session-id': 'session-1',
      'x-stainless-lang': 'js',
    });
  });

  it("never carries the caller's key, under whichever header it came", async () => {
    for (const name of ['authorization', 'x-api-key', 'api-key', 'x-goog-api-key']) {
      const rig = answering();
      const value = name === 'authorization' ? `Bearer ${KEY}` : KEY;
      const response = await rig.sdkFetch('http://sallyport/v1/chat/completions', {
        method: 'POST',
        body: '{"model":"gpt-4o"}',
        headers: { 'content-type': 'application/json', [name]: value },
      });
      expect(response.status).toBe(200);
      expect(JSON.stringify([...(rig.sent[0]?.headers ?? [])])).not.toContain(KEY);
      expect(rig.sent[0]?.headers.get('authorization')).toBe('Bearer sk-real');
    }
  });

  it.each([
    ['https://api.anthropic.com', 'https://api.anthropic.com/v1/messages'],
    ['http://127.0.0.1:9/v1/', 'http://127.0.0.1:9/v1/messages'],
    ['http://127.0.0.1:9/anthropic', 'http://127.0.0.1:9/anthropic/v1/messages'],
  ])('to %s goes to %s', async (base_url, expected) => {
    const rig = startRig({
      providers: [{ name: 'mine', type: 'anthropic', base_url, keys: [{ value: 'k', weight: 1, models: ['*'] }] }],
      network: () => Response.json({}),
    });
    await rig.fetch('/anthropic/v1/messages', post('{"model":"mine/claude"}'));
    expect(rig.sent[0]?.url).toBe(expected);
  });

  it("takes the operator's headers for the provider and needs no key where none is configured", async () => {
    const rig = startRig({
      providers: [
        { name: 'local', base_url: 'http://127.0.0.1:9/v1', headers: { 'X-Extra': 'yes', 'User-Agent': 'own' } },
      ],
      network: () => Response.json({}),
    });
    await rig.fetch('/v1/chat/completions', post('{"model":"llama"}', { 'user-agent': 'caller' }));
    const headers = rig.sent[0]?.headers;
    expect([headers?.get('x-extra'), headers?.get('user-agent'), headers?.get('authorization')]).toEqual([
      'yes',
      'own',
      null,
    ]);
  });
});

describe('the answer', () => {
  it("is the provider's, byte for byte, with the headers that are of use", async () => {
    const rig = answering(ODD_ANSWER, {
      headers: {
        'x-request-id': 'req_provider',
        'x-ratelimit-remaining-requests': '7',
        'openai-processing-ms': '12',
        'set-cookie': 'a=b',
        'access-control-allow-origin': '*',
        'strict-transport-security': 'max-age=1',
      },
    });
    const response = await rig.fetch('/v1/chat/completions', post('{"model":"openai/gpt-4o"}'));
    expect(await response.text()).toBe(ODD_ANSWER);
    expect(response.headers.get('server-timing')).toMatch(/^upstream;dur=\d+, gateway;dur=\d+$/);
    const headers = Object.fromEntries([...response.headers].filter(([name]) => name !== 'server-timing'));
    expect(headers).toEqual({
      'content-type': 'application/json',
      'openai-processing-ms': '12',
      'x-ratelimit-remaining-requests': '7',
      'x-request-id': 'req_provider',
    });
  });

  it.each([
    [400, '{"error":{"message":"bad","type":"invalid_request_error","param":"messages","code":null}}'],
    [404, '{"error":{"message":"no such model","code":"model_not_found"}}'],
    [429, '{"error":{"message":"slow down","code":"rate_limit_exceeded"}}'],
    [500, '{"error":{"message":"oh no"}}'],
    [529, '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}'],
  ])('of status %i passes as it is', async (status, body) => {
    const rig = answering(body, { status, headers: { 'retry-after': '7' } });
    const response = await rig.fetch('/v1/chat/completions', post('{"model":"openai/gpt-4o"}'));
    expect([response.status, await response.text(), response.headers.get('retry-after')]).toEqual([status, body, '7']);
    expect(await rig.event()).toMatchObject({ outcome: 'error', reason: 'refused_by_provider', status });
    expect(response.headers.has('x-sallyport-cost-usd')).toBe(false);
  });

  it.each([401, 402, 403])(
    "of status %i, about the operator's credential, does not look like the caller's fault",
    async (status) => {
      const rig = answering('{"error":{"message":"Incorrect API key provided: sk-re**al"}}', { status });
      const response = await rig.fetch('/v1/messages', post('{"model":"anthropic/claude-opus-4-1"}'));
      expect(response.status).toBe(502);
      const text = await response.text();
      expect(text).toContain(`(status ${status})`);
      expect(text).toContain('"code":"upstream_error"');
      expect(text).not.toContain('sk-');
      expect(await rig.event()).toMatchObject({ outcome: 'error', reason: 'upstream_error', status: 502 });
    },
  );

  it('may have no body at all', async () => {
    const rig = startRig({ providers: PROVIDERS, network: () => new Response(null, { status: 204 }) });
    const response = await rig.fetch('/v1/responses', post('{"model":"openai/gpt-5"}'));
    expect([response.status, await response.text()]).toEqual([204, '']);
  });

  it('in HTML is named as what it is', async () => {
    const rig = answering('<html>', { headers: { 'content-type': 'text/html; charset=utf-8' } });
    const response = await rig.fetch('/v1/chat/completions', post('{"model":"openai/gpt-4o"}'));
    expect(response.status).toBe(502);
    expect(await response.text()).toContain('its base_url may be wrong');
  });

  it('may be of any size: a large one goes on as it comes, its usage read from its end', async () => {
    const vector = `[${'0.123456789,'.repeat(250_000)}1]`;
    const body = `{"object":"list","data":[{"embedding":${vector}}],"usage": {"prompt_tokens": 8, "total_tokens": 8, "prompt_tokens_details": {"cached_tokens": 2}}}`;
    const rig = answering(body);
    const response = await rig.fetch('/v1/embeddings', post('{"model":"openai/text-embedding-3-small"}'));
    expect(await response.text()).toBe(body);
    expect(await rig.event()).toMatchObject({
      outcome: 'ok',
      input_tokens: 8,
      cache_read_tokens: 2,
      cost_nano_usd: 160,
      response_bytes: body.length,
    });
  });
});
