import { describe, expect, it } from 'vitest';
import { ok } from '../../../src/lib/result.ts';
import { mcpApp, text, tool } from '../http/mcp/mcp-app.ts';
import { callWith, modernClient } from './clients.ts';

const WHOLE = {
  title: 'Search',
  description: 'Searches code',
  inputSchema: { type: 'object' as const, properties: { q: { type: 'string' } }, required: ['q'] },
  outputSchema: { type: 'object' as const, properties: { hits: { type: 'number' } } },
  annotations: { readOnlyHint: true },
  icons: [{ src: 'data:image/png;base64,aGk=' }],
  _meta: { 'example.com/rank': 1 },
};

describe('the official client of 2026-07-28', () => {
  it('lists the tools of all servers in one order, each definition whole', async () => {
    const gateway = mcpApp({
      catalogs: {
        b: { tools: [tool('z'), tool('a')] },
        'a-b': { tools: [tool('search', WHOLE)] },
        a: { tools: [tool('x.y')] },
      },
    });
    const client = await modernClient(gateway.fetch);
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
    const gateway = mcpApp({ catalogs: { s: { tools: [tool('a.b'), tool('plain')] } } });
    const client = await modernClient(gateway.fetch);
    const { tools } = await client.listTools();
    const mended = tools.find(({ name }) => name.startsWith('s__a_b'))?.name ?? '';
    expect(await client.callTool({ name: mended })).toMatchObject(text('s did a.b'));
    expect(await client.callTool({ name: 's__plain' })).toMatchObject(text('s did plain'));
    await client.close();

    const alone = await modernClient(gateway.fetch, '/mcp/s');
    expect((await alone.listTools()).tools.map(({ name }) => name)).toEqual(['a.b', 'plain']);
    expect(await alone.callTool({ name: 'a.b' })).toMatchObject(text('s did a.b'));
    await alone.close();
  });

  it('sees and calls only what the key may', async () => {
    const gateway = mcpApp({
      catalogs: { s: { tools: [tool('get_a'), tool('get_b'), tool('delete')] }, other: { tools: [tool('x')] } },
      grants: { s: ['get_*'] },
    });
    const client = await modernClient(gateway.fetch);
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['s__get_a', 's__get_b']);
    const refusals = await Promise.all(
      ['s__delete', 's__no_such', 'other__x', 'no-such__x', 'unqualified'].map((name) =>
        client.callTool({ name }).catch((error: unknown) => String(error).replaceAll(name, 'NAME')),
      ),
    );
    expect(new Set(refusals).size).toBe(1);
    expect(refusals[0]).toContain('Unknown tool: NAME');
    expect(gateway.sent).toEqual([]);
    await client.close();
  });

  it('sees nothing with a key without grants', async () => {
    const gateway = mcpApp({ catalogs: { s: { tools: [tool('a')] } }, grants: {} });
    const client = await modernClient(gateway.fetch);
    expect((await client.listTools()).tools).toEqual([]);
    await expect(client.callTool({ name: 's__a' })).rejects.toThrow('Unknown tool');
    await client.close();
  });

  it('reaches a tool group it holds, and nothing outside it', async () => {
    const gateway = mcpApp({
      catalogs: { s: { tools: [tool('read'), tool('write')] }, t: { tools: [tool('x')] } },
      groups: { 'read-only': { s: ['read'] } },
    });
    const client = await modernClient(gateway.fetch, '/mcp/read-only');
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['s__read']);
    expect(await client.callTool({ name: 's__read' })).toMatchObject(text('s did read'));
    await expect(client.callTool({ name: 's__write' })).rejects.toThrow('Unknown tool');
    await expect(client.callTool({ name: 't__x' })).rejects.toThrow('Unknown tool');
    await client.close();
  });

  it('is given instructions that name the servers, and a capability for tools alone', async () => {
    const gateway = mcpApp({ catalogs: { s: { tools: [], instructions: 'Ask </server> twice.' }, t: {} } });
    const client = await modernClient(gateway.fetch);
    expect(client.getInstructions()).toContain('The servers are: s, t.');
    expect(client.getInstructions()).toContain('<server name="s">\nAsk ‹/server> twice.\n</server>');
    expect(client.getServerCapabilities()).toEqual({ tools: { listChanged: true } });
    expect(client.getServerVersion()?.name).toBe('sallyport');
    await client.close();
  });

  it('follows pages to the last tool', async () => {
    const many = Array.from({ length: 2500 }, (_, index) => tool(`t${index}`));
    const gateway = mcpApp({ catalogs: { s: { tools: many } } });
    const client = await modernClient(gateway.fetch);
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
    const gateway = mcpApp({ catalogs: { s: { tools: [tool('a')] } }, answer: async () => ok(result) });
    const client = await modernClient(gateway.fetch);
    expect(await client.callTool({ name: 's__a' })).toMatchObject(result);
    await client.close();
  });

  it('relays progress while the call runs', async () => {
    const gateway = mcpApp({
      catalogs: { s: { tools: [tool('slow')] } },
      answer: async ({ onNotification }) => {
        for (const progress of [1, 2, 3]) {
          const params = { progress, total: 3, message: `step ${progress}` };
          onNotification?.({ method: 'notifications/progress', params });
        }
        return ok(text('done'));
      },
    });
    const client = await modernClient(gateway.fetch);
    const seen: unknown[] = [];
    const result = await callWith(client, 's__slow', { onprogress: (progress) => void seen.push(progress) });
    expect(result).toMatchObject(text('done'));
    expect(seen).toEqual([1, 2, 3].map((progress) => ({ progress, total: 3, message: `step ${progress}` })));
    await client.close();
  });

  it('is asked in the midst of a call, and its answer reaches the server', async () => {
    const requestedSchema = { type: 'object' as const, properties: { name: { type: 'string' as const } } };
    const gateway = mcpApp({
      catalogs: { s: { tools: [tool('a')] } },
      answer: async ({ params }) => {
        const { inputResponses, requestState } = params ?? {};
        if (requestState === 'first round') return ok(text(JSON.stringify(inputResponses)));
        const who = { method: 'elicitation/create', params: { mode: 'form', message: 'Who?', requestedSchema } };
        return ok({ resultType: 'input_required', inputRequests: { who }, requestState: 'first round' });
      },
    });
    const client = await modernClient(gateway.fetch, '/mcp', { elicitation: {} });
    client.setRequestHandler('elicitation/create', async () => ({ action: 'accept', content: { name: 'Ada' } }));
    const told = JSON.stringify({ who: { action: 'accept', content: { name: 'Ada' } } });
    expect(await client.callTool({ name: 's__a' })).toMatchObject(text(told));
    expect(gateway.sent).toHaveLength(2);
    await client.close();
  });

  it('listens, and hears that a list changed', async () => {
    const gateway = mcpApp({ catalogs: { s: { tools: [tool('a')] } } });
    const client = await modernClient(gateway.fetch);
    const changed = Promise.withResolvers<void>();
    client.setNotificationHandler('notifications/tools/list_changed', () => changed.resolve());
    const subscription = await client.listen({ toolsListChanged: true });
    await scheduler.wait(20);
    gateway.offer('s', { tools: [tool('a'), tool('b')] });
    gateway.say('s', 'notifications/tools/list_changed');
    await changed.promise;
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['s__a', 's__b']);
    await subscription.close();
    await client.close();
  });
});
