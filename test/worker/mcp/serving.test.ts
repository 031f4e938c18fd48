import { describe, expect, it } from 'vitest';
import { ok } from '../../../src/lib/result.ts';
import { callWith, CLIENTS } from './clients.ts';
import { fakeGateway, text, tool } from './fake-gateway.ts';

const WHOLE = {
  title: 'Search',
  description: 'Searches code',
  inputSchema: { type: 'object' as const, properties: { q: { type: 'string' } }, required: ['q'] },
  outputSchema: { type: 'object' as const, properties: { hits: { type: 'number' } } },
  annotations: { readOnlyHint: true },
  icons: [{ src: 'data:image/png;base64,aGk=' }],
  _meta: { 'example.com/rank': 1 },
};

describe.each(CLIENTS)('a client of %s', (_line, connect) => {
  it('lists the tools of all servers in one order, each definition whole', async () => {
    const gateway = fakeGateway({
      upstreams: {
        b: { tools: [tool('z'), tool('a')], viewDelay: 1 },
        'a-b': { tools: [tool('search', WHOLE)], viewDelay: 20 },
        a: { tools: [tool('x.y')] },
      },
    });
    const client = await connect(gateway.fetch);
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual([
      'a-b__search',
      expect.stringMatching(/^a__x_y--[0-9a-z]{8}$/),
      'b__a',
      'b__z',
    ]);
    expect(tools[0]).toEqual({ ...WHOLE, name: 'a-b__search' });
    await client.close();
  });

  it('calls by the name shown, and by the wire name at the endpoint of one server', async () => {
    const gateway = fakeGateway({ upstreams: { s: { tools: [tool('a.b'), tool('plain')] } } });
    const client = await connect(gateway.fetch);
    const { tools } = await client.listTools();
    const mended = tools.find(({ name }) => name.startsWith('s__a_b'))?.name ?? '';
    expect(await client.callTool({ name: mended })).toMatchObject(text('s did a.b'));
    expect(await client.callTool({ name: 's__plain' })).toMatchObject(text('s did plain'));
    await client.close();

    const alone = await connect(gateway.fetch, '/mcp/s');
    expect((await alone.listTools()).tools.map(({ name }) => name)).toEqual(['a.b', 'plain']);
    expect(await alone.callTool({ name: 'a.b' })).toMatchObject(text('s did a.b'));
    await alone.close();
  });

  it('sees and calls only what the key may', async () => {
    const gateway = fakeGateway({
      upstreams: { s: { tools: [tool('get_a'), tool('get_b'), tool('delete')] }, other: { tools: [tool('x')] } },
      grants: { s: ['get_*'] },
    });
    const client = await connect(gateway.fetch);
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['s__get_a', 's__get_b']);
    const refusals = await Promise.all(
      ['s__delete', 's__no_such', 'other__x', 'no-such__x', 'unqualified'].map((name) =>
        client.callTool({ name }).catch((error: unknown) => String(error).replaceAll(name, 'NAME')),
      ),
    );
    expect(new Set(refusals).size).toBe(1);
    expect(refusals[0]).toContain('Unknown tool: NAME');
    expect(gateway.calls).toEqual([]);
    await client.close();
  });

  it('sees nothing with a key without grants', async () => {
    const gateway = fakeGateway({ upstreams: { s: { tools: [tool('a')] } }, grants: {} });
    const client = await connect(gateway.fetch);
    expect((await client.listTools()).tools).toEqual([]);
    await expect(client.callTool({ name: 's__a' })).rejects.toThrow('Unknown tool');
    await client.close();
  });

  it('reaches a tool group it holds, and nothing outside it', async () => {
    const gateway = fakeGateway({
      upstreams: { s: { tools: [tool('read'), tool('write')] }, t: { tools: [tool('x')] } },
      groups: { 'read-only': { s: ['read'] } },
      heldGroups: ['read-only'],
    });
    const client = await connect(gateway.fetch, '/mcp/read-only');
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['s__read']);
    expect(await client.callTool({ name: 's__read' })).toMatchObject(text('s did read'));
    await expect(client.callTool({ name: 's__write' })).rejects.toThrow('Unknown tool');
    await expect(client.callTool({ name: 't__x' })).rejects.toThrow('Unknown tool');
    await client.close();
  });

  it('is given instructions that name the servers, and a capability for tools alone', async () => {
    const gateway = fakeGateway({ upstreams: { s: { tools: [], instructions: 'Ask </server> twice.' }, t: {} } });
    const client = await connect(gateway.fetch);
    expect(client.getInstructions()).toContain('The servers are: s, t.');
    expect(client.getInstructions()).toContain('<server name="s">\nAsk ‹/server> twice.\n</server>');
    expect(client.getServerCapabilities()).toEqual({ tools: {} });
    expect(client.getServerVersion()?.name).toBe('sallyport');
    await client.close();
  });

  it('follows pages to the last tool', async () => {
    const many = Array.from({ length: 2500 }, (_, index) => tool(`t${index}`));
    const gateway = fakeGateway({ upstreams: { s: { tools: many } } });
    const client = await connect(gateway.fetch);
    const names: string[] = [];
    let cursor: string | undefined;
    do {
      const page: { tools: { name: string }[]; nextCursor?: string | undefined } = await client.listTools(
        cursor === undefined ? undefined : { cursor },
      );
      names.push(...page.tools.map(({ name }) => name));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    expect(names).toHaveLength(2500);
    expect(new Set(names).size).toBe(2500);
    await expect(client.listTools({ cursor: 'made-up' })).rejects.toThrow('Invalid cursor');
    await client.close();
  });

  it('gets the result whole', async () => {
    const result = {
      content: [
        { type: 'text' as const, text: 'one', annotations: { priority: 0.5 } },
        { type: 'image' as const, data: 'aGk=', mimeType: 'image/png' },
        { type: 'audio' as const, data: 'aGk=', mimeType: 'audio/wav' },
        { type: 'resource_link' as const, uri: 'file:///a', name: 'a' },
        { type: 'resource' as const, resource: { uri: 'file:///b', text: 'b' }, _meta: { deep: true } },
      ],
      structuredContent: { sum: 3 },
      isError: true,
      _meta: { 'example.com/trace': 'kept' },
    };
    const gateway = fakeGateway({ upstreams: { s: { tools: [tool('a')], call: async () => ok(result) } } });
    const client = await connect(gateway.fetch);
    expect(await client.callTool({ name: 's__a' })).toMatchObject(result);
    await client.close();
  });

  it('relays progress while the call runs', async () => {
    const gateway = fakeGateway({
      upstreams: {
        s: {
          tools: [tool('slow')],
          call: async ({ onProgress }) => {
            for (const progress of [1, 2, 3]) onProgress?.({ progress, total: 3, message: `step ${progress}` });
            return ok(text('done'));
          },
        },
      },
    });
    const client = await connect(gateway.fetch);
    const seen: unknown[] = [];
    const result = await callWith(client, 's__slow', { onprogress: (progress) => void seen.push(progress) });
    expect(result).toMatchObject(text('done'));
    expect(seen).toEqual([1, 2, 3].map((progress) => ({ progress, total: 3, message: `step ${progress}` })));
    await client.close();
  });
});
