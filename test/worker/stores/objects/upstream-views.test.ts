import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { UpstreamHealthRpc } from '../../../../durable-objects/contracts.ts';
import { settingsDocument } from '../../../../src/config/document.ts';
import type { Env } from '../../../../src/env.ts';
import type { HealthReport } from '../../../../src/health/report.ts';
import type { Catalog, UpstreamViews } from '../../../../src/mcp/ports.ts';
import type { Upstream } from '../../../../src/policy/snapshot.ts';
import { createUpstreamViews } from '../../../../src/stores/objects/upstream-views.ts';

const HEALTH: HealthReport = { state: 'healthy', breaker: 'closed', consecutiveFailures: 0, toolCount: 1 };
const CATALOG: Catalog = { fingerprint: 'c1', tools: [], era: 'modern', capabilities: {}, at: 0 };

let upstream: Upstream;
let tests = 0;
let clock = 0;
const view = vi.fn<UpstreamHealthRpc['view']>();
const report = vi.fn<UpstreamHealthRpc['report']>();
let views: UpstreamViews;
let after: Promise<unknown>[];

beforeEach(() => {
  clock += 1_000_000;
  upstream = { name: `u${tests++}`, type: 'http', url: 'http://u.example/mcp', fingerprint: 'f1' };
  view
    .mockReset()
    .mockImplementation(async (_subject, { knownCatalog }) =>
      knownCatalog === 'c1'
        ? { health: HEALTH, catalogUnchanged: true }
        : { health: HEALTH, catalog: CATALOG, catalogUnchanged: false },
    );
  report.mockReset().mockResolvedValue();
  after = [];
  const namespace = { idFromName: () => 'id', get: () => ({ view, report }) };
  views = createUpstreamViews({ UPSTREAM_HEALTH: namespace } as unknown as Env, {
    snapshot: async () => ({ settings: settingsDocument.parse({}) }),
    now: () => clock,
    waitUntil: (work) => void after.push(work),
  });
});

async function asked(times: number): Promise<void> {
  await vi.waitFor(() => expect(view).toHaveBeenCalledTimes(times));
}

function named(fingerprint: string): Awaited<ReturnType<UpstreamHealthRpc['view']>> {
  return { health: HEALTH, catalog: { ...CATALOG, fingerprint }, catalogUnchanged: false };
}

describe('a refresh', () => {
  it('serves all who asked for it before it began, and none who heard of a change later', async () => {
    const answers = [1, 2, 3].map(() => Promise.withResolvers<Awaited<ReturnType<UpstreamHealthRpc['view']>>>());
    for (const { promise } of answers) view.mockImplementationOnce(() => promise);
    const first = views.refresh(upstream, 1_000);
    await asked(1);
    const later = Array.from({ length: 50 }, () => views.refresh(upstream, 1_000));
    answers[0]?.resolve(named('c1'));
    expect((await first).catalog?.fingerprint).toBe('c1');
    await asked(2);
    answers[1]?.resolve(named('c2'));
    for (const { catalog } of await Promise.all(later)) expect(catalog?.fingerprint).toBe('c2');
    expect(view).toHaveBeenCalledTimes(2);
    const last = views.refresh(upstream, 1_000);
    answers[2]?.resolve(named('c3'));
    expect((await last).catalog?.fingerprint).toBe('c3');
  });

  it('is not waited for longer than it may take: whoever began it may be gone', async () => {
    view.mockImplementationOnce(() => new Promise(() => {}));
    void views.refresh(upstream, 50);
    await asked(1);
    expect((await views.refresh(upstream, 50)).catalog?.fingerprint).toBe('c1');
    expect(view).toHaveBeenCalledTimes(2);
  });
});

