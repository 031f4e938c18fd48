import { describe, expect, it } from 'vitest';
import type { Catalog } from '../../../src/mcp/ports.ts';
import { catalogOf, methodsRig, scopeWith } from './rig.ts';
import { FILES, NOTES, shared, tool, wire, wireScope } from './two-servers.ts';

const app = (own: string) =>
  catalogOf({
    tools: [tool('show', { _meta: { ui: { resourceUri: own, csp: {} }, 'ui/resourceUri': own } })],
    resources: [{ uri: own, name: 'app' }],
  });

describe('an introduction', () => {
  it('of one server is that of the server, as far as the key is granted it', async () => {
    expect(await wire({ era: 'legacy' }).result('initialize')).toEqual({
      protocolVersion: '2025-11-25',
      capabilities: {
        tools: { listChanged: true },
        resources: { subscribe: true, listChanged: true },
        prompts: { listChanged: true },
        completions: {},
        logging: {},
        extensions: { 'io.modelcontextprotocol/tasks': {}, 'example.org/own': {} },
        experimental: { odd: {} },
      },
      serverInfo: NOTES.serverInfo,
      instructions: 'Search before you add.',
    });
    const narrow = wire({ scope: wireScope('notes', { tools: ['search'], resources: [], prompts: [] }) });
    expect(await narrow.result('server/discover')).toEqual({
      resultType: 'complete',
      supportedVersions: ['2026-07-28'],
      capabilities: {
        tools: { listChanged: true },
        logging: {},
        extensions: { 'io.modelcontextprotocol/tasks': {} },
        experimental: { odd: {} },
      },
      instructions: 'Search before you add.',
      ttlMs: expect.any(Number),
      cacheScope: 'private',
      _meta: { 'io.modelcontextprotocol/serverInfo': NOTES.serverInfo },
    });
  });

  it('of several is that of the gateway, with what any of them can do', async () => {
    const result = await shared({ era: 'legacy' }).result('initialize');
    expect(result).toMatchObject({
      capabilities: {
        tools: { listChanged: true },
        resources: { subscribe: true, listChanged: true },
        prompts: { listChanged: true },
        completions: {},
        logging: {},
        extensions: { 'io.modelcontextprotocol/tasks': {} },
      },
      serverInfo: { title: 'Sallyport' },
      instructions: expect.stringContaining('Search before you add.'),
    });
    expect(result['capabilities']).not.toHaveProperty('experimental');
    expect(result['capabilities']).not.toHaveProperty(['extensions', 'example.org/own']);
  });

  it('of none at all is that of a gateway with no tools', async () => {
    const rig = methodsRig({ catalogs: {}, era: 'legacy' });
    expect(await rig.result('initialize')).toMatchObject({ capabilities: { tools: { listChanged: true } } });
  });

  it('of a server that never came up offers its tools', async () => {
    const rig = methodsRig({ catalogs: { gone: undefined }, scope: wireScope('gone') });
    expect((await rig.result('server/discover'))['capabilities']).toEqual({ tools: { listChanged: true } });
  });
});

describe('methods', () => {
  it.each([
    ['modern', 'ping'],
    ['modern', 'initialize'],
    ['modern', 'logging/setLevel'],
    ['modern', 'resources/subscribe'],
    ['modern', 'resources/unsubscribe'],
    ['legacy', 'server/discover'],
    ['legacy', 'subscriptions/listen'],
    ['legacy', 'sampling/createMessage'],
    ['modern', 'roots/list'],
  ] as const)('of the %s era do not hold %s', async (era, method) => {
    for (const rig of [wire({ era }), shared({ era })]) {
      expect(await rig.error(method, { uri: 'note://1', level: 'info' })).toMatchObject({ code: -32601 });
      expect(rig.sent).toEqual([]);
    }
  });

  it('that a server does not have are not there on its endpoint', async () => {
    const rig = methodsRig({ catalogs: { files: FILES }, scope: wireScope('files'), era: 'legacy' });
    for (const method of ['prompts/list', 'prompts/get', 'completion/complete', 'logging/setLevel']) {
      expect(await rig.error(method)).toMatchObject({ code: -32601 });
    }
    expect(await rig.result('resources/list')).toMatchObject({ resources: [{ uri: 'shared://x' }] });
    expect(await shared({ catalogs: { files: FILES } }).result('prompts/list')).toMatchObject({ prompts: [] });
  });

  it.each(['tools/list', 'tools/call', 'prompts/get', 'resources/read', 'completion/complete'])(
    '%s refuse parameters of the wrong kind',
    async (method) => {
      for (const params of [{}, { name: 1, uri: 1, ref: 1, cursor: 1 }, { name: 'a', uri: 'b', _meta: 'c', ref: {} }]) {
        const rig = shared();
        const answer = await rig.serve(method, params);
        if (method === 'tools/list' && Object.keys(params).length === 0) continue;
        expect(answer).toMatchObject({ error: { code: -32602 } });
        expect(rig.sent).toEqual([]);
      }
    },
  );
});

