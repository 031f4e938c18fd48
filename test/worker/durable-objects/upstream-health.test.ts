import { env } from 'cloudflare:workers';
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type {
  HealthSubject,
  ProbeRequest,
  ProbeResult,
  UpstreamHealthRpc,
} from '../../../durable-objects/contracts.ts';
import type { Catalog } from '../../../src/mcp/ports.ts';
import { upstreamHealth } from '../../../src/stores/objects/upstream-health.ts';
import { UpstreamProber } from '../../../src/upstream-prober.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let name = '';
let tests = 0;
let clock = 0;
let asked: ProbeRequest[] = [];
let answer: (request: ProbeRequest) => Promise<ProbeResult> = async () => well();

beforeEach(() => {
  name = `upstream-${tests++}`;
  asked = [];
  answer = async () => well();
  // Alarms are run by hand, so the clock may stand: ahead, lest the runtime run them too.
  clock = Date.now() + 24 * HOUR;
  vi.spyOn(Date, 'now').mockImplementation(() => clock);
  vi.spyOn(UpstreamProber.prototype, 'probe').mockImplementation(async (request) => {
    asked.push(request);
    const result = await answer(request);
    if (!result.ok || request.listing) return result;
    const { catalog: _, ...light } = result;
    return light;
  });
});

afterEach(() => {
  vi.restoreAllMocks();
});

function catalog(more: Partial<Catalog> = {}): Catalog {
  const tools = [{ name: 'echo', inputSchema: { type: 'object' as const } }];
  return { fingerprint: 'c1', tools, era: 'modern', capabilities: { tools: {} }, at: clock, ...more };
}

function well(more: Partial<Extract<ProbeResult, { ok: true }>> = {}): ProbeResult {
  const listed = more.catalog ?? catalog();
  const definitions = listed.tools.map((tool) => ({ hash: JSON.stringify(tool), findings: [] }));
  const vetting = { trust: 'open', scan: 'report', definitions } as const;
  return { ok: true, fingerprint: 'f1', latencyMs: 5, catalog: listed, vetting, ...more };
}

function broken(message = 'refused'): ProbeResult {
  return { ok: false, fingerprint: 'f1', stage: 'connect', message, needsAuth: false };
}

function subject(more: Partial<HealthSubject> = {}): HealthSubject {
  return { name, fingerprint: 'f1', disabled: false, intervalMs: 10_000, timeoutMs: 5_000, idleAfterMs: HOUR, ...more };
}

const object = (): UpstreamHealthRpc => upstreamHealth(env, name);
const stub = (): DurableObjectStub => env.UPSTREAM_HEALTH.get(env.UPSTREAM_HEALTH.idFromName(name));
const NOW = { deadlineMs: 1_000, refresh: false };

type View = Awaited<ReturnType<UpstreamHealthRpc['view']>>;
const view = (more: Partial<Parameters<UpstreamHealthRpc['view']>[1]> = {}, of = subject()): Promise<View> =>
  object().view(of, { ...NOW, ...more });

async function alarmAfter(milliseconds: number): Promise<boolean> {
  clock += milliseconds;
  return runDurableObjectAlarm(stub());
}

/** A probe that ends when told to. */
function pending(): { answer: () => Promise<ProbeResult>; end: (result: ProbeResult) => void } {
  const { promise, resolve } = Promise.withResolvers<ProbeResult>();
  return { answer: () => promise, end: resolve };
}