describe('a view of the isolate', () => {
  it('asks the object once a second, and for the catalog only when it changed', async () => {
    expect(await views.view(upstream, 100)).toEqual({ health: HEALTH, catalog: CATALOG });
    clock += 999;
    await views.view(upstream, 100);
    expect(view).toHaveBeenCalledTimes(1);
    clock += 1;
    expect(await views.view(upstream, 100)).toEqual({ health: HEALTH, catalog: CATALOG });
    expect(view.mock.calls.map(([, options]) => options.knownCatalog)).toEqual([undefined, 'c1']);
  });

  it('tells the object what it is to watch, and no secret', async () => {
    await views.view({ ...upstream, headers: { authorization: 'secret' } } as Upstream, 100);
    expect(view.mock.calls[0]).toEqual([
      {
        name: upstream.name,
        fingerprint: 'f1',
        disabled: false,
        intervalMs: 10_000,
        timeoutMs: 5_000,
        idleAfterMs: 3_600_000,
      },
      { deadlineMs: 100, refresh: false },
    ]);
  });

  it('is served from memory to the others while one asks', async () => {
    await views.view(upstream, 100);
    clock += 1_000;
    const { promise, resolve } = Promise.withResolvers<Awaited<ReturnType<UpstreamHealthRpc['view']>>>();
    view.mockReturnValueOnce(promise);
    const asking = views.view(upstream, 100);
    expect(await views.view(upstream, 100)).toEqual({ health: HEALTH, catalog: CATALOG });
    resolve({ health: { ...HEALTH, state: 'failing' }, catalogUnchanged: true });
    expect((await asking).health.state).toBe('failing');
    expect(view).toHaveBeenCalledTimes(2);
  });

  it('is renewed behind whoever asks, once in a while and not while the server fails', async () => {
    await views.view(upstream, 100);
    for (let call = 0; call < 3; call++) views.relist(upstream);
    await Promise.all(after);
    expect(view.mock.calls.map(([, options]) => options.refresh)).toEqual([false, true]);
    clock += 10_000;
    views.relist(upstream);
    await Promise.all(after);
    expect(view).toHaveBeenCalledTimes(3);
    view.mockResolvedValueOnce({ health: { ...HEALTH, state: 'failing' }, catalogUnchanged: true });
    clock += 10_000;
    await views.view(upstream, 100);
    views.relist(upstream);
    expect(view).toHaveBeenCalledTimes(4);
  });

  it('is not renewed while what it shows is new', async () => {
    view.mockResolvedValueOnce({ health: HEALTH, catalog: CATALOG, listedAt: clock - 9_000, catalogUnchanged: false });
    await views.view(upstream, 100);
    views.relist(upstream);
    expect(view).toHaveBeenCalledTimes(1);
  });

  it('of another definition is not served', async () => {
    await views.view(upstream, 100);
    await views.view({ ...upstream, fingerprint: 'f2' }, 100);
    expect(view).toHaveBeenCalledTimes(2);
    expect(view.mock.calls[1]?.[1].knownCatalog).toBeUndefined();
  });

  it('is asked anew for a refresh', async () => {
    await views.view(upstream, 100);
    await views.refresh(upstream, 500);
    expect(view.mock.calls[1]?.[1]).toEqual({ deadlineMs: 500, refresh: true, knownCatalog: 'c1' });
  });

  it('fails open: the last one, or one that says nothing bad', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => {});
    view.mockRejectedValueOnce(new Error('object unreachable'));
    expect(await views.view(upstream, 100)).toMatchObject({ health: { state: 'unknown', breaker: 'closed' } });
    await views.view(upstream, 100);
    clock += 1_000;
    view.mockRejectedValueOnce(new Error('object unreachable'));
    expect(await views.view(upstream, 100)).toEqual({ health: HEALTH, catalog: CATALOG });
  });
});

async function reported(): Promise<unknown[]> {
  await Promise.all(after);
  return report.mock.calls.map(([, outcome]) => outcome);
}

describe('what calls met', () => {
  const good = { ok: true, latencyMs: 1 } as const;
  const bad = { ok: false, stage: 'call', message: 'HTTP 500' } as const;
  it('is told at most once a second when good', async () => {
    for (let call = 0; call < 5; call++) views.report(upstream, good);
    clock += 1_000;
    views.report(upstream, good);
    expect(await reported()).toEqual([good, good]);
  });

  it('is told at once when bad, as is the first good one after', async () => {
    for (const outcome of [good, bad, bad, good, good]) views.report(upstream, outcome);
    expect(await reported()).toEqual([good, bad, bad, good]);
  });

  it('makes the next view ask whether the breaker opened', async () => {
    await views.view(upstream, 100);
    views.report(upstream, bad);
    await views.view(upstream, 100);
    expect(view).toHaveBeenCalledTimes(2);
  });

  it('troubles no caller when it cannot be told', async () => {
    const logged = vi.spyOn(console, 'warn').mockImplementation(() => {});
    report.mockRejectedValueOnce(new Error('object unreachable'));
    views.report(upstream, bad);
    await Promise.all(after);
    expect(logged).toHaveBeenCalledWith(expect.stringContaining('health.unreported'));
  });
});
