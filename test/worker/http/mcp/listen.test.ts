import { describe, expect, it, vi } from 'vitest';
import { announceShutdown } from '../../../../src/mcp/shutdown.ts';
import { eventsOf, mcpApp, modern, nextMessage, rpc, tool, type McpApp, type McpAppOptions } from './mcp-app.ts';

// A feed looks every three seconds, more or less.
vi.setConfig({ testTimeout: 20_000 });

const ID = 'io.modelcontextprotocol/subscriptionId';
const TOOLS = 'notifications/tools/list_changed';
const UPDATED = 'notifications/resources/updated';
const resource = (uri: string) => ({ uri, name: uri });

function listen(app: McpApp, notifications: unknown, path = '/mcp', headers: Record<string, string> = {}) {
  return modern(app, 'subscriptions/listen', { notifications }, headers, path);
}

async function listening(options: McpAppOptions, notifications: unknown, path?: string) {
  const app = mcpApp(options);
  const response = await listen(app, notifications, path);
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
  const events = eventsOf(response);
  const acknowledged = await events.next();
  await scheduler.wait(20);
  return { app, events, acknowledged, next: () => nextMessage(events) };
}

const ONE = { catalogs: { s: { tools: [tool('a')] } } };

describe('a subscription', () => {
  it('is acknowledged first, with as much of it as there is', async () => {
    const wanted = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: false };
    const { acknowledged } = await listening(ONE, wanted);
    expect(acknowledged).toEqual({
      jsonrpc: '2.0',
      method: 'notifications/subscriptions/acknowledged',
      params: { notifications: { toolsListChanged: true }, _meta: { [ID]: 7 } },
    });
  });

  it('tells of each change under its own id, and of what was asked for only', async () => {
    const { app, next } = await listening(
      { catalogs: { s: { tools: [tool('a')], prompts: [{ name: 'p' }] } } },
      { toolsListChanged: true },
    );
    app.offer('s', { tools: [tool('a'), tool('b')], prompts: [] });
    const saidAt = Date.now();
    app.say('s', TOOLS);
    expect(await next()).toEqual({ jsonrpc: '2.0', method: TOOLS, params: { _meta: { [ID]: 7 } } });
    expect(Date.now() - saidAt).toBeLessThan(200);
    app.offer('s', { tools: [tool('a')], prompts: [{ name: 'q' }] });
    app.say('s', 'notifications/prompts/list_changed');
    app.say('s', TOOLS);
    expect(await next()).toMatchObject({ method: TOOLS });
  });

  it('that asks for nothing, or for nothing there is, ends at once', async () => {
    for (const wanted of [{}, { resourcesListChanged: true, resourceSubscriptions: ['r:none'] }]) {
      const { acknowledged, next, app } = await listening(ONE, wanted);
      expect(acknowledged).toMatchObject({ params: { notifications: {} } });
      expect(await next()).toMatchObject({
        id: 7,
        result: {
          resultType: 'complete',
          _meta: { [ID]: 7, 'io.modelcontextprotocol/serverInfo': { name: 'sallyport' } },
        },
      });
      expect(await next()).toBe('end');
      expect(app.listening.size).toBe(0);
    }
  });

  it.each([
    ['without a filter', undefined],
    ['with none', 'all'],
    ['with a flag that is none', { toolsListChanged: 'yes' }],
    ['with URIs that are none', { resourceSubscriptions: [1] }],
    ['with too many URIs', { resourceSubscriptions: Array.from({ length: 1_001 }, (_, index) => `r:${index}`) }],
  ])('%s is refused', async (_what, notifications) => {
    expect(await rpc(listen(mcpApp(ONE), notifications))).toMatchObject({ id: 7, error: { code: -32602 } });
  });

  it('shows signs of life', async () => {
    const { events } = await listening(ONE, { toolsListChanged: true });
    expect(await events.next()).toBe('comment');
  });
});

