import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { resourcesInScope, resourceTemplatesInScope } from '../../../src/mcp/catalog.ts';
import type { Catalog, UpstreamViews } from '../../../src/mcp/ports.ts';
import { resourceMap } from '../../../src/mcp/resource-map.ts';
import type { Scope } from '../../../src/mcp/scope.ts';
import { catalogOf, scopeWith, viewsOf } from './rig.ts';

const URIS = ['x://1', 'x://2', 'x://3/deep', 'y://1', 'ui://app', 'mcp+a+x://1', 'mcp+b+x://1', 'ui://mcp+a+app'];
const TEMPLATES = ['x://{id}', 'x://{id}/deep', 'y://{id}', 'y://{+rest}', '{+all}', 'z://{z}', 'ui://{page}'];
const PATTERNS = [['*'], ['x://*'], ['x://1', 'y://*', 'ui://*'], ['z://*', '{*'], []];

interface World {
  readonly scope: Scope;
  readonly views: UpstreamViews;
  readonly catalogs: Readonly<Record<string, Catalog>>;
}

const server = fc.record({
  resources: fc.subarray(URIS),
  templates: fc.subarray(TEMPLATES),
  patterns: fc.constantFrom(...PATTERNS),
});
const world = fc.record({ a: server, b: server, c: server }).map((servers): World => {
  const catalogs = Object.fromEntries(
    Object.entries(servers).map(([name, { resources, templates }]) => [
      name,
      catalogOf({
        resources: resources.map((uri) => ({ uri, name: uri })),
        resourceTemplates: templates.map((uriTemplate) => ({ uriTemplate, name: uriTemplate })),
      }),
    ]),
  );
  const resources = Object.fromEntries(Object.entries(servers).map(([name, { patterns }]) => [name, patterns]));
  return { scope: scopeWith({ resources }), views: viewsOf(catalogs), catalogs };
});

describe('what several servers share', () => {
  it('is shown under URIs of which each leads back to its own server, and to no other', async () => {
    await fc.assert(
      fc.asyncProperty(world, async ({ scope, views, catalogs }) => {
        const map = await resourceMap(scope, views);
        const shown = await resourcesInScope(scope, views);
        expect(new Set(shown.map(({ uri }) => uri)).size).toBe(shown.length);
        for (const { uri, name } of shown) {
          const target = map.find(uri);
          expect(target?.uri).toBe(name);
          const catalog = catalogs[target?.grant.upstream.name ?? ''];
          expect(catalog?.resources?.some((resource) => resource.uri === name)).toBe(true);
        }
      }),
    );
  });

  it('has templates that lead back likewise', async () => {
    await fc.assert(
      fc.asyncProperty(world, async ({ scope, views, catalogs }) => {
        const map = await resourceMap(scope, views);
        const shown = await resourceTemplatesInScope(scope, views);
        expect(new Set(shown.map(({ uriTemplate }) => uriTemplate)).size).toBe(shown.length);
        for (const { uriTemplate, name } of shown) {
          const target = map.findTemplate(uriTemplate);
          expect(target?.uri).toBe(name);
          const catalog = catalogs[target?.grant.upstream.name ?? ''];
          expect(catalog?.resourceTemplates?.some((template) => template.uriTemplate === name)).toBe(true);
        }
      }),
    );
  });

  it('has templates whose expansions lead to their own servers', async () => {
    await fc.assert(
      fc.asyncProperty(world, async ({ views, catalogs }) => {
        const all = Object.fromEntries(Object.keys(catalogs).map((name) => [name, ['*']]));
        const scope = scopeWith({ resources: all });
        const map = await resourceMap(scope, views);
        for (const { uriTemplate } of await resourceTemplatesInScope(scope, views)) {
          const owner = map.findTemplate(uriTemplate)?.grant.upstream.name;
          const expansion = uriTemplate.replaceAll(/\{[^}]*\}/g, 'w7');
          expect(owner).toBeDefined();
          expect(map.find(expansion)?.grant.upstream.name).toBe(owner);
        }
      }),
    );
  });

  it('never leads to what is not granted', async () => {
    await fc.assert(
      fc.asyncProperty(
        world,
        fc.constantFrom(...URIS, 'x://9', 'mcp+c+y://1', 'q://1'),
        async ({ scope, views }, uri) => {
          const target = (await resourceMap(scope, views)).find(uri);
          if (target === undefined) return;
          const granted = target.grant.resources.every((patterns) =>
            patterns.some((pattern) =>
              pattern.endsWith('*') ? target.uri.startsWith(pattern.slice(0, -1)) : pattern === target.uri,
            ),
          );
          expect(granted).toBe(true);
        },
      ),
    );
  });
});

const resources = (...uris: string[]) => uris.map((uri) => ({ uri, name: uri }));

const templates = (...all: string[]) => all.map((uriTemplate) => ({ uriTemplate, name: uriTemplate }));

const at = async (catalogs: Record<string, Catalog>) =>
  resourceMap(
    scopeWith({ resources: Object.fromEntries(Object.keys(catalogs).map((name) => [name, ['*']])) }),
    viewsOf(catalogs),
  );

it('that two servers claim leads to neither, and under their names to each', async () => {
  const map = await at({
    one: catalogOf({ resources: resources('x://1') }),
    two: catalogOf({ resourceTemplates: templates('x://{id}') }),
  });
  expect(map.find('x://1')).toBeUndefined();
  expect(map.find('mcp+one+x://1')?.grant.upstream.name).toBe('one');
  expect(map.find('mcp+two+x://1')).toMatchObject({ uri: 'x://1', grant: { upstream: { name: 'two' } } });
  expect(map.find('x://2')?.grant.upstream.name).toBe('two');
});

describe('a URI', () => {
  it('that nobody lists leads to the only server with resources', async () => {
    const one = catalogOf({ resources: resources('x://1') });
    const none = catalogOf({});
    expect((await at({ one, none })).find('q://1')?.grant.upstream.name).toBe('one');
    expect((await at({ one, two: catalogOf({ resources: [] }) })).find('q://1')).toBeUndefined();
  });

  it('in a result is qualified where it would not lead back', async () => {
    const map = await at({ one: catalogOf({ resources: resources('x://1') }), two: catalogOf({ resources: [] }) });
    expect(map.show('one', 'x://1')).toBe('x://1');
    expect(map.show('two', 'x://1')).toBe('mcp+two+x://1');
    expect(map.show('one', 'q://1')).toBe('mcp+one+q://1');
    expect(map.find(map.show('one', 'q://1'))).toMatchObject({ uri: 'q://1' });
  });

  it('of a server without resources is qualified only where another has it', async () => {
    const map = await at({ one: catalogOf({ resources: resources('x://1') }), none: catalogOf({}) });
    expect(map.show('none', 'x://1')).toBe('mcp+none+x://1');
    const alone = await at({ none: catalogOf({}) });
    expect(alone.show('none', 'q://1')).toBe('q://1');
  });

  it('of one server behind the endpoint is its own', async () => {
    const scope = scopeWith({ resources: { one: ['*'] } }, 'wire');
    const map = await resourceMap(scope, viewsOf({ one: catalogOf({ resources: resources('mcp+two+x') }) }));
    expect(map.find('mcp+two+x')?.uri).toBe('mcp+two+x');
    expect(map.show('one', 'mcp+two+x')).toBe('mcp+two+x');
  });
});
