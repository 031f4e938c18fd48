import { afterEach, describe, expect, it } from 'vitest';
import { startChangeFeed, type ChangeFeed, type ChangeFeedOptions } from '../../../src/mcp/change-feed.ts';
import type { Listening, UpstreamLinks } from '../../../src/mcp/links.ts';
import type { Catalog, UpstreamViews } from '../../../src/mcp/ports.ts';
import type { Spoken } from '../../../src/mcp/protocol/message.ts';
import type { Scope } from '../../../src/mcp/scope.ts';
import { announceShutdown } from '../../../src/mcp/shutdown.ts';
import type { Upstream } from '../../../src/policy/snapshot.ts';

const TICK_MS = 60;
const ALL = { tools: true, prompts: true, resources: true };
const TOOLS = 'notifications/tools/list_changed';
const PROMPTS = 'notifications/prompts/list_changed';
const RESOURCES = 'notifications/resources/list_changed';
const UPDATED = 'notifications/resources/updated';

const upstreamOf = (name: string, fingerprint = name): Upstream => ({
  name,
  type: 'http',
  url: `http://${name}.test/mcp`,
  fingerprint,
});

interface Lists {
  readonly tools?: readonly string[];
  readonly prompts?: readonly string[];
  readonly resources?: readonly string[];
}

function catalogOf({ tools = [], prompts = [], resources = [] }: Lists): Catalog {
  return {
    fingerprint: crypto.randomUUID(),
    tools: tools.map((name) => ({ name, inputSchema: { type: 'object' } })),
    prompts: prompts.map((name) => ({ name })),
    resources: resources.map((uri) => ({ uri, name: uri })),
    era: 'modern',
    capabilities: { tools: {}, prompts: {}, resources: {} },
    at: 0,
  };
}

function scopeOf(names: readonly string[], tools = ['*']): Scope {
  const grant = (name: string) => ({
    upstream: upstreamOf(name),
    tools: [tools],
    resources: [['*']],
    prompts: [['*']],
  });
  return { naming: 'qualified', grants: new Map(names.map((name) => [name, grant(name)])) };
}

/** Upstreams that say what the test has them say, and offer what it has them offer. */
class World {
  scope: Scope | undefined;
  readonly catalogs = new Map<string, Catalog>();
  /** What the upstreams offer, and a listing would find. */
  readonly offered = new Map<string, Lists>();
  readonly listening = new Map<string, Listening>();
  readonly closed: string[] = [];
  readonly resubscribed: [string, readonly string[]][] = [];
  readonly told: Spoken[] = [];
  readonly refreshes: number[] = [];
  readonly feeds: ChangeFeed[] = [];
  ended = 0;
  refreshMs = 0;
  refusal: Awaited<ReturnType<ChangeFeed['resubscribe']>>;

  constructor(names: readonly string[], lists: Lists = { tools: ['a'] }) {
    this.scope = scopeOf(names);
    for (const name of names) this.offer(name, lists, { found: true });
  }

  offer(name: string, lists: Lists, { found = false } = {}): void {
    this.offered.set(name, lists);
    if (found) this.catalogs.set(name, catalogOf(lists));
  }

  say(name: string, method: string, params?: Spoken['params']): void {
    this.listening.get(name)?.onNotification({ method, ...(params !== undefined && { params }) });
  }

  methods(): string[] {
    return this.told.map(({ method }) => method);
  }

  async start(options: Partial<ChangeFeedOptions> = {}): Promise<ChangeFeed> {
    const feed = startChangeFeed({
      resolveScope: async () => this.scope,
      views: this.#views(),
      links: this.#links(),
      filter: ALL,
      emit: (notification) => this.told.push(notification),
      now: () => Date.now(),
      tickMs: TICK_MS,
      onEnd: () => this.ended++,
      ...options,
    });
    this.feeds.push(feed);
    await scheduler.wait(20);
    return feed;
  }

