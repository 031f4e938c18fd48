import { describe, expect, it } from 'vitest';
import { ok } from '../../../src/lib/result.ts';
import { NOW, scopeWith, type Answer, type RigOptions } from './rig.ts';
import { answeredError, answers, FILES, shared, TASKS_PEER, wire, wireScope } from './two-servers.ts';

const chatty =
  (result: object): Answer =>
  async ({ onNotification }) => {
    onNotification?.({ method: 'notifications/progress', params: { progress: 1, total: 2 } });
    onNotification?.({ method: 'notifications/message', params: { level: 'debug', data: 'small' } });
    onNotification?.({ method: 'notifications/message', params: { level: 'error', data: 'big', logger: 'db' } });
    onNotification?.({ method: 'notifications/odd' });
    return ok({ content: [], ...result });
  };

describe('a resource', () => {
  const contents = answers({
    contents: [
      { uri: 'note://1', text: 'one' },
      { uri: 'shared://x', text: 'x' },
    ],
    ttlMs: 7,
    cacheScope: 'public',
  });

  it('is read where its URI leads, and keeps the name it was asked by', async () => {
    const rig = shared({ answer: contents });
    expect(await rig.result('resources/read', { uri: 'mcp+notes+note://1' })).toEqual({
      resultType: 'complete',
      contents: [
        { uri: 'mcp+notes+note://1', text: 'one' },
        { uri: 'mcp+notes+shared://x', text: 'x' },
      ],
      ttlMs: 7,
      cacheScope: 'private',
      _meta: { 'io.modelcontextprotocol/serverInfo': expect.objectContaining({ title: 'Sallyport' }) },
    });
    expect(rig.sent).toMatchObject([
      { upstream: 'notes', request: { method: 'resources/read', params: { uri: 'note://1' } } },
    ]);
  });

  it('is on the record, and so is one that is refused', async () => {
    const rig = shared({ answer: contents });
    await rig.result('resources/read', { uri: 'note://1' });
    await rig.error('resources/read', { uri: 'shared://x' });
    expect(rig.events).toMatchObject([
      { kind: 'resource.read', outcome: 'ok', server: 'notes', subject: 'note://1', key_id: 'vk_1', upstream_ms: 0 },
      { kind: 'resource.read', outcome: 'error', reason: 'not_found', subject: 'shared://x' },
    ]);
    expect(rig.events[0]).not.toHaveProperty('tool');
  });

  it('that cannot be recorded is withheld', async () => {
    const rig = shared({ answer: contents, recordFails: true });
    expect(await rig.error('resources/read', { uri: 'note://1' })).toMatchObject({
      code: -32603,
      data: { code: 'audit_unavailable' },
    });
  });

  it.each([
    ['modern', -32602],
    ['legacy', -32002],
  ] as const)('that is not there is so to %s clients by code %s, whoever says it', async (era, code) => {
    const data = { uri: 'note://9' };
    for (const said of [answeredError(-32002), answeredError(-32602, { uri: 'wire' })]) {
      const rig = shared({ era, answer: said });
      expect(await rig.error('resources/read', { uri: 'note://9' })).toMatchObject({ code, data });
    }
    const rig = shared({ era, scope: scopeWith({ resources: { notes: [] } }) });
    expect(await rig.error('resources/read', { uri: 'note://9' })).toMatchObject({ code, data });
    expect(rig.sent).toEqual([]);
  });

  it('that is not granted is not read, though its server is asked for by name', async () => {
    const rig = wire({ scope: wireScope('notes', { resources: ['note://1'] }) });
    await rig.error('resources/read', { uri: 'note://2' });
    const narrow = scopeWith({ resources: { notes: ['note://1'], files: ['*'] } });
    const other = shared({ scope: narrow });
    await other.error('resources/read', { uri: 'mcp+notes+note://2' });
    expect([...rig.sent, ...other.sent]).toEqual([]);
    const denied = { outcome: 'denied', reason: 'resource_not_granted', server: 'notes', subject: 'note://2' };
    expect([...rig.events, ...other.events]).toMatchObject([denied, denied]);
  });

  it.each([
    ['a bad parameter', answeredError(-32602), -32602],
    ['its own error', answeredError(-1234, { a: 1 }), -1234],
  ])('whose server answers %s has the server speak', async (_case, answer, code) => {
    expect(await shared({ answer }).error('resources/read', { uri: 'note://1' })).toMatchObject({
      code,
      message: 'said no',
    });
  });

  it('of a server that is left alone says so, and when to come again', async () => {
    const rig = shared({ health: { state: 'failing', breaker: 'open', retryAt: NOW + 5_000 } });
    expect(await rig.error('resources/read', { uri: 'note://1' })).toMatchObject({
      code: -32603,
      message: expect.stringContaining('5 s'),
      data: { code: 'upstream_unavailable', retry_after_seconds: 5 },
    });
    expect(rig.sent).toEqual([]);
  });

  it('is subscribed to under its own URI and told of under the shown one', async () => {
    const calls: unknown[] = [];
    const session = {
      setLogLevel: async (level: string) => void calls.push(level),
      subscribe: async ({ name }: { name: string }, uri: string, shownUri: string) => {
        calls.push(['subscribe', name, uri, shownUri]);
        return ok(undefined);
      },
      unsubscribe: async ({ name }: { name: string }, uri: string) => void calls.push(['unsubscribe', name, uri]),
    };
    const rig = shared({ era: 'legacy', session });
    await rig.result('resources/subscribe', { uri: 'mcp+files+shared://x' });
    await rig.result('resources/unsubscribe', { uri: 'mcp+files+shared://x' });
    await rig.result('logging/setLevel', { level: 'warning' });
    expect(calls).toEqual([
      ['subscribe', 'files', 'shared://x', 'mcp+files+shared://x'],
      ['unsubscribe', 'files', 'shared://x'],
      'warning',
    ]);
    expect(await rig.error('resources/subscribe', { uri: 'shared://x' })).toMatchObject({ code: -32002 });
    expect(await rig.error('logging/setLevel', { level: 'loud' })).toMatchObject({ code: -32602 });
  });
});

