import { describe, expect, it } from 'vitest';
import { listCatalog, type Lister } from '../../../../src/mcp/upstream/list-catalog.ts';

const OPTIONS = { signal: new AbortController().signal, timeout: 1_000 };
const LIMITS = { tools: 1_000, resources: 3, prompts: 3 };
const INPUT = { type: 'object' };

/** @param pages by method; each page but the last is followed by another */
function lister(pages: Readonly<Record<string, readonly (readonly unknown[])[]>>): Lister {
  return {
    async request({ method, params }) {
      const index = Number(params.cursor ?? 0);
      const items = pages[method]?.[index] ?? [];
      const more = index + 1 < (pages[method]?.length ?? 0);
      return { items, ...(more && { nextCursor: String(index + 1) }) };
    },
  };
}

const list = (pages: Parameters<typeof lister>[0], era: 'modern' | 'legacy' = 'modern') => {
  const capabilities = { tools: {}, resources: {}, prompts: {} };
  return listCatalog(lister(pages), { capabilities, era }, LIMITS, OPTIONS);
};

const annotated = (name: string, property: object, more: object = {}) => ({
  name,
  inputSchema: { ...INPUT, properties: { a: property }, ...more },
});

const some = (count: number, item: (index: number) => object) =>
  Array.from({ length: count }, (_, index) => item(index));

describe('tools whose headers are declared wrongly', () => {
  const tools = [
    annotated('good', { type: 'string', 'x-mcp-header': 'Region' }),
    annotated('empty', { type: 'string', 'x-mcp-header': '' }),
    annotated('spaced', { type: 'string', 'x-mcp-header': 'a b' }),
    annotated('of an object', { type: 'object', 'x-mcp-header': 'A' }),
    annotated('of a number', { type: 'number', 'x-mcp-header': 'A' }),
    annotated('twice', {
      type: 'string',
      'x-mcp-header': 'A',
      properties: { b: { type: 'string', 'x-mcp-header': 'a' } },
    }),
    annotated('in items', { type: 'array', items: { type: 'string', 'x-mcp-header': 'A' } }),
    annotated('elsewhere', {}, { anyOf: [{ properties: { b: { type: 'string', 'x-mcp-header': 'A' } } }] }),
  ];

  it('are left out where the server is of 2026-07-28', async () => {
    const catalog = await list({ 'tools/list': [tools] });
    expect(catalog.tools.map(({ name }) => name)).toEqual(['good']);
    expect(catalog.note).toBe('7 of its tools have an invalid x-mcp-header annotation and are left out');
  });

  it('mean nothing before', async () => {
    expect((await list({ 'tools/list': [tools] }, 'legacy')).tools).toHaveLength(tools.length);
  });
});

describe('lists', () => {
  it('end at the number that is configured, each kind for itself', async () => {
    const catalog = await list({
      'resources/list': [some(2, (index) => ({ uri: `x://${index}` })), some(2, (index) => ({ uri: `y://${index}` }))],
      'resources/templates/list': [some(3, (index) => ({ uriTemplate: `x://${index}/{id}` }))],
      'prompts/list': [some(5, (index) => ({ name: `p${index}` }))],
    });
    expect(catalog.resources?.map(({ uri }) => uri)).toEqual(['x://0', 'x://1', 'y://0']);
    expect(catalog.resourceTemplates).toHaveLength(3);
    expect(catalog.prompts).toHaveLength(3);
    expect(catalog.note).toBe(
      'only its first 3 resources are offered (limits.resources_per_server); only its first 3 prompts are offered (limits.prompts_per_server)',
    );
  });

  it('end where they would be too long to be kept', async () => {
    const tools = Array.from({ length: 30 }, (_, index) => ({
      name: `t${index}`,
      inputSchema: { ...INPUT, description: 'x'.repeat(300_000) },
    }));
    const catalog = await list({ 'tools/list': [tools] });
    expect(JSON.stringify(catalog.tools).length).toBeLessThan(7_000_000);
    expect(catalog.note).toMatch(/^only its first 20 tools are offered: /);
  });

  it('are asked for where they are declared, and are there only then', async () => {
    const asked: string[] = [];
    const counting: Lister = {
      request: async ({ method }) => {
        asked.push(method);
        return { items: [] };
      },
    };
    const catalog = await listCatalog(counting, { capabilities: { prompts: {} }, era: 'legacy' }, LIMITS, OPTIONS);
    expect(asked).toEqual(['prompts/list']);
    expect(catalog).toEqual({ tools: [], prompts: [] });
  });
});
