import { describe, expect, inject, it } from 'vitest';
import { httpUpstream, MAX_TOOLS, misbehaving, probe, stateOf } from './rig.ts';

describe('a probe of a well upstream', () => {
  it.each([
    ['dual-era', () => httpUpstream(`${inject('dualEraUrl')}/mcp`), 'modern'],
    ['legacy', () => httpUpstream(`${inject('legacyUrl')}/mcp`), 'legacy'],
    ['the demo server', () => httpUpstream(`${inject('everythingUrl')}/mcp`), 'legacy'],
    ['a dual-era one forced to legacy', () => httpUpstream(`${inject('dualEraUrl')}/mcp`, { era: 'legacy' }), 'legacy'],
    ['a dual-era one forced to modern', () => httpUpstream(`${inject('dualEraUrl')}/mcp`, { era: 'modern' }), 'modern'],
  ])('of %s finds its tools and its era', async (_name, upstreamOf, era) => {
    const result = await probe(upstreamOf());
    if (!result.ok || result.catalog === undefined) throw new Error(JSON.stringify(result));
    expect(result.catalog.era).toBe(era);
    expect(result.catalog.tools.map((tool) => tool.name)).toContain('echo');
    expect(result.catalog.serverInfo?.name).toBeTruthy();
    expect(result.latencyMs).toBeGreaterThanOrEqual(0);
  });

  it('over the older transport finds its tools', async () => {
    const result = await probe({ ...httpUpstream(`${inject('legacyUrl')}/sse`), type: 'sse' });
    if (!result.ok) throw new Error(result.message);
    expect(result.catalog?.tools.map((tool) => tool.name)).toContain('echo');
    const hanging = await probe({ ...misbehaving('hang'), type: 'sse' }, { timeoutMs: 300 });
    expect(hanging).toMatchObject({ ok: false });
  });

  it('gives equal catalogs equal fingerprints', async () => {
    const upstream = httpUpstream(`${inject('legacyUrl')}/mcp`);
    const [one, two] = [await probe(upstream), await probe(upstream)];
    if (!one.ok || !two.ok) throw new Error('a probe failed');
    expect(one.catalog?.fingerprint).toBe(two.catalog?.fingerprint);
    const again = await probe(upstream, { known: { era: 'legacy', ...(two.session && { session: two.session }) } });
    if (!again.ok) throw new Error('a probe failed');
    expect(again.catalog?.fingerprint).toBe(two.catalog?.fingerprint);
  });

  it('keeps its session at a legacy upstream, and opens another when it is lost', async () => {
    const upstream = httpUpstream(`${inject('legacyUrl')}/mcp`);
    const first = await probe(upstream);
    if (!first.ok || first.session === undefined) throw new Error('no session');
    const before = await stateOf(inject('legacyUrl'));
    const known = { era: 'legacy', session: first.session } as const;
    const second = await probe(upstream, { listing: false, known });
    expect(second).toMatchObject({ ok: true, session: { sessionId: first.session.sessionId } });
    const after = await stateOf(inject('legacyUrl'));
    expect(after.sessions).toEqual(before.sessions);
    expect(after.methods.slice(before.methods.length)).toEqual(['ping']);
    const lost = { era: 'legacy', session: { ...first.session, sessionId: 'gone' } } as const;
    const third = await probe(upstream, { listing: false, known: lost });
    expect(third).toMatchObject({ ok: true, session: { sessionId: expect.not.stringMatching(/^gone$/) } });
  });

  it('keeps what no schema knows of a tool, and lets an odd one not hide the others', async () => {
    const result = await probe(misbehaving('odd-schemas'));
    if (!result.ok) throw new Error(result.message);
    expect(result.catalog?.tools).toEqual([
      { name: 'no-schema', inputSchema: { type: 'object' } },
      expect.objectContaining({ name: 'odd-output', outputSchema: expect.anything() }),
      { name: 'ok', inputSchema: { type: 'object' }, unheardOf: 'kept' },
    ]);
    expect(result.catalog?.note).toMatch(/1 of its tools have no name and are left out/);
  });

  it('finds resources, templates and prompts too', async () => {
    const result = await probe(httpUpstream(`${inject('everythingUrl')}/mcp`));
    if (!result.ok) throw new Error(result.message);
    const { catalog } = result;
    expect(catalog?.resources?.length).toBeGreaterThan(0);
    expect(catalog?.resourceTemplates?.[0]?.uriTemplate).toContain('{');
    expect(catalog?.prompts?.map(({ name }) => name)).toContain('simple-prompt');
    expect(catalog?.note).toBeUndefined();
  });

  it('leaves out what cannot be offered, cuts what is too long, and says so', async () => {
    const result = await probe(misbehaving('odd-catalog'));
    if (!result.ok) throw new Error(result.message);
    const { tools = [], resources, resourceTemplates, prompts, note } = result.catalog ?? {};
    expect(tools.map(({ name }) => name)).toEqual(['long', 'far']);
    expect(tools[0]?.description).toMatch(/^x{8192}…$/);
    expect(tools[1]?.inputSchema).toEqual({ $ref: 'http://127.0.0.1:1/schema.json' });
    expect(resources).toEqual([{ uri: 'x://1', name: 'x://1' }]);
    expect(resourceTemplates).toEqual([]);
    expect(prompts).toEqual([]);
    expect(note?.split('; ')).toEqual([
      '1 of its tools have control characters in their names and are left out',
      '1 of its tools have descriptions too long to be kept whole',
      '1 of its tools are too large and are left out',
      '2 of its resources have no usable URI and are left out',
      '1 of its resources are no objects and are left out',
      'its prompts are left out: it answers prompts/list with an error',
    ]);
  });

  it('keeps the first tools of ten thousand, and says so', async () => {
    const result = await probe(misbehaving('many-tools'));
    if (!result.ok) throw new Error(result.message);
    expect(result.catalog?.tools).toHaveLength(MAX_TOOLS);
    expect(result.catalog?.tools.at(-1)?.name).toBe(`tool-${MAX_TOOLS - 1}`);
    expect(result.catalog?.note).toMatch(/first 2000 tools/);
  });

  it('ends though the cursor never does', async () => {
    const result = await probe(misbehaving('endless-paging'));
    expect(result).toMatchObject({ ok: true, catalog: { tools: [], note: expect.stringMatching(/pages/) } });
  });
});