describe('a prompt', () => {
  it('is got by its wire name, its resources shown by URIs that lead back', async () => {
    const messages = [
      { role: 'user', content: { type: 'resource', resource: { uri: 'shared://x', text: 'x' } } },
      { role: 'user', content: { type: 'text', text: 'hi' } },
    ];
    const rig = shared({ answer: answers({ messages, description: 'd', odd: true }) });
    expect(await rig.result('prompts/get', { name: 'notes__summarize', arguments: { id: '1' } })).toMatchObject({
      description: 'd',
      odd: true,
      messages: [{ content: { resource: { uri: 'mcp+notes+shared://x', text: 'x' } } }, messages[1]],
    });
    expect(rig.sent[0]?.request.params).toEqual({ name: 'summarize', arguments: { id: '1' } });
    expect(rig.events).toMatchObject([
      { kind: 'prompt.get', outcome: 'ok', server: 'notes', subject: 'summarize', arguments: '{"id":"1"}' },
    ]);
  });

  it.each(['summarize', 'files__summarize', 'notes__gone', '__', ''])('named %s is unknown', async (name) => {
    const rig = shared({ now: () => NOW + 60_000 });
    expect(await rig.error('prompts/get', { name })).toMatchObject({
      code: -32602,
      message: `Unknown prompt: ${name}`,
    });
    expect(rig.sent).toEqual([]);
  });

  it('that is not granted is unknown, and on the record as denied', async () => {
    const rig = shared({ scope: scopeWith({ prompts: { notes: ['other'] } }), now: () => NOW + 60_000 });
    expect(await rig.error('prompts/get', { name: 'notes__summarize' })).toMatchObject({ code: -32602 });
    const ref = { type: 'ref/prompt', name: 'notes__summarize' };
    expect(await rig.error('completion/complete', { ref })).toMatchObject({ code: -32602 });
    expect([rig.sent, rig.views.refreshed]).toEqual([[], []]);
    expect(rig.events).toMatchObject([
      { outcome: 'denied', reason: 'prompt_not_granted', server: 'notes', subject: 'summarize' },
    ]);
  });

  it('of a server that has not come up says so', async () => {
    const catalogs = { notes: undefined };
    const health = { state: 'failing' } as const;
    const oneDown = () => wire({ catalogs, health });
    for (const [rig, name] of [
      [shared({ catalogs, health }), 'notes__summarize'] as const,
      [oneDown(), 'summarize'] as const,
    ]) {
      expect(await rig.error('prompts/get', { name })).toMatchObject({ data: { code: 'upstream_unavailable' } });
      expect(await rig.result('prompts/list')).toMatchObject({ prompts: [] });
    }
    const uri = 'note://1';
    expect(await oneDown().error('resources/read', { uri })).toMatchObject({ data: { code: 'upstream_unavailable' } });
  });

  it('unknown here is asked for again before it is refused', async () => {
    const rig = shared({ now: () => NOW + 60_000 });
    await rig.error('prompts/get', { name: 'notes__gone' });
    expect(rig.views.refreshed).toEqual(['notes']);
  });
});