  #views(): UpstreamViews {
    const view = async ({ name }: Upstream) => {
      const catalog = this.catalogs.get(name);
      return { health: { state: 'healthy' }, ...(catalog !== undefined && { catalog }) };
    };
    return {
      view,
      relist() {},
      report() {},
      refresh: async (upstream: Upstream) => {
        this.refreshes.push(Date.now());
        const found = this.offered.get(upstream.name);
        if (this.refreshMs > 0) await scheduler.wait(this.refreshMs);
        if (found !== undefined) this.catalogs.set(upstream.name, catalogOf(found));
        return view(upstream);
      },
    } as unknown as UpstreamViews;
  }

  #links(): UpstreamLinks {
    return {
      request: () => Promise.reject(new Error('a feed makes no requests')),
      listen: ({ name }, listening) => {
        this.listening.set(name, listening);
        return {
          resubscribe: async (uris) => {
            this.resubscribed.push([name, uris]);
            return this.refusal;
          },
          close: () => {
            this.closed.push(name);
            if (this.listening.get(name) === listening) this.listening.delete(name);
          },
        };
      },
    };
  }
}

const worlds: World[] = [];
function world(...args: ConstructorParameters<typeof World>): World {
  const made = new World(...args);
  worlds.push(made);
  return made;
}
afterEach(() => {
  for (const { feeds } of worlds.splice(0)) for (const feed of feeds) feed.close();
});

const someTicks = () => scheduler.wait(TICK_MS * 3);

describe('what a client is told', () => {
  it('is that a list changed, tens of milliseconds after the upstream said so', async () => {
    const { listening, ...rest } = world(['s', 't']);
    const w = worlds.at(-1) ?? world([]);
    await w.start({ tickMs: 60_000 });
    expect([...listening.keys()], JSON.stringify(rest.told)).toEqual(['s', 't']);
    w.offer('s', { tools: ['a', 'b'] });
    w.say('s', TOOLS);
    await scheduler.wait(30);
    expect(w.told).toEqual([{ method: TOOLS }]);
  });

  it('is nothing where the list this key sees did not change', async () => {
    const w = world(['s']);
    w.scope = scopeOf(['s'], ['a']);
    await w.start();
    w.offer('s', { tools: ['a', 'hidden'] });
    w.say('s', TOOLS);
    await someTicks();
    expect(w.refreshes).toHaveLength(1);
    expect(w.told).toEqual([]);
  });

  it('is each list that changed, whichever the upstream named, and only those wanted', async () => {
    const w = world(['s']);
    await w.start({ filter: { ...ALL, resources: false }, tickMs: 60_000 });
    w.offer('s', { tools: ['b'], prompts: ['p'], resources: ['r:1'] });
    w.say('s', RESOURCES);
    await scheduler.wait(30);
    expect(w.refreshes).toEqual([]);
    w.say('s', PROMPTS);
    await scheduler.wait(30);
    expect(w.methods().toSorted()).toEqual([PROMPTS, TOOLS]);
  });

  it.each([
    ['what a probe found', (w: World) => w.offer('s', { tools: ['b'] }, { found: true })],
    ['a grant that was changed', (w: World) => (w.scope = scopeOf(['s'], ['none']))],
    ['a server that was added', (w: World) => (w.scope = scopeOf(['s', 't']))],
  ])('is %s, within a tick', async (_what, change) => {
    const w = world(['s', 't']);
    w.scope = scopeOf(['s']);
    await w.start();
    await someTicks();
    expect(w.told).toEqual([]);
    change(w);
    await someTicks();
    expect(w.told).toEqual([{ method: TOOLS }]);
  });

  it('is no change that it never saw the state before of', async () => {
    const w = world(['s']);
    w.catalogs.clear();
    await w.start();
    expect(w.told).toEqual([]);
    w.offer('s', { tools: ['a'] }, { found: true });
    await someTicks();
    expect(w.told).toEqual([{ method: TOOLS }]);
  });
});