describe('a view', () => {
  it('waits for the first discovery, and never for a later one', async () => {
    const first = await view();
    expect(first).toMatchObject({ catalogUnchanged: false, catalog: { tools: [{ name: 'echo' }] } });
    expect(first.health).toMatchObject({ state: 'healthy', era: 'modern', toolCount: 1, latencyMs: 5 });
    const { end, answer: slow } = pending();
    answer = slow;
    const probing = alarmAfter(10_000);
    await vi.waitFor(() => expect(asked).toHaveLength(2));
    expect(await view()).toMatchObject({ health: { state: 'healthy' }, catalog: { fingerprint: 'c1' } });
    end(well());
    await probing;
  });

  it('returns at its deadline when the first discovery hangs', async () => {
    const { end, answer: slow } = pending();
    answer = slow;
    const late = await view({ deadlineMs: 50 });
    expect(late).toMatchObject({ catalogUnchanged: false, health: { state: 'unknown', toolCount: 0 } });
    expect(late.catalog).toBeUndefined();
    end(well());
    await vi.waitFor(async () => expect((await view()).catalog).toBeDefined());
    expect(asked).toHaveLength(1);
  });

  it('does not wait again for a server whose first discovery failed', async () => {
    answer = async () => broken();
    expect((await view()).health).toMatchObject({
      state: 'failing',
      lastError: { stage: 'connect', message: 'refused' },
    });
    await view();
    expect(asked).toHaveLength(1);
  });

  it('shares one probe between all who wait', async () => {
    const { end, answer: slow } = pending();
    answer = slow;
    const views = Array.from({ length: 10 }, () => view());
    await vi.waitFor(() => expect(asked).toHaveLength(1));
    end(well());
    for (const seen of await Promise.all(views)) expect(seen.catalog).toBeDefined();
    expect(asked).toHaveLength(1);
  });

  it('spares a catalog that the caller has', async () => {
    await view();
    const again = await view({ knownCatalog: 'c1' });
    expect(again).toMatchObject({ catalogUnchanged: true, health: { toolCount: 1 } });
    expect(again.catalog).toBeUndefined();
    expect((await view({ knownCatalog: 'other' })).catalog).toBeDefined();
  });

  it('lists again at once when asked to refresh', async () => {
    await view();
    answer = async () => well({ catalog: catalog({ fingerprint: 'c2', tools: [] }) });
    expect(await view({ refresh: true, knownCatalog: 'c1' })).toMatchObject({ catalog: { fingerprint: 'c2' } });
    expect(asked.map((request) => request.listing)).toEqual([true, true]);
  });

  it('lists afresh for whoever heard of a change during a listing, once for all of them', async () => {
    await view();
    const listings = [Promise.withResolvers<ProbeResult>(), Promise.withResolvers<ProbeResult>()];
    answer = async () => listings[asked.length - 2]?.promise ?? well();
    const first = view({ refresh: true });
    await vi.waitFor(() => expect(asked).toHaveLength(2));
    const others = [view({ refresh: true }), view({ refresh: true }), view({ refresh: true })];
    listings[0]?.resolve(well({ catalog: catalog({ fingerprint: 'c2', tools: [] }) }));
    expect(await first).toMatchObject({ catalog: { fingerprint: 'c2' } });
    listings[1]?.resolve(well({ catalog: catalog({ fingerprint: 'c3', tools: [] }) }));
    for (const other of others) expect(await other).toMatchObject({ catalog: { fingerprint: 'c3' } });
    expect(asked).toHaveLength(3);
  });

  it('of a disabled upstream probes nothing', async () => {
    expect((await view({}, subject({ disabled: true }))).health.state).toBe('disabled');
    expect(asked).toHaveLength(0);
    expect(await runDurableObjectAlarm(stub())).toBe(false);
  });
});

describe('probing', () => {
  it('asks for a sign of life each interval, and for the tools each minute', async () => {
    await view();
    for (let minute = 0; minute < 6; minute++) expect(await alarmAfter(10_000)).toBe(true);
    expect(asked.map((request) => request.listing)).toEqual([true, false, false, false, false, false, true]);
    expect(asked.at(-1)).toMatchObject({ name, timeoutMs: 5_000, known: { era: 'modern' } });
  });

  it('backs off while the server fails, opens the breaker, and recovers with a listing', async () => {
    await view();
    answer = async () => broken();
    const delays: number[] = [];
    for (let failure = 0; failure < 8; failure++) {
      await alarmAfter(MINUTE);
      const { nextCheckAt = 0 } = await object().peek();
      delays.push(nextCheckAt - clock);
    }
    for (const [index, delay] of delays.entries()) {
      const full = Math.min(10_000 * 2 ** index, 300_000);
      expect(delay).toBeGreaterThanOrEqual(full / 2);
      expect(delay).toBeLessThanOrEqual(full);
    }
    const failing = await view();
    expect(failing.health).toMatchObject({ state: 'failing', breaker: 'open', consecutiveFailures: 8 });
    expect(failing.catalog?.tools, 'the last good catalog is kept').toHaveLength(1);
    answer = async () => well();
    await alarmAfter(5 * MINUTE);
    expect(asked.at(-1)).toMatchObject({ listing: true });
    expect(await object().peek()).toMatchObject({ state: 'healthy', breaker: 'closed', consecutiveFailures: 0 });
  });

  it('sleeps when nobody used the server for long, and wakes when somebody does', async () => {
    await view();
    clock += HOUR;
    expect(await runDurableObjectAlarm(stub())).toBe(true);
    expect(asked).toHaveLength(1);
    expect((await object().peek()).state).toBe('idle');
    expect(await runDurableObjectAlarm(stub()), 'no alarm is left').toBe(false);
    expect(await view()).toMatchObject({ catalog: { fingerprint: 'c1' } });
    await runDurableObjectAlarm(stub());
    await vi.waitFor(() => expect(asked).toHaveLength(2));
    expect((await object().peek()).state).toBe('healthy');
  });

  it('is not kept awake by the admin API', async () => {
    await view();
    clock += HOUR;
    await object().peek();
    await runDurableObjectAlarm(stub());
    expect(asked).toHaveLength(1);
  });

  it('goes on with the session of a legacy server, and doubts that verdict after a day', async () => {
    const session = { sessionId: 's1', protocolVersion: '2025-11-25', capabilities: {} };
    answer = async () => well({ catalog: catalog({ era: 'legacy' }), session });
    const restless = subject({ idleAfterMs: 100 * HOUR });
    await view({}, restless);
    await alarmAfter(10_000);
    expect(asked.at(-1)?.known).toEqual({ era: 'legacy', session });
    await alarmAfter(24 * HOUR);
    expect(asked.at(-1)?.known).toEqual({});
    await alarmAfter(10_000);
    expect(asked.at(-1)?.known).toEqual({ era: 'legacy', session });
  });

  it('lets a sleeping process lie, with its catalog', async () => {
    await view();
    answer = async () => ({ ok: true, fingerprint: 'f1', latencyMs: 1, asleep: true });
    await alarmAfter(2 * MINUTE);
    expect(await view()).toMatchObject({ health: { state: 'healthy' }, catalog: { fingerprint: 'c1' } });
  });

  it('blames no upstream for a fault of the gateway, and goes on', async () => {
    const logged = vi.spyOn(console, 'error').mockImplementation(() => {});
    await view();
    answer = async () => {
      throw new Error('the database is locked');
    };
    await alarmAfter(10_000);
    expect(await object().peek()).toMatchObject({ state: 'healthy', consecutiveFailures: 0 });
    expect(logged).toHaveBeenCalledWith(expect.stringContaining('probe.failed'));
    answer = async () => well();
    expect(await alarmAfter(10_000)).toBe(true);
  });
});