describe('a probe of a bad upstream', () => {
  it.each([
    ['html', 'initialize', /text\/html/],
    ['close', 'connect', /closed/],
    ['mid-body', 'initialize', /middle of its answer/],
    ['bad-json', 'initialize', /invalid JSON/],
    ['huge', 'initialize', /more than 8388608 bytes/],
    ['unauthorized', 'credential', /HTTP 401/],
    ['forbidden', 'credential', /HTTP 403/],
    ['error', 'initialize', /HTTP 500/],
    ['redirect', 'initialize', /redirect to/],
    ['list-error', 'list', /HTTP 500/],
  ])('%s fails at stage %s', async (quirk, stage, message) => {
    const result = await probe(misbehaving(quirk));
    expect(result).toMatchObject({ ok: false, stage, needsAuth: false, message: expect.stringMatching(message) });
  });

  it('takes no longer than its deadline', async () => {
    const startedAt = Date.now();
    const result = await probe(misbehaving('hang'), { timeoutMs: 200 });
    expect(result).toMatchObject({ ok: false, stage: 'initialize', message: expect.stringMatching(/in time/) });
    expect(Date.now() - startedAt).toBeLessThan(1_500);
  });

  it('waits for a person when the server wants OAuth', async () => {
    const result = await probe(misbehaving('unauthorized', { auth: 'oauth' }));
    expect(result).toMatchObject({ ok: false, stage: 'credential', needsAuth: true });
  });

  it('never tells the credentials', async () => {
    const upstream = misbehaving('leaks-credentials', { headers: { authorization: 'Bearer sk-very-secret' } });
    const result = await probe(upstream);
    expect(result).toMatchObject({ ok: false, message: expect.stringContaining('***') });
    expect(JSON.stringify(result)).not.toContain('sk-very-secret');
  });
});