describe('who is heard', () => {
  it('is the upstreams of the scope, as they come, go and change', async () => {
    const w = world(['s', 't']);
    await w.start();
    w.scope = scopeOf(['t']);
    await someTicks();
    expect([w.closed, [...w.listening.keys()]]).toEqual([['s'], ['t']]);
    const before = w.listening.get('t');
    const grant = { tools: [['*']], resources: [['*']], prompts: [['*']] };
    w.scope = { naming: 'qualified', grants: new Map([['t', { ...grant, upstream: upstreamOf('t', 'changed') }]]) };
    await someTicks();
    expect(w.listening.get('t')).not.toBe(before);
    // The words of a line that was closed count no more.
    w.offer('t', { tools: ['new'] });
    before?.onNotification({ method: TOOLS });
    await scheduler.wait(30);
    expect(w.refreshes).toEqual([]);
  });

  it('is nobody where nothing is wanted of them', async () => {
    const w = world(['s', 't']);
    const none = { tools: false, prompts: false, resources: false };
    await w.start({ filter: none, uris: new Map([['t', new Map([['r:1', 'r:1']])]]) });
    expect([...w.listening.keys()]).toEqual(['t']);
    expect(w.listening.get('t')?.uris).toEqual(['r:1']);
  });

  it('is nobody after the end, which comes once, within a tick, when nothing may be seen', async () => {
    const w = world(['s', 't']);
    await w.start();
    w.scope = undefined;
    await someTicks();
    expect([w.ended, w.closed.toSorted(), w.told]).toEqual([1, ['s', 't'], []]);
    await someTicks();
    expect(w.ended).toBe(1);
  });

  it('is nobody when the configuration cannot be read: it ends', async () => {
    const w = world(['s']);
    let readable = true;
    await w.start({ resolveScope: async () => (readable ? w.scope : Promise.reject(new Error('unreadable'))) });
    readable = false;
    await someTicks();
    expect([w.ended, w.closed]).toEqual([1, ['s']]);
  });

  it('is nobody when the gateway is about to end, long before the next look', async () => {
    const w = world(['s']);
    let clock = 1_000_000;
    await w.start({ now: () => clock, tickMs: 300 });
    announceShutdown(clock);
    await scheduler.wait(150);
    expect([w.ended, w.closed]).toEqual([1, ['s']]);
    // One that did not come about is forgotten.
    clock += 60_000;
    await w.start({ now: () => clock });
    expect(w.ended).toBe(1);
    announceShutdown(-Infinity);
  });

  it('is nobody after it was closed', async () => {
    const w = world(['s']);
    const feed = await w.start();
    const heard = w.listening.get('s');
    w.offer('s', { tools: ['b'] });
    heard?.onNotification({ method: TOOLS });
    feed.close();
    heard?.onNotification({ method: TOOLS });
    await someTicks();
    expect([w.ended, w.told, w.closed]).toEqual([0, [], ['s']]);
  });
});

describe('resources', () => {
  const uris = new Map([['s', new Map([['file:///a', 'mcp+s+file:///a']])]]);

  it('are told of under the names the client knows, parts of them too, and no others', async () => {
    const w = world(['s', 't']);
    await w.start({ uris });
    w.say('s', UPDATED, { uri: 'file:///a', _meta: { kept: true } });
    w.say('s', UPDATED, { uri: 'file:///a/part' });
    w.say('s', UPDATED, { uri: 'file:///b' });
    w.say('s', UPDATED, { uri: 7 });
    w.say('s', UPDATED);
    w.say('t', UPDATED, { uri: 'file:///a' });
    expect(w.told).toEqual([
      { method: UPDATED, params: { uri: 'mcp+s+file:///a', _meta: { kept: true } } },
      { method: UPDATED, params: { uri: 'mcp+s+file:///a/part' } },
    ]);
  });

  it('can be exchanged while it runs, and what the upstream refuses is said', async () => {
    const w = world(['s', 't']);
    const feed = await w.start({ uris });
    expect(await feed.resubscribe(new Map([['t', new Map([['r:2', 'r:2']])]]))).toBeUndefined();
    expect(w.resubscribed).toEqual([
      ['s', []],
      ['t', ['r:2']],
    ]);
    w.say('s', UPDATED, { uri: 'file:///a' });
    w.say('t', UPDATED, { uri: 'r:2' });
    expect(w.told).toEqual([{ method: UPDATED, params: { uri: 'r:2' } }]);
    w.refusal = { code: 'upstream_error', message: 'no such resource', stage: 'call' };
    expect(await feed.resubscribe(uris)).toBe(w.refusal);
  });
});

