import { describe, expect, it } from 'vitest';
import { at } from '../../../src/lib/json-value.ts';
import { err, ok } from '../../../src/lib/result.ts';
import type { RequestStates } from '../../../src/mcp/client-request.ts';
import type { UpstreamCallFailure } from '../../../src/mcp/ports.ts';
import { failure } from '../../../src/policy/failure.ts';
import { catalogOf, methodsRig, NOW, scopeWith, type Answer, type RigOptions } from './rig.ts';

const tool = (name: string) => ({ name, inputSchema: { type: 'object' as const } });
const text = (value: string) => ({ content: [{ type: 'text', text: value }] });
const oneTool = (more: Partial<RigOptions> = {}) =>
  methodsRig({
    catalogs: { s: catalogOf({ tools: [tool('a')] }) },
    answer: async ({ params }, upstream) => ok(text(`${upstream} did ${String(params?.['name'])}`)),
    ...more,
  });
const failing =
  (code: 'upstream_timeout' | 'upstream_error', more: Partial<UpstreamCallFailure> = {}): Answer =>
  async () =>
    err({ ...failure(code, 'It broke.'), stage: 'call', ...more });

describe('the audit event of a call', () => {
  it('says who called what, how it went and what it took', async () => {
    const rig = oneTool({ answer: async () => ok(text('é')) });
    const _meta = { 'claudecode/toolUseId': 'toolu_1', progressToken: 1 };
    await rig.result('tools/call', { name: 's__a', arguments: { b: 1, a: 2 }, _meta });
    expect(rig.events).toEqual([
      {
        id: expect.stringMatching(/^evt_/),
        at: NOW,
        kind: 'tool.call',
        outcome: 'ok',
        request_id: 'req_1',
        key_id: 'vk_1',
        key_name: 'test',
        team: 'eng',
        principal: 'virtual_key:vk_1',
        server: 's',
        tool: 'a',
        latency_ms: 0,
        upstream_ms: 0,
        request_bytes: 100,
        response_bytes: new TextEncoder().encode(JSON.stringify(text('é'))).byteLength,
        tool_use_id: 'toolu_1',
        // sha256 of {"a":2,"b":1}
        args_sha256: 'd3626ac30a87e6f7a6428233b3c68299976865fa5508e4267c5415c76af7a772',
        arguments: '{"b":1,"a":2}',
        result: JSON.stringify(text('é')),
      },
    ]);
  });

  it('keeps absent arguments absent, and what else the caller says', async () => {
    const rig = oneTool();
    await rig.result('tools/call', { name: 's__a' });
    await rig.result('tools/call', { name: 's__a', arguments: {}, task: { ttl: 1 } });
    expect(rig.sent.map(({ request }) => request.params)).toEqual([
      { name: 'a' },
      { name: 'a', arguments: {}, task: { ttl: 1 } },
    ]);
  });

  it.each([
    ['a denied tool', 's__denied', { outcome: 'denied', reason: 'tool_not_granted', server: 's', tool: 'denied' }],
    ['a denied server', 't__a', { outcome: 'denied', reason: 'upstream_not_granted', server: 't', tool: 'a' }],
    ['a tool that does not exist', 's__a2', { outcome: 'error', reason: 'not_found', server: 's', tool: 'a2' }],
  ])('tells of %s', async (_what, name, event) => {
    const catalog = catalogOf({ tools: [tool('a'), tool('denied')] });
    const rig = oneTool({ catalogs: { s: catalog, t: catalog }, scope: scopeWith({ tools: { s: ['a*'] } }) });
    expect(await rig.error('tools/call', { name })).toEqual({ code: -32602, message: `Unknown tool: ${name}` });
    expect(rig.events).toHaveLength(1);
    expect(rig.events[0]).toMatchObject(event);
    expect(rig.sent).toEqual([]);
  });

  it('tells an error of the tool from one of the upstream', async () => {
    const rig = oneTool({
      catalogs: { s: catalogOf({ tools: [tool('a')] }), t: catalogOf({ tools: [tool('a')] }) },
      answer: async (request, upstream) =>
        upstream === 's' ? ok({ ...text('no'), isError: true }) : failing('upstream_timeout')(request, upstream),
    });
    await rig.result('tools/call', { name: 's__a' });
    await rig.result('tools/call', { name: 't__a' });
    expect(rig.events.map(({ outcome, reason }) => [outcome, reason])).toEqual([
      ['error', 'tool_error'],
      ['error', 'upstream_timeout'],
    ]);
  });

  it('is the end of the call: what cannot be recorded is withheld', async () => {
    const rig = oneTool({ recordFails: true });
    const result = await rig.result('tools/call', { name: 's__a' });
    expect(result).toMatchObject({ isError: true, _meta: { 'sallyport/error': { code: 'audit_unavailable' } } });
    expect(JSON.stringify(result)).not.toContain('s did a');
    expect(rig.sent).toHaveLength(1);
  });
});

