// Discovery end to end: configuration in the database, health objects, their prober, servers on loopback.
import { env } from 'cloudflare:workers';
import { createExecutionContext, runDurableObjectAlarm } from 'cloudflare:test';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import '../support/provided-context.ts';
import { gatewayDocument } from '../../src/config/document.ts';
import type { UpstreamView } from '../../src/mcp/ports.ts';
import { createServices } from '../../src/services.ts';
import type { Services } from '../../src/services.ts';
import { migrate } from '../../src/stores/d1/migrate.ts';
import { expireSnapshot } from '../../src/stores/d1/policy-store.ts';

const services = (): Services => createServices(env, createExecutionContext());

async function configure(servers: object[]): Promise<void> {
  const document = gatewayDocument.parse({ mcp: { servers }, limits: { response_bytes: '1MiB' } });
  const report = await services().configStore.apply(document, async () => undefined);
  if (!report.ok) throw new Error(report.error.message);
  expireSnapshot();
}

const http = (name: string, url: string, more = {}): object => ({ name, type: 'http', url, ...more });
const bad = (quirk: string, more = {}): object =>
  http(`bad-${quirk}`, `${inject('misbehavingUrl')}/${quirk}/mcp`, more);

async function viewOf(name: string, deadlineMs = 2_000): Promise<UpstreamView> {
  const { upstreams } = await services().snapshot();
  const upstream = upstreams.get(name);
  if (upstream === undefined) throw new Error(`${name} is not configured`);
  return services().upstreamViews.view(upstream, deadlineMs);
}

beforeAll(async () => {
  await migrate(env.DB);
  await configure([
    http('dual', `${inject('dualEraUrl')}/mcp`),
    http('legacy', `${inject('legacyUrl')}/mcp`),
    { name: 'events', type: 'sse', url: `${inject('legacyUrl')}/sse` },
    http('everything', `${inject('everythingUrl')}/mcp`),
    { name: 'local', type: 'stdio', command: ['true'] },
    bad('hang'),
    bad('html'),
    bad('huge'),
    bad('many-tools'),
    bad('leaks-credentials', { headers: { authorization: 'Bearer sk-very-secret' } }),
    http('refused', 'http://127.0.0.1:1/mcp'),
  ]);
});

describe('discovery', () => {
  it('finds the tools of the good servers at once, whatever the bad ones do', async () => {
    const startedAt = Date.now();
    const names = [
      'dual',
      'legacy',
      'events',
      'everything',
      'bad-hang',
      'bad-html',
      'bad-huge',
      'bad-many-tools',
      'refused',
      'local',
    ];
    const views = await Promise.all(
      names.map(async (name) => {
        const { health, catalog } = await viewOf(name);
        return [name, { state: health.state, era: health.era, tools: catalog?.tools.length }];
      }),
    );
    expect(Object.fromEntries(views)).toEqual({
      dual: { state: 'healthy', era: 'modern', tools: 10 },
      legacy: { state: 'healthy', era: 'legacy', tools: 10 },
      events: { state: 'healthy', era: 'legacy', tools: 10 },
      everything: { state: 'healthy', era: 'legacy', tools: expect.any(Number) },
      'bad-hang': { state: 'unknown' },
      'bad-html': { state: 'failing' },
      'bad-huge': { state: 'failing' },
      'bad-many-tools': { state: 'healthy', era: 'legacy', tools: 2_000 },
      refused: { state: 'failing' },
      local: { state: 'failing' },
    });
    // Whoever waited for the hanging one would be here four deadlines of five seconds later.
    expect(Date.now() - startedAt).toBeLessThan(10_000);
  }, 30_000);

  it('says what is wrong, and never a credential', async () => {
    expect((await viewOf('local')).health.lastError).toMatchObject({
      stage: 'connect',
      message: expect.stringContaining('no stdio bridge runs here'),
    });
    expect((await viewOf('refused')).health.lastError).toMatchObject({ stage: 'connect' });
    expect((await viewOf('bad-many-tools')).health.note).toMatch(/first 2000 tools/);
    await viewOf('bad-leaks-credentials');
    const peeked = await services().healthRecords.peek('bad-leaks-credentials');
    expect(peeked.lastError?.message).toContain('***');
    expect(JSON.stringify(peeked)).not.toContain('sk-very-secret');
  });

  it('of a server that was removed ends, and nothing is kept', async () => {
    await configure([http('dual', `${inject('dualEraUrl')}/mcp`)]);
    const stub = env.UPSTREAM_HEALTH.get(env.UPSTREAM_HEALTH.idFromName('legacy'));
    expect(await runDurableObjectAlarm(stub)).toBe(true);
    expect(await services().healthRecords.peek('legacy')).toMatchObject({ state: 'unknown', toolCount: 0 });
    expect(await runDurableObjectAlarm(stub)).toBe(false);
  });

  it('of a server that was removed ends at once when health is told', async () => {
    await configure([http('dual', `${inject('dualEraUrl')}/mcp`)]);
    expect((await viewOf('dual')).health.state).toBe('healthy');
    await services().healthRecords.retire('dual');
    expect((await services().healthRecords.peek('dual')).state).toBe('healthy');
    await configure([]);
    await services().healthRecords.retire('dual');
    expect(await services().healthRecords.peek('dual')).toMatchObject({ state: 'unknown', toolCount: 0 });
    await services().healthRecords.retire('never-used');
  });
});