describe('storms', () => {
  it('of an upstream lead to few listings, and the last word is heard', async () => {
    const w = world(['s']);
    await w.start({ tickMs: 60_000 });
    const until = Date.now() + 900;
    for (let count = 0; Date.now() < until; count++) {
      w.offer('s', { tools: [`version-${count}`] });
      for (let said = 0; said < 20; said++) w.say('s', TOOLS);
      await scheduler.wait(5);
    }
    w.offer('s', { tools: ['the last'] });
    w.say('s', TOOLS);
    await scheduler.wait(400);
    expect(w.refreshes.length).toBeGreaterThan(2);
    expect(w.refreshes.length).toBeLessThan(8);
    expect(w.told.length).toBeLessThanOrEqual(w.refreshes.length);
    expect(w.catalogs.get('s')?.tools.map(({ name }) => name)).toEqual(['the last']);
    expect(w.told.at(-1)).toEqual({ method: TOOLS });
  });

  it('during a listing lead to one more, which sees what that one missed', async () => {
    const w = world(['s']);
    w.refreshMs = 50;
    await w.start({ tickMs: 60_000 });
    w.offer('s', { tools: ['b'] });
    w.say('s', TOOLS);
    await scheduler.wait(20);
    w.offer('s', { tools: ['b', 'c'] });
    w.say('s', TOOLS);
    await scheduler.wait(600);
    expect(w.refreshes).toHaveLength(2);
    expect(w.told).toHaveLength(2);
  });

  it('of updates are told once per resource and moment', async () => {
    const w = world(['s']);
    await w.start({ uris: new Map([['s', new Map([['r:', 'r:']])]]), tickMs: 60_000 });
    for (let count = 0; count < 10_000; count++) w.say('s', UPDATED, { uri: `r:${count % 3}` });
    await scheduler.wait(250);
    expect(w.told).toHaveLength(6);
  });
});

describe('of a legacy client', () => {
  it('logs and the ends of questions are passed on, with the upstream they are of', async () => {
    const w = world(['s']);
    const logged: [Spoken, string][] = [];
    await w.start({
      log: (notification, upstream) => logged.push([notification, upstream]),
      ask: async () => ({ result: {} }),
    });
    w.say('s', 'notifications/message', { level: 'info', data: 'x' });
    w.say('s', 'notifications/elicitation/complete', { elicitationId: 'e' });
    expect(logged).toEqual([[{ method: 'notifications/message', params: { level: 'info', data: 'x' } }, 's']]);
    expect(w.told).toEqual([{ method: 'notifications/elicitation/complete', params: { elicitationId: 'e' } }]);
    expect(w.listening.get('s')?.ask).toBeTypeOf('function');
  });

  it('only: a client of 2026-07-28 hears nothing it did not ask for', async () => {
    const w = world(['s']);
    await w.start();
    w.say('s', 'notifications/message', { level: 'info', data: 'x' });
    w.say('s', 'notifications/elicitation/complete', { elicitationId: 'e' });
    expect(w.told).toEqual([]);
  });
});
