import { describe, expect, it, vi } from 'vitest';
import type { Catalog } from '../../../src/mcp/ports.ts';
import { visibleDigests } from '../../../src/mcp/visible-digests.ts';
import { catalogOf, scopeWith, viewsOf } from './rig.ts';

const tool = (name: string, description = '') => ({ name, description, inputSchema: { type: 'object' as const } });
const BASE = {
  tools: [tool('read'), tool('write')],
  resources: [{ uri: 'x://1', name: '1' }],
  resourceTemplates: [{ uriTemplate: 'x://{id}', name: 't' }],
  prompts: [{ name: 'greet' }],
};
const GRANTS = { tools: { s: ['read'] }, resources: { s: ['x://*'] }, prompts: { s: ['*'] } };
const scope = scopeWith(GRANTS);
const digests = (catalog: Catalog | undefined, seen = scope) => visibleDigests(seen, viewsOf({ s: catalog }));

describe('what a key sees', () => {
  it.each<[string, Partial<Catalog>, readonly string[]]>([
    ['nothing changed but the time', { at: 1 }, []],
    ['a tool that is not granted changed', { tools: [tool('read'), tool('write', 'new')] }, []],
    ['a tool changed', { tools: [tool('read', 'new'), tool('write')] }, ['tools']],
    ['a tool is gone', { tools: [tool('write')] }, ['tools']],
    ['a resource came that is not granted', { resources: [...BASE.resources, { uri: 'y://1', name: '1' }] }, []],
    ['a resource came', { resources: [...BASE.resources, { uri: 'x://2', name: '2' }] }, ['resources']],
    ['a template is gone', { resourceTemplates: [] }, ['resources']],
    ['a prompt came', { prompts: [...BASE.prompts, { name: 'bye' }] }, ['prompts']],
  ])('where %s', async (_case, change, kinds) => {
    const before = await digests(catalogOf(BASE));
    const after = await digests(catalogOf({ ...BASE, ...change }));
    const differing = (['tools', 'resources', 'prompts'] as const).filter((kind) => before[kind] !== after[kind]);
    expect(differing).toEqual(kinds);
  });

  it('depends on its grants', async () => {
    const catalog = catalogOf(BASE);
    const wider = scopeWith({ tools: { s: ['*'] }, resources: { s: ['x://*'] }, prompts: { s: ['*'] } });
    expect((await digests(catalog, wider)).tools).not.toBe((await digests(catalog)).tools);
    const narrower = {
      ...wider,
      grants: new Map(Array.from(wider.grants, ([name, grant]) => [name, { ...grant, shownTools: ['s__read'] }])),
    };
    expect((await digests(catalog, narrower)).tools).toBe((await digests(catalog)).tools);
  });

  it('is the same whether a server shows nothing or is not there', async () => {
    const empty = scopeWith({ tools: { s: ['nothing'] } });
    expect(await digests(catalogOf(BASE), empty)).toEqual(await digests(undefined, empty));
  });

  it('is not worked out again while nothing changes', async () => {
    const views = viewsOf({ s: catalogOf(BASE) });
    const first = await visibleDigests(scope, views);
    const digest = vi.spyOn(crypto.subtle, 'digest');
    expect(await visibleDigests(scopeWith(GRANTS), views)).toEqual(first);
    expect(digest).not.toHaveBeenCalled();
    digest.mockRestore();
  });
});

describe('a server that does not tell of changes', () => {
  it('is listed again behind whoever looks', async () => {
    const silent = viewsOf({ s: catalogOf({ ...BASE, capabilities: { tools: {}, prompts: { listChanged: true } } }) });
    await visibleDigests(scope, silent);
    expect(silent.relisted).toEqual(['s']);
    const telling = viewsOf({ s: catalogOf(BASE) });
    await visibleDigests(scope, telling);
    expect(telling.relisted).toEqual([]);
  });
});