describe('one subscription for several servers', () => {
  const resources = {
    catalogs: {
      s: { resources: [resource('r:1'), resource('r:both')] },
      t: { resources: [resource('r:2'), resource('r:both')] },
      quiet: { resources: [resource('r:3')], capabilities: { resources: {} } },
    },
  };

  it('hears all of them, each for what it has', async () => {
    const wanted = ['r:1', 'r:2', 'r:3', 'r:both', 'mcp+t+r:both', 'r:none'];
    const { acknowledged, app, next } = await listening(resources, { resourceSubscriptions: wanted });
    // One that two servers claim leads to neither; one of a server that tells nothing is never told of.
    expect(acknowledged).toMatchObject({
      params: { notifications: { resourceSubscriptions: ['r:1', 'r:2', 'mcp+t+r:both'] } },
    });
    const heard = [...app.listening].map(([name, [heardThere]]) => [name, heardThere?.uris]);
    expect(heard).toEqual([
      ['s', ['r:1']],
      ['t', ['r:2', 'r:both']],
    ]);
    app.say('t', UPDATED, { uri: 'r:both' });
    expect(await next()).toEqual({
      jsonrpc: '2.0',
      method: UPDATED,
      params: { uri: 'mcp+t+r:both', _meta: { [ID]: 7 } },
    });
    app.say('s', UPDATED, { uri: 'r:2' });
    app.say('s', UPDATED, { uri: 'r:1' });
    expect(await next()).toMatchObject({ params: { uri: 'r:1' } });
  });

  it('does not reach what the key may not read', async () => {
    const { acknowledged, app } = await listening(
      { ...resources, grants: { s: ['r:1'] } },
      { resourceSubscriptions: ['r:1', 'r:2', 'r:both', 'mcp+t+r:2', 'mcp+s+r:both'] },
    );
    expect(acknowledged).toMatchObject({ params: { notifications: { resourceSubscriptions: ['r:1'] } } });
    expect([...app.listening.keys()]).toEqual(['s']);
  });

  it('is at the endpoint of one of them for that one, by its own names', async () => {
    const { acknowledged, app, next } = await listening(
      resources,
      { resourceSubscriptions: ['r:both', 'r:2'], resourcesListChanged: true },
      '/mcp/t',
    );
    expect(acknowledged).toMatchObject({
      params: { notifications: { resourcesListChanged: true, resourceSubscriptions: ['r:both', 'r:2'] } },
    });
    expect([...app.listening.keys()]).toEqual(['t']);
    app.say('t', UPDATED, { uri: 'r:both' });
    expect(await next()).toMatchObject({ params: { uri: 'r:both' } });
  });

  it('sees no more than the request asks to see', async () => {
    const app = mcpApp({ catalogs: { s: { tools: [tool('a')] }, t: { tools: [tool('b')] } } });
    const only = { 'x-sallyport-include-servers': 't' };
    const events = eventsOf(await listen(app, { toolsListChanged: true }, '/mcp', only));
    await events.next();
    await scheduler.wait(20);
    expect([...app.listening.keys()]).toEqual(['t']);
  });
});

describe('the end of a subscription', () => {
  it('comes with a result, within seconds, when the key is revoked', async () => {
    const { app, next } = await listening(ONE, { toolsListChanged: true });
    app.grant(null);
    expect(await next()).toMatchObject({ id: 7, result: { resultType: 'complete', _meta: { [ID]: 7 } } });
    expect(await next()).toBe('end');
    expect(app.listening.get('s')?.size).toBe(0);
  });

  it('does not come when grants change: the difference is told', async () => {
    const { app, next } = await listening(ONE, { toolsListChanged: true });
    app.grant({ s: ['other'] });
    expect(await next()).toMatchObject({ method: TOOLS });
  });

  it('comes when the endpoint is there no more', async () => {
    const { app, next } = await listening(ONE, { toolsListChanged: true }, '/mcp/s');
    app.grant({});
    expect(await next()).toMatchObject({ id: 7, result: { resultType: 'complete' } });
  });

  it('comes at once while the gateway is about to end', async () => {
    announceShutdown(Date.now());
    const { app, acknowledged, next } = await listening(ONE, { toolsListChanged: true });
    announceShutdown(-Infinity);
    expect(acknowledged).toMatchObject({ params: { notifications: { toolsListChanged: true } } });
    expect(await next()).toMatchObject({ id: 7, result: { resultType: 'complete' } });
    expect(await next()).toBe('end');
    expect(app.listening.size).toBe(0);
  });

  it('leaves nothing behind when the client hangs up', async () => {
    const { app, events } = await listening(ONE, { toolsListChanged: true });
    expect(app.listening.get('s')?.size).toBe(1);
    await events.cancel();
    expect(app.listening.get('s')?.size).toBe(0);
  });
});

describe('many subscriptions', () => {
  it('of one key are bounded, and those that ended make room', async () => {
    const app = mcpApp(ONE);
    const open = [];
    let refused: Response | undefined;
    while (refused === undefined) {
      const response = await listen(app, { toolsListChanged: true });
      if (response.status === 200) open.push(eventsOf(response));
      else refused = response;
    }
    expect(open).toHaveLength(1_024);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '10']);
    expect(await refused.json()).toMatchObject({ error: { message: expect.stringContaining('too many') } });
    await open.pop()?.cancel();
    expect((await listen(app, { toolsListChanged: true })).status).toBe(200);
    for (const events of open) await events.cancel();
  });
});