const open = (retryAt: number) => oneTool({ health: { breaker: 'open', state: 'failing', retryAt } });

describe('an upstream that fails', () => {
  it.each(['upstream_timeout', 'upstream_error'] as const)('%s is a result a model can read', async (code) => {
    const rig = oneTool({ answer: failing(code), era: 'legacy' });
    expect(await rig.result('tools/call', { name: 's__a' })).toEqual({
      content: [{ type: 'text', text: 'It broke.' }],
      isError: true,
      _meta: { 'sallyport/error': { code } },
    });
    expect(rig.views.reports).toEqual([{ ok: false, stage: 'call', message: 'It broke.' }]);
  });

  it('is not tried while its breaker is open, and again when that lets it', async () => {
    const left = open(NOW + 20_000);
    expect(await left.result('tools/call', { name: 's__a' })).toMatchObject({
      isError: true,
      _meta: { 'sallyport/error': { code: 'upstream_unavailable', retry_after_seconds: 20 } },
    });
    expect([left.sent, left.views.reports]).toEqual([[], []]);
    const tried = open(NOW - 1);
    expect(await tried.result('tools/call', { name: 's__a' })).toMatchObject(text('s did a'));
    expect(tried.views.reports).toEqual([{ ok: true, latencyMs: 0 }]);
  });

  it.each([
    ['failing', 'has not come up yet'],
    ['needs_auth', 'authorize'],
  ] as const)('and is %s says so', async (state, words) => {
    const rig = oneTool({ catalogs: { s: undefined }, health: { state } });
    expect(JSON.stringify(await rig.result('tools/call', { name: 's__a' }))).toContain(words);
    expect(rig.sent).toEqual([]);
  });

  it('is tried where nothing is known of it', async () => {
    const rig = oneTool({ catalogs: { s: undefined }, health: { state: 'unknown' } });
    expect(await rig.result('tools/call', { name: 's__a' })).toMatchObject(text('s did a'));
  });

  it('answers with a protocol error, which is relayed and no sign of ill health', async () => {
    const answered = { code: -32050, data: { hint: 'tomorrow' } };
    const rig = oneTool({ answer: failing('upstream_error', { answered }) });
    expect(await rig.error('tools/call', { name: 's__a' })).toEqual({ ...answered, message: 'It broke.' });
    expect(rig.views.reports).toMatchObject([{ ok: true }]);
    expect(rig.events[0]).toMatchObject({ outcome: 'error', reason: 'upstream_error' });
  });

  it('complains of the hop to it, which is no concern of the client', async () => {
    const rig = oneTool({ answer: failing('upstream_error', { answered: { code: -32020 } }) });
    expect(await rig.result('tools/call', { name: 's__a' })).toMatchObject({ isError: true });
  });

  it('answers with what is no result of a tool', async () => {
    const rig = oneTool({ answer: async () => ok({ contents: [] }) });
    expect(await rig.result('tools/call', { name: 's__a' })).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining('"content" must be an array') }],
    });
    expect(rig.views.reports.at(-1)).toMatchObject({ ok: false });
  });

  it('breaks the gateway itself, which is recorded and told without detail', async () => {
    const rig = oneTool({
      answer: () => {
        throw new TypeError('secret detail');
      },
    });
    const result = await rig.result('tools/call', { name: 's__a' });
    expect(result).toMatchObject({ isError: true, _meta: { 'sallyport/error': { code: 'internal_error' } } });
    expect(JSON.stringify(result)).not.toContain('secret detail');
    expect(rig.events[0]).toMatchObject({ outcome: 'error', reason: 'internal_error' });
  });

  it('while its client is leaving is no sign of ill health', async () => {
    const rig = oneTool({ answer: failing('upstream_error') });
    const request = { ...rig.request, signal: AbortSignal.abort() };
    await request.toolInvoker.invoke(request.caller, { upstream: 's', tool: 'a', signal: request.signal });
    expect(rig.events[0]).toMatchObject({ outcome: 'cancelled', reason: 'client_cancelled' });
    expect(rig.views.reports).toEqual([]);
  });
});