describe('lists', () => {
  it('are those of all servers, qualified, in one order', async () => {
    const rig = shared();
    const tools = await rig.result('tools/list');
    expect(tools).toMatchObject({
      resultType: 'complete',
      ttlMs: expect.any(Number),
      cacheScope: 'private',
      _meta: { 'io.modelcontextprotocol/serverInfo': { title: 'Sallyport' } },
      tools: [{ name: 'files__read' }, { name: 'notes__add' }, { name: 'notes__search' }],
    });
    expect(await rig.result('prompts/list')).toMatchObject({
      prompts: [{ name: 'notes__summarize', arguments: [{ name: 'id' }] }],
    });
    // Two servers list it, and a template of one claims what the other lists not at all.
    expect(await rig.result('resources/list')).toMatchObject({
      resources: [{ uri: 'mcp+files+shared://x' }, { uri: 'mcp+notes+shared://x' }, { uri: 'note://1' }],
    });
    expect(await rig.result('resources/templates/list')).toMatchObject({
      resourceTemplates: [{ uriTemplate: 'note://{id}' }],
    });
  });

  it('have no hints and marks of 2026-07-28 for a legacy client', async () => {
    expect(Object.keys(await shared({ era: 'legacy' }).result('tools/list'))).toEqual(['tools']);
  });

  it('hold what is granted alone', async () => {
    const scope = scopeWith({
      tools: { notes: ['s*'] },
      resources: { notes: ['note://*'], files: [] },
      prompts: { notes: [] },
    });
    const rig = shared({ scope });
    expect(await rig.result('tools/list')).toMatchObject({ tools: [{ name: 'notes__search' }] });
    expect(await rig.result('resources/list')).toMatchObject({ resources: [{ uri: 'note://1' }] });
    expect(await rig.result('prompts/list')).toMatchObject({ prompts: [] });
  });

  it('come in pages that lose nothing and repeat nothing', async () => {
    const many = Array.from({ length: 2_345 }, (_, index) => ({ uri: `x://${index}`, name: String(index) }));
    const rig = methodsRig({ catalogs: { s: catalogOf({ resources: many }) } });
    const seen: string[] = [];
    let cursor: unknown;
    do {
      const page = await rig.result('resources/list', cursor === undefined ? {} : { cursor });
      seen.push(...(page['resources'] as { uri: string }[]).map(({ uri }) => uri));
      cursor = page['nextCursor'];
    } while (cursor !== undefined);
    expect(seen).toHaveLength(many.length);
    expect(new Set(seen).size).toBe(many.length);
    expect(await rig.error('resources/list', { cursor: 'made up' })).toMatchObject({ code: -32602 });
  });

  it('name the resource of an app by a URI under which it can be read', async () => {
    const rig = methodsRig({ catalogs: { a: app('ui://app'), b: app('ui://app'), c: app('ui://only') } });
    const { tools } = (await rig.result('tools/list')) as { tools: { _meta: { ui: { resourceUri: string } } }[] };
    expect(tools.map(({ _meta }) => _meta.ui.resourceUri)).toEqual(['ui://mcp+a+app', 'ui://mcp+b+app', 'ui://only']);
    expect(tools[0]).toMatchObject({ _meta: { ui: { csp: {} }, 'ui/resourceUri': 'ui://mcp+a+app' } });
    await rig.result('resources/read', { uri: 'ui://mcp+b+app' });
    expect(rig.sent).toMatchObject([{ upstream: 'b', request: { params: { uri: 'ui://app' } } }]);
  });
});

describe('a catalog that may be old', () => {
  it('answers, and is renewed behind the answer', async () => {
    const silent: Catalog = { ...NOTES, capabilities: { tools: {}, resources: { listChanged: true } } };
    const rig = methodsRig({ catalogs: { silent } });
    await rig.result('tools/list');
    expect(rig.views.relisted).toEqual(['silent']);
    await rig.result('resources/list');
    expect(rig.views.relisted).toEqual(['silent']);
  });
});
