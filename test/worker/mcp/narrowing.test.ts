import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { resourcesInScope, toolsInScope } from '../../../src/mcp/catalog.ts';
import { narrowScope, parseNarrowing } from '../../../src/mcp/narrowing.ts';
import type { Scope } from '../../../src/mcp/scope.ts';
import { catalogOf, methodsRig, scopeWith, viewsOf } from './rig.ts';

const tool = (name: string) => ({ name, inputSchema: { type: 'object' as const } });
const catalogs = {
  files: catalogOf({ tools: ['read', 'write', 'write.all'].map(tool), resources: [{ uri: 'x://1', name: '1' }] }),
  git: catalogOf({ tools: ['log', 'read'].map(tool), resources: [{ uri: 'y://1', name: '1' }] }),
};
const views = viewsOf(catalogs);
const all = { files: ['*'], git: ['*'] };
const wide = scopeWith({ tools: all, resources: all });

const parsed = (headers: Record<string, string>) => {
  const result = parseNarrowing(new Headers(headers));
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
};
const shown = async (scope: Scope) => (await toolsInScope(scope, views)).map(({ definition }) => definition.name);
const narrowed = (servers: string | undefined, tools: string | undefined, scope = wide) =>
  shown(
    narrowScope(
      scope,
      parsed({
        ...(servers !== undefined && { 'x-sallyport-include-servers': servers }),
        ...(tools !== undefined && { 'x-sallyport-include-tools': tools }),
      }),
    ),
  );

const uris = async (scope: Scope) => (await resourcesInScope(scope, views)).map(({ uri }) => uri);

describe('a request that narrows its scope', () => {
  it('sees the servers and tools it names', async () => {
    expect(await narrowed('git', undefined)).toEqual(['git__log', 'git__read']);
    expect(await narrowed(undefined, 'git__log, files__read')).toEqual(['files__read', 'git__log']);
    expect(await narrowed('git', 'files__read')).toEqual([]);
    expect(await narrowed(undefined, 'files__w*')).toEqual([
      'files__write',
      expect.stringMatching(/^files__write_all--/),
    ]);
  });

  it('sees nothing of what is not there', async () => {
    expect(await narrowed('git,gone', 'git__log,git__gone,*x'.replace(',*x', ''))).toEqual(['git__log']);
    expect(await narrowed('gone', undefined)).toEqual([]);
    expect(await narrowed('', undefined)).toEqual([]);
    expect(await narrowed(undefined, '')).toEqual([]);
  });

  it('names tools as they are listed: on the endpoint of one server by its own names', async () => {
    const wire = scopeWith({ tools: { files: ['*'] } }, 'wire');
    expect(await narrowed(undefined, 'write.all', wire)).toEqual(['write.all']);
    expect(await narrowed(undefined, 'files__read', wire)).toEqual([]);
  });

  it('keeps resources, unless it leaves out their server', async () => {
    expect(await uris(narrowScope(wide, { tools: [] }))).toEqual(['x://1', 'y://1']);
    expect(await uris(narrowScope(wide, { servers: ['git'] }))).toEqual(['y://1']);
  });

  it('cannot call what it leaves out, nor learn that it is there', async () => {
    const rig = methodsRig({ catalogs, narrowing: { tools: ['files__read'] } });
    await rig.result('tools/call', { name: 'files__read' });
    expect(await rig.error('tools/call', { name: 'files__write' })).toEqual({
      code: -32602,
      message: 'Unknown tool: files__write',
    });
    expect(rig.sent).toHaveLength(1);
  });

  const names = ['files', 'git', 'gone', 'files__read', 'git__*', '*', 'files__w*', 'read', 'files__write_all*'];
  const list = fc.option(
    fc.subarray(names).map((some) => some.join(', ')),
    { nil: undefined },
  );
  const granted = fc.constantFrom(['*'], ['read'], ['w*'], []);
  it('never sees more than its key does', async () => {
    await fc.assert(
      fc.asyncProperty(granted, granted, list, list, async (files, git, servers, tools) => {
        const scope = scopeWith({ tools: { files, git } });
        const before = await shown(scope);
        const narrowing = parseNarrowing({
          get: (name) => (name === 'x-sallyport-include-servers' ? (servers ?? null) : (tools ?? null)),
        });
        if (!narrowing.ok) return;
        const after = await shown(narrowScope(scope, narrowing.value));
        expect(before).toEqual(expect.arrayContaining(after));
        if (servers === undefined && tools === undefined) expect(after).toEqual(before);
      }),
    );
  });
});

describe('a malformed header', () => {
  it.each([
    ['x-sallyport-include-servers', 'Files'],
    ['x-sallyport-include-servers', 'fi*'],
    ['x-sallyport-include-servers', 'a b'],
    ['x-sallyport-include-tools', 'a*b'],
    ['x-sallyport-include-tools', 'two words'],
    ['x-sallyport-include-tools', `${'x,'.repeat(1_001)}`],
    ['x-sallyport-include-tools', 'x'.repeat(300)],
  ])('%s: %.20s is refused, and named', (header, value) => {
    expect(parseNarrowing(new Headers({ [header]: value }))).toMatchObject({
      ok: false,
      error: { code: 'invalid_request', param: header, message: expect.stringContaining(header) },
    });
  });
});
