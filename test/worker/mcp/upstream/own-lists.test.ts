// Servers whose lists change within one session: what one client sees of them is its own.
import { expect, it, vi } from 'vitest';
import type { Catalog, UpstreamViews } from '../../../../src/mcp/ports.ts';
import type { Upstream } from '../../../../src/policy/snapshot.ts';
import { FACE, rig } from './rig.ts';
import { catalog, request, ScriptedServer, sessionRig, Stream, UPSTREAM } from './session-rig.ts';
import type { Sent } from './session-rig.ts';

const tool = (name: string) => ({ name, inputSchema: { type: 'object' as const } });
const SHARED = catalog({ tools: [tool('work')], capabilities: { tools: { listChanged: true } } });
let fingerprints = 0;

/** A call of `work` gives the session a tool more. */
function growing(): ScriptedServer {
  const grown = new Map<string, number>();
  const server = new ScriptedServer(({ headers, body: { method, id } }: Sent) => {
    const session = headers.get('mcp-session-id') ?? '';
    if (method === 'tools/list') {
      const tools = [
        tool('work'),
        ...Array.from({ length: grown.get(session) ?? 0 }, (_, index) => tool(`more${index}`)),
      ];
      return Response.json({ jsonrpc: '2.0', id, result: { tools } });
    }
    if (method !== 'tools/call') return undefined;
    grown.set(session, (grown.get(session) ?? 0) + 1);
    const stream = new Stream();
    stream
      .send({ method: 'notifications/tools/list_changed' })
      .send({ id, result: { content: [] } })
      .end();
    return stream.response;
  });
  server.capabilities = { tools: { listChanged: true } };
  return server;
}

function fresh(more: Partial<Upstream> = {}): typeof UPSTREAM {
  fingerprints += 1;
  return { ...UPSTREAM, ...(more as Partial<typeof UPSTREAM>), fingerprint: `own${fingerprints}` };
}

async function shown(views: UpstreamViews, upstream: Upstream): Promise<string[] | undefined> {
  const view = await views.view(upstream, 2_000);
  return view.catalog?.tools.map(({ name }) => name);
}

it('a legacy client sees its own, another what all see', async () => {
  const server = growing();
  const upstream = fresh();
  const mine = sessionRig(server, { catalog: SHARED });
  const theirs = sessionRig(server, { catalog: SHARED });
  await theirs.links.request(upstream, request({ method: 'prompts/get', params: { name: 'p' } }));
  expect(await shown(mine.links.views, upstream)).toEqual(['work']);
  await mine.links.request(upstream, request());
  expect(await shown(mine.links.views, upstream)).toEqual(['work', 'more0']);
  await mine.links.request(upstream, request());
  expect(await shown(mine.links.views, upstream)).toEqual(['work', 'more0', 'more1']);
  expect(await shown(theirs.links.views, upstream)).toEqual(['work']);
});

it('is listed once for each change, and not while nothing changes', async () => {
  const server = growing();
  const upstream = fresh();
  const { links } = sessionRig(server, { catalog: SHARED });
  await links.request(upstream, request());
  const first = await links.views.view(upstream, 2_000);
  const second = await links.views.view(upstream, 2_000);
  expect(second.catalog).toBe(first.catalog);
  expect(server.of('tools/list')).toHaveLength(1);
});

it('is listed again after a restart, in the session kept', async () => {
  const server = growing();
  const upstream = fresh();
  const before = sessionRig(server, { catalog: SHARED });
  await before.links.request(upstream, request());
  const after = sessionRig(server, { catalog: SHARED, held: before.held });
  expect(await shown(after.links.views, upstream)).toEqual(['work', 'more0']);
  expect(server.of('initialize')).toHaveLength(1);
});

it("a client of 2026-07-28 sees the principal's own, from memory while nothing changes", async () => {
  const server = growing();
  const upstream = fresh();
  const { links } = rig(SHARED, server);
  expect(await shown(links('alice', FACE).views, upstream)).toEqual(['work']);
  await links('alice', FACE).request(upstream, request());
  for (let count = 0; count < 3; count++) {
    expect(await shown(links('alice', FACE).views, upstream)).toEqual(['work', 'more0']);
  }
  expect(await shown(links('bob', FACE).views, upstream)).toEqual(['work']);
  expect(server.of('tools/list')).toHaveLength(1);
});

it('a listener of 2026-07-28 looks after the change, not before it', async () => {
  const server = growing();
  const upstream = fresh();
  const { links } = rig(SHARED, server);
  const seen: unknown[] = [];
  const own = links('alice', FACE);
  const listener = own.listen(upstream, {
    uris: [],
    onNotification: async ({ method }) => seen.push([method, await shown(own.views, upstream)]),
  });
  await vi.waitFor(() => expect(server.sent.some(({ method }) => method === 'GET')).toBe(true));
  await links('alice', FACE).request(upstream, request());
  await vi.waitFor(() => expect(seen).toEqual([['notifications/tools/list_changed', ['work', 'more0']]]));
  listener.close();
});

it.each([{ trust: 'pinned' }, { scan: 'block' }] as const)(
  'brings nothing that waits for approval or may be withheld: %j',
  async (guarded) => {
    const server = growing();
    const upstream = fresh(guarded);
    const shared: Catalog = { ...SHARED, tools: [tool('work'), tool('gone')] };
    const { links } = sessionRig(server, { catalog: shared });
    await links.request(upstream, request());
    expect(await shown(links.views, upstream)).toEqual(['work']);
  },
);

it('serves what was known while the server cannot be asked', async () => {
  const server = growing();
  const upstream = fresh();
  let down = false;
  const reach = {
    endpoint: () => {
      const { url, fetch: send } = server.endpoint();
      return {
        url,
        fetch: (async (...call) =>
          down ? Promise.reject(new Error('Network connection lost.')) : send(...call)) as typeof fetch,
      };
    },
  };
  const { links } = sessionRig(reach, { catalog: SHARED });
  await links.request(upstream, request());
  expect(await shown(links.views, upstream)).toEqual(['work', 'more0']);
  down = true;
  const refreshed = await links.views.refresh(upstream, 2_000);
  expect(refreshed.catalog?.tools).toHaveLength(2);
});