describe('a completion', () => {
  const completion = answers({ completion: { values: ['a'] } });

  it.each([
    [
      { type: 'ref/prompt', name: 'notes__summarize' },
      { type: 'ref/prompt', name: 'summarize' },
    ],
    [
      { type: 'ref/resource', uri: 'note://{id}' },
      { type: 'ref/resource', uri: 'note://{id}' },
    ],
    [
      { type: 'ref/resource', uri: 'mcp+notes+note://1' },
      { type: 'ref/resource', uri: 'note://1' },
    ],
  ])('of %j is asked of its server', async (ref, own) => {
    const rig = shared({ answer: completion });
    const argument = { name: 'id', value: 'a' };
    expect(await rig.result('completion/complete', { ref, argument })).toMatchObject({ completion: { values: ['a'] } });
    expect(rig.sent).toMatchObject([{ upstream: 'notes', request: { params: { ref: own, argument } } }]);
    expect(rig.events).toEqual([]);
  });

  it('of what is not there is refused; of a server without completions it is empty', async () => {
    const rig = shared({ answer: completion });
    expect(await rig.error('completion/complete', { ref: { type: 'ref/prompt', name: 'gone' } })).toMatchObject({
      code: -32602,
    });
    expect(await rig.error('completion/complete', { ref: { type: 'ref/resource', uri: 'shared://x' } })).toMatchObject({
      code: -32602,
    });
    const empty = await rig.result('completion/complete', {
      ref: { type: 'ref/resource', uri: 'mcp+files+shared://x' },
    });
    expect(empty).toMatchObject({ completion: { values: [] } });
    expect(rig.sent).toEqual([]);
  });
});

describe('an extension', () => {
  it('is relayed as it is on the endpoint of its server', async () => {
    const rig = wire({ answer: answers({ odd: 1, taskId: 't' }) });
    expect(await rig.result('example.org/do', { a: 1, _meta: { progressToken: 1, mine: 2 } })).toMatchObject({
      odd: 1,
      taskId: 't',
    });
    expect(rig.sent).toMatchObject([{ request: { method: 'example.org/do', params: { a: 1, _meta: { mine: 2 } } } }]);
    expect(rig.events).toMatchObject([{ kind: 'extension.call', server: 'notes', subject: 'example.org/do' }]);
  });

  it.each<[string, Partial<RigOptions>]>([
    ['where several servers are', {}],
    ['for a key that may not use all', { scope: wireScope('notes', { tools: ['search'] }) }],
    ['for a request that wants some tools only', { scope: wireScope('notes'), narrowing: { tools: ['search'] } }],
    ['of a server that declares none', { catalogs: { files: FILES }, scope: wireScope('files') }],
  ])('is unknown %s', async (_case, options) => {
    const rig = shared(options);
    expect(await rig.error('example.org/do', {})).toMatchObject({ code: -32601 });
    expect(rig.sent).toEqual([]);
  });

  it('of tasks finds the server by the id of the task', async () => {
    const made = shared({ answer: answers({ resultType: 'task', taskId: 't__1', status: 'working' }) });
    const created = await made.result('tools/call', { name: 'notes__search' });
    expect(created).toMatchObject({ resultType: 'task', taskId: 'notes__t__1' });
    const result = { content: [{ type: 'resource_link', uri: 'shared://x' }] };
    const rig = shared({ answer: answers({ taskId: 't__1', status: 'completed', result }), peer: TASKS_PEER });
    expect(await rig.result('tasks/get', { taskId: created['taskId'] })).toMatchObject({
      taskId: 'notes__t__1',
      result: { content: [{ uri: 'mcp+notes+shared://x' }] },
    });
    expect(rig.sent).toMatchObject([
      { upstream: 'notes', request: { method: 'tasks/get', params: { taskId: 't__1' } } },
    ]);
  });

  it.each(['t', 'files__t', 'gone__t', ''])('of tasks does not know the task %s', async (taskId) => {
    const rig = shared({ peer: TASKS_PEER });
    expect(await rig.error('tasks/get', { taskId })).toMatchObject({ code: -32602 });
    expect(await rig.error('tasks/list', {})).toMatchObject({ code: -32601 });
    expect(rig.sent).toEqual([]);
  });
});

describe('what passes while a request runs', () => {
  it('is progress under the client’s own token, and log messages as severe as it wants', async () => {
    const rig = shared({ answer: chatty({}), peer: { logLevel: 'warning' } });
    const _meta = { progressToken: 'mine', 'io.modelcontextprotocol/logLevel': 'warning', traceparent: '00-1' };
    await rig.result('tools/call', { name: 'notes__search', _meta });
    expect(rig.told).toEqual([
      { method: 'notifications/progress', params: { progress: 1, total: 2, progressToken: 'mine' } },
      { method: 'notifications/message', params: { level: 'error', data: 'big', logger: 'notes/db' } },
      { method: 'notifications/odd' },
    ]);
    const { request } = rig.sent[0] ?? {};
    expect(request).toMatchObject({ wantsProgress: true, logLevel: 'warning' });
    expect(request?.params).toEqual({ name: 'search', _meta: { traceparent: '00-1' } });
  });

  it('is not progress nor a log message where none was asked for', async () => {
    const rig = wire({ answer: chatty({}) });
    await rig.result('tools/call', { name: 'search' });
    expect(rig.told).toEqual([{ method: 'notifications/odd' }]);
    expect(rig.sent[0]?.request).toMatchObject({ wantsProgress: false, params: { name: 'search' } });
    expect(rig.sent[0]?.request.params).not.toHaveProperty('arguments');
  });
});