describe('a tool the catalog does not know', () => {
  it('is asked for again, unless the catalog is new', async () => {
    const old = oneTool({ now: () => NOW + 60_000 });
    await old.error('tools/call', { name: 's__new' });
    expect(old.views.refreshed).toEqual(['s']);
    const fresh = oneTool();
    await fresh.error('tools/call', { name: 's__new' });
    expect(fresh.views.refreshed).toEqual([]);
  });

  it('is not asked for where policy refuses it anyway', async () => {
    const rig = oneTool({ now: () => NOW + 60_000, scope: scopeWith({ tools: { s: ['a'] } }) });
    await rig.error('tools/call', { name: 's__new' });
    expect(rig.views.refreshed).toEqual([]);
  });
});

/** What is sealed can be read, so that a test sees what it is bound to. */
const states: RequestStates = {
  seal: async (state, binding) => JSON.stringify([state, binding]),
  open: async (sealed, binding) => {
    try {
      const [state, bound] = JSON.parse(sealed);
      return JSON.stringify(bound) === JSON.stringify(binding) ? { state } : undefined;
    } catch {
      return undefined;
    }
  },
};

const asking: Answer = async ({ params: sent }) =>
  sent?.['inputResponses'] === undefined
    ? ok({ resultType: 'input_required', inputRequests: { who: { method: 'roots/list' } }, requestState: 'own' })
    : ok({ content: [], contents: [], messages: [] });
const catalogs = {
  s: catalogOf({ tools: [tool('a')], prompts: [{ name: 'p' }], resources: [{ uri: 'x://1', name: '1' }] }),
  t: catalogOf({ tools: [tool('a')], prompts: [{ name: 'p' }], resources: [{ uri: 'y://1', name: '1' }] }),
};
const rigFor = () => methodsRig({ catalogs, answer: asking, requestStates: states });

