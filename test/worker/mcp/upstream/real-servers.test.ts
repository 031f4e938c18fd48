import { beforeEach, describe, expect, inject, it, vi } from 'vitest';
import { listAt } from '../../../../src/lib/json-value.ts';
import type { Catalog } from '../../../../src/mcp/ports.ts';
import { callsReceived, catalogOf, httpUpstream, misbehaving, rig, stateOf, toolCall } from './rig.ts';

const dualEra = (): string => inject('dualEraUrl');
const legacy = (): string => inject('legacyUrl');

async function newSessions(since: number): Promise<string[]> {
  return (await stateOf(legacy())).sessions.slice(since);
}

describe.each([
  ['modern', () => httpUpstream(`${dualEra()}/mcp`), 'modern'],
  ['legacy with sessions', () => httpUpstream(`${legacy()}/mcp`), 'legacy'],
  ['dual-era, forced to legacy', () => httpUpstream(`${dualEra()}/mcp`, { era: 'legacy' }), 'legacy'],
] as const)('a tool of a %s upstream', (_name, upstreamOf, era) => {
  it('is called in the era its catalog names', async () => {
    const upstream = upstreamOf();
    const catalog = await catalogOf(upstream);
    expect(catalog.era).toBe(era);
    const { call } = rig(catalog);
    const outcome = await call(upstream, 'alice', toolCall('echo', { arguments: { text: 'hello' } }));
    expect(outcome).toMatchObject({ ok: true, value: { content: [{ type: 'text', text: 'hello' }] } });
  });

  it('is called without a catalog, by finding the era out', async () => {
    const outcome = await rig().call(upstreamOf(), 'alice', toolCall('add', { arguments: { a: 1, b: 2 } }));
    expect(outcome).toMatchObject({ ok: true, value: { structuredContent: { sum: 3 } } });
  });

  it('has its result relayed whole', async () => {
    const outcome = await rig().call(upstreamOf(), 'alice', toolCall('mixed'));
    if (!outcome.ok) throw new Error(outcome.error.message);
    expect(outcome.value).toMatchObject({
      structuredContent: { list: [1, 'two', null] },
      unheardOf: { kept: true },
      _meta: { 'example.com/trace': 'kept' },
    });
    expect(outcome.value['content']).toMatchObject([
      { type: 'text', annotations: { audience: ['user'], priority: 0.5 } },
      { type: 'image' },
      { type: 'audio' },
      { type: 'resource_link' },
      { type: 'resource', _meta: { deep: true } },
    ]);
  });

  it('may break its own output schema: that is for the caller to judge', async () => {
    const upstream = upstreamOf();
    const outcome = await rig(await catalogOf(upstream)).call(upstream, 'alice', toolCall('untruthful'));
    expect(outcome).toMatchObject({ ok: true, value: { structuredContent: { sum: 'not a number' } } });
  });

  it('keeps absent arguments absent, and empty ones empty', async () => {
    const { call } = rig();
    const absent = await call(upstreamOf(), 'alice', toolCall('arguments'));
    const empty = await call(upstreamOf(), 'alice', toolCall('arguments', { arguments: {} }));
    expect(absent).toMatchObject({ value: { content: [{ text: 'absent' }] } });
    expect(empty).toMatchObject({ value: { content: [{ text: '{}' }] } });
  });

  it('tells a tool-level error apart from a protocol-level one', async () => {
    const { call } = rig();
    const failed = await call(upstreamOf(), 'alice', toolCall('fail'));
    const rejected = await call(upstreamOf(), 'alice', toolCall('reject'));
    expect(failed).toMatchObject({ ok: true, value: { isError: true } });
    expect(rejected).toMatchObject({
      ok: false,
      error: {
        answered: { code: -32050, data: { hint: 'tomorrow' } },
        message: expect.stringContaining('out of order'),
      },
    });
  });

  it('relays progress', async () => {
    const seen: number[] = [];
    const call = toolCall('slow', {
      arguments: { ms: 80 },
      onProgress: ({ progress }) => void seen.push(Number(progress)),
    });
    expect(await rig().call(upstreamOf(), 'alice', call)).toMatchObject({ ok: true });
    expect(seen).toEqual([1, 2, 3, 4]);
  });

  it('is cancelled at the upstream when the caller goes away', async () => {
    const base = upstreamOf().url.replace(/\/mcp$/, '');
    const before = (await stateOf(base)).cancelled;
    const upstream = upstreamOf();
    const { call, idle } = rig(await catalogOf(upstream));
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 100);
    const outcome = await call(
      upstream,
      'alice',
      toolCall('slow', { arguments: { ms: 2_500 }, signal: controller.signal }),
    );
    expect(outcome.ok).toBe(false);
    await idle();
    await vi.waitFor(async () => expect((await stateOf(base)).cancelled).toBe(before + 1));
  });

  it('times out after the timeout configured, and says so', async () => {
    const upstream = { ...upstreamOf(), timeout: 150 };
    const outcome = await rig(await catalogOf(upstream)).call(
      upstream,
      'alice',
      toolCall('slow', { arguments: { ms: 2_000 } }),
    );
    expect(outcome).toMatchObject({ ok: false, error: { code: 'upstream_timeout', stage: 'call' } });
  });

  it('is called with the headers configured for it', async () => {
    const upstream = { ...upstreamOf(), headers: { authorization: 'Bearer upstream-secret' } };
    const outcome = await rig().call(upstream, 'alice', toolCall('headers'));
    if (!outcome.ok) throw new Error(outcome.error.message);
    expect(listAt(outcome.value, 'content')[0]).toMatchObject({
      text: expect.stringContaining('Bearer upstream-secret'),
    });
  });
});

