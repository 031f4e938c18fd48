// Streams over real connections: whole, left by the caller, broken off and stalled by the provider.
import { describe, expect, inject, it } from 'vitest';
import { startRig, type Rig, type RigOptions } from './rig.ts';

const base_url = `${inject('providerFakeUrl')}/v1`;
const keys = [{ value: 'sk', weight: 1, models: ['*'] }];

function rigOf(options: Partial<RigOptions> = {}, timeout?: number): Rig {
  const more = { base_url, keys, ...(timeout !== undefined && { timeout }) };
  return startRig({
    providers: [
      { name: 'openai', ...more },
      { name: 'anthropic', ...more },
    ],
    ...options,
  });
}

const DIALECTS = [
  { path: '/v1/chat/completions', provider: 'openai', model: 'gpt-4o' },
  { path: '/v1/messages', provider: 'anthropic', model: 'claude-sonnet-4-5' },
];

function ask(rig: Rig, path: string, model: string, init: RequestInit = {}): Promise<Response> {
  return rig.fetch(path, { method: 'POST', body: JSON.stringify({ model, stream: true }), ...init });
}

async function direct(path: string, model: string): Promise<string> {
  const response = await fetch(`${base_url}${path.slice(3)}`, { method: 'POST', body: JSON.stringify({ model }) });
  return response.text();
}

/** Reads until the text holds the words. */
async function readUntil(reader: ReadableStreamDefaultReader<Uint8Array>, words: string): Promise<void> {
  const decoder = new TextDecoder();
  for (let text = ''; !text.includes(words);) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`the stream ended before "${words}"`);
    text += decoder.decode(value, { stream: true });
  }
}

describe.each(DIALECTS)('a stream at $path', ({ path, provider, model }) => {
  it.each(['batched', 'durable'] as const)('passes byte for byte, metered, and is recorded: %s', async (durability) => {
    const rig = rigOf({ durability });
    const response = await ask(rig, path, `${provider}/${model}`);
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(response.headers.get('x-request-id')).toBe('req_fake');
    expect(response.headers.has('x-sallyport-cost-usd')).toBe(false);
    const text = await response.text();
    expect(text).toBe(await direct(path, model));
    expect(rig.events).toHaveLength(1);
    expect(rig.events[0]).toMatchObject({
      outcome: 'ok',
      stream: true,
      provider,
      input_tokens: 1000,
      output_tokens: 200,
      usage_certainty: 'exact',
      // gpt-4o: 1000 × 2.5 + 200 × 10; claude-sonnet-4-5: 1000 × 3 + 200 × 15 dollars a million
      cost_nano_usd: provider === 'openai' ? 4_500_000 : 6_000_000,
      response_bytes: new TextEncoder().encode(text).byteLength,
    });
  });

  it('that the caller leaves cancels the provider and counts what was seen', async () => {
    const rig = rigOf();
    const name = `endless-${crypto.randomUUID()}`;
    const response = await ask(rig, path, `${provider}/${name}`);
    const reader = response.body?.getReader();
    if (reader === undefined) throw new Error('no body');
    await readUntil(reader, '"b"');
    await reader.cancel();
    expect(await rig.event()).toMatchObject({
      outcome: 'cancelled',
      reason: 'client_cancelled',
      usage_certainty: 'lower_bound',
    });
    for (let tries = 0; ; tries++) {
      const abandoned: string[] = await (await fetch(base_url.replace('/v1', '/abandoned'))).json();
      if (abandoned.includes(name)) break;
      if (tries > 100) throw new Error('the provider was not cancelled');
      await scheduler.wait(20);
    }
  });

  it('that breaks off breaks off for the caller too', async () => {
    const rig = rigOf();
    const response = await ask(rig, path, `${provider}/break`);
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow();
    expect(await rig.event()).toMatchObject({
      outcome: 'error',
      reason: 'upstream_unavailable',
      usage_certainty: 'lower_bound',
      status: 200,
      ...(provider === 'anthropic' && { input_tokens: 1000, output_tokens: 2 }),
    });
  });

  it('that ends before its last word is recorded as cut short', async () => {
    const rig = rigOf();
    await (await ask(rig, path, `${provider}/early`)).text();
    expect(await rig.event()).toMatchObject({
      outcome: 'error',
      reason: 'answer_incomplete',
      usage_certainty: 'lower_bound',
    });
  });

  it('that falls silent is given up', async () => {
    const rig = rigOf({}, 150);
    const response = await ask(rig, path, `${provider}/stall`);
    await expect(response.text()).rejects.toThrow();
    expect(await rig.event()).toMatchObject({ outcome: 'error', reason: 'upstream_timeout' });
  });
});

it('a provider that does not answer is given up, and says so', async () => {
  const rig = rigOf({}, 150);
  const response = await ask(rig, '/v1/messages', 'anthropic/hang');
  expect(response.status).toBe(504);
  expect(await response.text()).toContain('"code":"upstream_timeout"');
  expect(await rig.event()).toMatchObject({ outcome: 'error', reason: 'upstream_timeout', status: 504 });
});

it('a provider that is slow but never silent is waited for', async () => {
  const rig = rigOf({}, 300);
  const response = await ask(rig, '/v1/chat/completions', 'openai/slow');
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({ model: 'slow' });
  expect(await rig.event()).toMatchObject({ outcome: 'ok', input_tokens: 5, stream: false });
});

it('a provider that is not there is named, without its address', async () => {
  const rig = startRig({ providers: [{ name: 'local', base_url: 'http://127.0.0.1:1/v1' }] });
  const response = await ask(rig, '/v1/chat/completions', 'local/llama');
  expect(response.status).toBe(503);
  const text = await response.text();
  expect(text).toContain('The provider \\"local\\"');
  expect(text).not.toContain('127.0.0.1');
});

it('a caller that leaves before the answer ends the call', async () => {
  const rig = rigOf();
  const caller = new AbortController();
  const answer = ask(rig, '/v1/chat/completions', 'openai/hang', { signal: caller.signal });
  await scheduler.wait(50);
  caller.abort();
  await answer.catch(() => undefined);
  expect(await rig.event()).toMatchObject({ outcome: 'cancelled' });
});

it('durable, the last word waits for the record, and is withheld where there can be none', async () => {
  const rig = rigOf({ durability: 'durable', recorder: 'broken' });
  const response = await ask(rig, '/v1/chat/completions', 'openai/gpt-4o');
  const reader = response.body?.getReader();
  if (reader === undefined) throw new Error('no body');
  await expect(readUntil(reader, '[DONE]')).rejects.toThrow(/audit/);
});

it('keeps what was said only where the operator asked for it', async () => {
  const echo = { providers: [{ name: 'echo' }] };
  const body = JSON.stringify({ model: 'echo', messages: [{ role: 'user', content: 'words' }] });
  const quiet = startRig(echo);
  await quiet.fetch('/v1/chat/completions', { method: 'POST', body });
  expect(JSON.stringify(await quiet.event())).not.toContain('words');
  const full = startRig({ ...echo, content: 'full' });
  await full.fetch('/v1/chat/completions', { method: 'POST', body, headers: { 'x-sallyport-tags': 'run=7' } });
  const event = await full.event();
  expect([event.arguments?.includes('words'), event.result?.includes('words'), event.tags]).toEqual([
    true,
    true,
    { run: '7' },
  ]);
});