describe.each([
  ['tools/call', { name: 's__a', arguments: { x: 1 } }, 'tool.call'],
  ['prompts/get', { name: 's__p', arguments: { x: '1' } }, 'prompt.get'],
  ['resources/read', { uri: 'x://1' }, 'resource.read'],
])('input that is asked for by %s', (method, params, kind) => {
  it('takes rounds, each with the upstream’s own state and an event', async () => {
    const rig = rigFor();
    const asked = await rig.result(method, { ...params, _meta: { traceparent: 'first' } });
    expect(asked).toMatchObject({ resultType: 'input_required', inputRequests: { who: { method: 'roots/list' } } });
    const requestState = String(asked['requestState']);
    expect(JSON.parse(requestState)).toEqual([
      'own',
      { principal: 'vk_1', method, upstream: 's', digest: expect.stringMatching(/^[0-9a-f]{64}$/) },
    ]);
    const inputResponses = { who: { roots: [] } };
    const again = { ...params, inputResponses, requestState, _meta: { traceparent: 'second' } };
    expect(await rig.result(method, again)).toMatchObject({ resultType: 'complete' });
    expect(rig.sent[1]?.request.params).toMatchObject({ inputResponses, requestState: 'own' });
    expect(rig.events.map(({ kind: of, outcome, reason }) => [of, outcome, reason])).toEqual([
      [kind, 'ok', 'input_required'],
      [kind, 'ok', undefined],
    ]);
  });

  it.each<[string, (state: string) => Record<string, unknown>]>([
    ['forged', () => ({ requestState: 'forged' })],
    ['no text', () => ({ requestState: { a: 1 } })],
    ['of other parameters', (requestState) => ({ requestState, arguments: { x: 2 }, uri: 'mcp+s+x://2' })],
    [
      'of another server',
      (requestState) => ({ requestState, name: String(at(params, 'name')).replace('s__', 't__'), uri: 'y://1' }),
    ],
  ])('is refused with a state that is %s, and nothing is sent', async (_case, change) => {
    const rig = rigFor();
    const asked = await rig.result(method, params);
    const again = { ...params, inputResponses: {}, ...change(String(asked['requestState'])) };
    expect(await rig.error(method, again)).toMatchObject({
      code: -32602,
      message: expect.stringContaining('requestState'),
    });
    expect(rig.sent).toHaveLength(1);
    expect(rig.events[1]).toMatchObject({ kind, outcome: 'denied', reason: 'invalid_request_state' });
  });

  it('does not reach an upstream through a client that cannot be asked so', async () => {
    const rig = methodsRig({ catalogs, era: 'legacy' });
    await rig.serve(method, { ...params, inputResponses: {}, requestState: 'x' });
    expect(rig.sent[0]?.request.params).not.toHaveProperty('inputResponses');
    expect(rig.sent[0]?.request.params).not.toHaveProperty('requestState');
  });
});

describe('a result', () => {
  const link = { type: 'resource_link', uri: 'x://1', name: 'x' };
  const embedded = { type: 'resource', resource: { uri: 'x://1', text: 'x' } };
  const catalog = catalogOf({ tools: [tool('a')], resources: [{ uri: 'x://1', name: '1' }] });
  const answer: Answer = async () =>
    ok({
      resultType: 'complete',
      content: [link, embedded],
      odd: true,
      _meta: { mine: 1, 'io.modelcontextprotocol/serverInfo': { name: 'own' } },
    });

  it('has its resources under URIs that lead back, and the gateway’s name on it', async () => {
    const rig = methodsRig({ catalogs: { s: catalog, t: catalog }, answer });
    expect(await rig.result('tools/call', { name: 's__a' })).toEqual({
      resultType: 'complete',
      odd: true,
      content: [
        { ...link, uri: 'mcp+s+x://1' },
        { type: 'resource', resource: { uri: 'mcp+s+x://1', text: 'x' } },
      ],
      _meta: { mine: 1, 'io.modelcontextprotocol/serverInfo': expect.objectContaining({ title: 'Sallyport' }) },
    });
  });

  it('of one server passes as it is', async () => {
    const rig = methodsRig({ catalogs: { s: catalog }, scope: scopeWith({ tools: { s: ['*'] } }, 'wire'), answer });
    const own = await answer({} as never, 's');
    expect(await rig.result('tools/call', { name: 'a' })).toEqual(own.ok && own.value);
  });

  it('that is no object is one for a legacy client', async () => {
    const listed = catalogOf({ tools: [{ ...tool('a'), outputSchema: { type: 'array' } } as never] });
    const rig = methodsRig({
      catalogs: { s: listed },
      era: 'legacy',
      answer: async () => ok({ content: [], structuredContent: [1] }),
    });
    expect(await rig.result('tools/call', { name: 's__a' })).toEqual({
      content: [{ type: 'text', text: '[1]' }],
      structuredContent: { result: [1] },
    });
    expect(await rig.result('tools/list')).toMatchObject({
      tools: [{ outputSchema: { type: 'object', required: ['result'] } }],
    });
  });
});