it('calls a tool over the older transport with a stream of events', async () => {
  const upstream = { ...httpUpstream(`${legacy()}/sse`), type: 'sse' as const };
  const { call, sessions } = rig();
  const outcome = await call(upstream, 'alice', toolCall('echo', { arguments: { text: 'streamed' } }));
  expect(outcome).toMatchObject({ ok: true, value: { content: [{ text: 'streamed' }] } });
  expect(sessions.held.size).toBe(0);
});

it('mirrors annotated arguments into headers on the modern era', async () => {
  const upstream = httpUpstream(`${dualEra()}/mcp`);
  const { call } = rig(await catalogOf(upstream));
  const outcome = await call(upstream, 'alice', toolCall('region', { arguments: { region: 'eu' } }));
  expect(outcome).toMatchObject({ ok: true, value: { content: [{ text: 'eu' }] } });
});

describe('a session at a legacy upstream', () => {
  let opened = 0;
  beforeEach(async () => {
    opened = (await stateOf(legacy())).sessions.length;
  });

  it('is opened once and used again by the same owner', async () => {
    const upstream = httpUpstream(`${legacy()}/mcp`);
    const { call } = rig();
    await call(upstream, 'alice', toolCall('echo'));
    await call(upstream, 'alice', toolCall('echo'));
    expect(await newSessions(opened)).toHaveLength(1);
  });

  it('stands for the handshake where a server keeps none', async () => {
    const upstream = httpUpstream(`${dualEra()}/mcp`, { era: 'legacy' });
    const { call } = rig();
    const posts = async (): Promise<number> => (await stateOf(dualEra())).methods.length;
    const before = await posts();
    await call(upstream, 'alice', toolCall('echo'));
    const met = await posts();
    await call(upstream, 'alice', toolCall('echo'));
    expect([met - before, (await posts()) - met]).toEqual([3, 1]);
  });

  it('is never shared between owners', async () => {
    const upstream = httpUpstream(`${legacy()}/mcp`);
    const { call, sessions } = rig();
    const owners = ['alice', 'bob', 'carol'];
    await Promise.all(owners.map((owner) => call(upstream, owner, toolCall('echo'))));
    const ids = owners.map((owner) => sessions.held.get(owner)?.sessionId);
    expect(new Set(ids).size).toBe(3);
    expect(await newSessions(opened)).toHaveLength(3);
  });

  it('is opened again when the upstream lost it, and the call runs once', async () => {
    const upstream = httpUpstream(`${legacy()}/mcp`);
    const { call, sessions } = rig();
    await call(upstream, 'alice', toolCall('echo'));
    const lost = sessions.held.get('alice')?.sessionId;
    await fetch(`${legacy()}/control/drop-sessions`, { method: 'POST' });
    const before = (await stateOf(legacy())).calls.length;
    const outcome = await call(upstream, 'alice', toolCall('echo', { arguments: { text: 'again' } }));
    expect(outcome).toMatchObject({ ok: true, value: { content: [{ text: 'again' }] } });
    expect((await stateOf(legacy())).calls.length).toBe(before + 1);
    expect(await newSessions(opened)).toHaveLength(2);
    expect(sessions.held.get('alice')?.sessionId).not.toBe(lost);
  });

  it('is opened again at a server that answers 400 instead of 404', async () => {
    const upstream = httpUpstream(`${inject('everythingUrl')}/mcp`);
    const { call, sessions } = rig();
    await call(upstream, 'alice', toolCall('echo', { arguments: { message: 'one' } }));
    const session = sessions.held.get('alice');
    if (session === undefined) throw new Error('no session was kept');
    sessions.held.set('alice', { ...session, sessionId: crypto.randomUUID() });
    const outcome = await call(upstream, 'alice', toolCall('echo', { arguments: { message: 'two' } }));
    expect(outcome).toMatchObject({ ok: true, value: { content: [{ text: 'Echo: two' }] } });
  });
});