describe('what is remembered', () => {
  it('survives a restart: the catalog, the breaker and the last error', async () => {
    const tools = Array.from({ length: 2_000 }, (_, index) => ({
      name: `tool-${index}`,
      description: 'x'.repeat(2_000),
      inputSchema: { type: 'object' as const },
    }));
    answer = async () => well({ catalog: catalog({ tools, note: 'some are left out' }) });
    await view();
    answer = async () => broken('gone for lunch');
    for (let failure = 0; failure < 3; failure++) await alarmAfter(10_000);
    const before = await view();
    await evictDurableObject(stub());
    const after = await view();
    expect(after).toEqual(before);
    expect(after.health).toMatchObject({ breaker: 'open', toolCount: 2_000, note: 'some are left out' });
    expect(after.catalog?.tools.at(-1)?.name).toBe('tool-1999');
    expect(asked).toHaveLength(4);
  });

  it('holds resources, templates and prompts, each where there are any', async () => {
    const offered = {
      resources: [
        { uri: 'x://2', name: 'two' },
        { uri: 'x://1', name: 'one' },
      ],
      resourceTemplates: [{ uriTemplate: 'x://{id}', name: 'any' }],
    };
    answer = async () => well({ catalog: catalog(offered) });
    await view();
    await evictDurableObject(stub());
    const { catalog: kept, health } = await view();
    expect(kept).toMatchObject(offered);
    expect(kept).not.toHaveProperty('prompts');
    expect(health).toMatchObject({ resourceCount: 2, resourceTemplateCount: 1, promptCount: 0 });
  });

  it('is forgotten with the definition it was learnt of', async () => {
    await view();
    answer = async () => well({ fingerprint: 'f2', catalog: catalog({ fingerprint: 'c2' }) });
    const redefined = await view({ knownCatalog: 'c1' }, subject({ fingerprint: 'f2' }));
    expect(redefined.catalog?.fingerprint).toBe('c2');
    expect(asked.at(-1)).toMatchObject({ listing: true });
    expect(asked.at(-1)?.known).toBeUndefined();
  });

  it('is of the newest definition, when that came during a probe', async () => {
    const { end, answer: slow } = pending();
    answer = slow;
    const old = view();
    await vi.waitFor(() => expect(asked).toHaveLength(1));
    const redefined = view({}, subject({ fingerprint: 'f2' }));
    answer = async () => well({ fingerprint: 'f2', catalog: catalog({ fingerprint: 'c2' }) });
    end(broken('the old address'));
    expect(await redefined).toMatchObject({ health: { state: 'healthy' }, catalog: { fingerprint: 'c2' } });
    await old;
  });

  it('is forgotten whole when the upstream is gone', async () => {
    await view();
    answer = async () => ({ ok: false, gone: true });
    await alarmAfter(10_000);
    expect(await object().peek()).toMatchObject({ state: 'unknown', toolCount: 0 });
    expect(await runDurableObjectAlarm(stub())).toBe(false);
    await runInDurableObject(stub(), async (_instance, state) => {
      expect(state.storage.sql.exec('SELECT count(*) AS rows FROM record').one()).toEqual({ rows: 0 });
    });
  });
});

describe('what calls report', () => {
  const failed = { ok: false, stage: 'call', message: 'HTTP 500' } as const;

  it('opens the breaker, and a good call closes it', async () => {
    await view();
    for (let call = 0; call < 3; call++) await object().report(subject(), failed);
    const { health } = await view();
    expect(health).toMatchObject({
      state: 'failing',
      breaker: 'open',
      lastError: { stage: 'call', message: 'HTTP 500' },
    });
    clock = health.retryAt ?? 0;
    expect((await object().peek()).breaker).toBe('half_open');
    await object().report(subject(), { ok: true, latencyMs: 3 });
    expect(await object().peek()).toMatchObject({ state: 'healthy', breaker: 'closed' });
  });

  it('counts as use', async () => {
    await view();
    clock += HOUR - 1;
    await object().report(subject(), { ok: true, latencyMs: 3 });
    await evictDurableObject(stub());
    await alarmAfter(1);
    expect(asked).toHaveLength(2);
  });
});