const LEGACY: Catalog = { fingerprint: 'c1', tools: [], era: 'legacy', capabilities: {}, at: 0 };

describe('an upstream on a bad day', () => {
  it.each([
    ['call-html', 'upstream_error', /text\/html/],
    ['call-close', 'upstream_unavailable', /closed/],
    ['call-mid-body', 'upstream_error', /middle of its answer/],
    ['call-mid-stream', 'upstream_error', /before it was complete|middle/],
    ['call-bad-json', 'upstream_error', /invalid JSON/],
    ['call-huge', 'upstream_error', /more than 8388608 bytes/],
    ['call-error', 'upstream_error', /HTTP 500/],
    ['call-unauthorized', 'upstream_error', /credentials/],
    ['html', 'upstream_error', /text\/html/],
    ['redirect', 'upstream_error', /redirect to http:\/\/127\.0\.0\.1:1\/elsewhere,/],
    ['bad-json', 'upstream_error', /invalid JSON/],
    ['close', 'upstream_unavailable', /closed/],
  ])('%s: %s', async (quirk, code, message) => {
    const before = await callsReceived(quirk);
    const outcome = await rig(LEGACY).call(misbehaving(quirk, { timeout: 2_000 }), 'alice', toolCall('noop'));
    if (outcome.ok) throw new Error('it answered');
    expect(outcome.error.code).toBe(code);
    expect(outcome.error.message).toMatch(message);
    expect(outcome.error.message).not.toContain('secret-in-location');
    expect(await callsReceived(quirk)).toBe(before + (quirk.startsWith('call-') ? 1 : 0));
  });

  it('hangs, and takes no longer than its timeout', async () => {
    const startedAt = Date.now();
    const outcome = await rig().call(misbehaving('call-hang', { timeout: 300 }), 'alice', toolCall('noop'));
    expect(outcome).toMatchObject({ ok: false, error: { code: 'upstream_timeout' } });
    expect(Date.now() - startedAt).toBeLessThan(2_000);
  });

  it('refuses connections', async () => {
    const outcome = await rig(LEGACY).call(httpUpstream('http://127.0.0.1:1/mcp'), 'alice', toolCall('noop'));
    expect(outcome).toMatchObject({ ok: false, error: { code: 'upstream_unavailable', stage: 'initialize' } });
  });

  it('repeats its credentials, which are masked', async () => {
    const upstream = misbehaving('leaks-credentials', { headers: { authorization: 'Bearer sk-very-secret' } });
    const outcome = await rig().call(upstream, 'alice', toolCall('noop'));
    if (outcome.ok) throw new Error('it answered');
    expect(outcome.error.message).toContain('***');
    expect(outcome.error.message).not.toContain('sk-very-secret');
  });

  it('answers a JSON-RPC error under an HTTP status of its own', async () => {
    const { call } = rig();
    for (const attempt of ['in a new session', 'in one kept']) {
      const outcome = await call(misbehaving('call-answers-400'), 'alice', toolCall('noop'));
      expect(outcome, attempt).toMatchObject({
        ok: false,
        error: { message: 'no such tool', answered: { code: -32602, data: { tool: 'noop' } } },
      });
    }
  });

  it('does not delay another', async () => {
    const hanging = rig().call(misbehaving('call-hang', { timeout: 1_500 }), 'alice', toolCall('noop'));
    const fine = rig().call(misbehaving('fine'), 'alice', toolCall('noop'));
    const first = await Promise.race([hanging.then(() => 'hanging'), fine.then(() => 'fine')]);
    expect(first).toBe('fine');
    expect([(await fine).ok, (await hanging).ok]).toEqual([true, false]);
  });
});
