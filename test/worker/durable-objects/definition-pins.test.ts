import { env } from 'cloudflare:workers';
import { runInDurableObject } from 'cloudflare:test';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DefinitionPins } from '../../../durable-objects/definition-pins.ts';
import { UpstreamRecord } from '../../../durable-objects/upstream-record.ts';
import type { Catalog } from '../../../src/mcp/ports.ts';
import type { Finding } from '../../../src/trust/finding.ts';
import type { TrustPolicy } from '../../../src/trust/standing.ts';

const PINNED: TrustPolicy = { trust: 'pinned', scan: 'report' };
const OPEN: TrustPolicy = { trust: 'open', scan: 'report' };
const BLOCKING: TrustPolicy = { trust: 'open', scan: 'block' };
const APPROVE_ALL = { requestId: 'req_1' };

/** Tool name → version of its definition; the version is the hash, and 13 has a grave finding. */
type Listing = Readonly<Record<string, number>>;

const EVIL = 13;

function findingOf(tool: string): Finding {
  return { rule: 'hides_from_user', severity: 'high', tool, where: 'description', excerpt: 'secretly' };
}

class Server {
  readonly pins: DefinitionPins;
  #now = 1_000;
  offered: Catalog | undefined;

  constructor(pins: DefinitionPins) {
    this.pins = pins;
  }

  lists(listing: Listing, policy: TrustPolicy): Catalog {
    const tools = Object.entries(listing).map(([name, version]) => toolOf(name, version));
    const definitions = Object.entries(listing).map(([name, version]) => ({
      hash: `h${version}`,
      findings: version === EVIL && policy.scan !== 'off' ? [findingOf(name)] : [],
    }));
    const fingerprint = `l-${JSON.stringify(listing)}`;
    const catalog: Catalog = { fingerprint, tools, era: 'modern', capabilities: { tools: {} }, at: this.#now };
    this.offered = this.pins.learn('srv', catalog, { ...policy, definitions }, this.#now++);
    return this.offered;
  }

  /** As the object does it. */
  approves(request: Parameters<DefinitionPins['approve']>[0]) {
    const { outcome, released, fingerprint } = this.pins.approve(request, this.#now++);
    if (fingerprint !== undefined && this.offered !== undefined) {
      this.offered = { ...this.offered, fingerprint, tools: [...this.offered.tools, ...released] };
    }
    return outcome;
  }

  /** `name@version` of what clients have. */
  get has(): string[] {
    return (this.offered?.tools ?? []).map(({ name, description }) => `${name}@${description}`).toSorted();
  }

  /** The events waiting, as `kind outcome tool subject`, and forgotten. */
  told(): string[] {
    const page = this.pins.events.waiting();
    if (page === undefined) return [];
    this.pins.events.handedOver(page);
    return page.events.map(({ kind, outcome, tool, subject }) => `${kind} ${outcome} ${tool} ${subject}`);
  }
}

function toolOf(name: string, version: number): Catalog['tools'][number] {
  return { name, description: String(version), inputSchema: { type: 'object' } };
}

let objects = 0;

async function withServer<T>(work: (server: Server) => T): Promise<T> {
  const stub = env.UPSTREAM_HEALTH.get(env.UPSTREAM_HEALTH.idFromName(`pins-${objects++}`));
  return runInDurableObject(stub, async (_instance, state) =>
    work(new Server(new DefinitionPins(new UpstreamRecord(state.storage).database))),
  );
}

describe('a pinned server', () => {
  it('keeps what it had at first sight; what is new or changed waits, is told once, and is released by approval', () =>
    withServer((server) => {
      server.lists({ a: 1, b: 1 }, PINNED);
      expect(server.has).toEqual(['a@1', 'b@1']);
      expect(server.told()).toEqual([]);
      const before = server.offered?.fingerprint;

      for (let times = 0; times < 3; times++) server.lists({ a: 2, b: 1, c: 1 }, PINNED);
      expect(server.has).toEqual(['b@1']);
      expect(server.told()).toEqual([
        'tool.definition.changed denied a changed: description',
        'tool.definition.changed denied c new',
      ]);
      expect(server.pins.counts()).toEqual({ withheld: 2, pending: 2, findings: 0 });
      expect(server.pins.report().withheld).toMatchObject([
        {
          name: 'a',
          hash: 'h2',
          reason: 'changed',
          diff: { fields: [{ field: 'description', before: '1', after: '2' }] },
        },
        { name: 'c', hash: 'h1', reason: 'new' },
      ]);

      const withheld = server.offered?.fingerprint;
      expect(server.approves(APPROVE_ALL)).toEqual({
        ok: true,
        approved: [
          { name: 'a', hash: 'h2' },
          { name: 'c', hash: 'h1' },
        ],
      });
      expect(server.has).toEqual(['a@2', 'b@1', 'c@1']);
      expect(new Set([before, withheld, server.offered?.fingerprint]).size).toBe(3);
      expect(server.told()).toEqual([
        'tool.definition.approved ok a approved: h2',
        'tool.definition.approved ok c approved: h1',
      ]);
      server.lists({ a: 2, b: 1, c: 1 }, PINNED);
      expect(server.has).toEqual(['a@2', 'b@1', 'c@1']);
      expect(server.told()).toEqual([]);
    }));

  it('is bound by its first listing even when that was empty', () =>
    withServer((server) => {
      server.lists({}, PINNED);
      server.lists({ a: 1 }, PINNED);
      expect(server.has).toEqual([]);
    }));

  it('cannot change a definition by leaving it out for a while, nor by another name', () =>
    withServer((server) => {
      server.lists({ a: 1 }, PINNED);
      server.lists({}, PINNED);
      expect(server.pins.report().pinned).toMatchObject([{ name: 'a', goneSince: expect.any(Number) }]);
      server.lists({ a: 2, a2: 1 }, PINNED);
      expect(server.has).toEqual([]);
      server.lists({ a: 1 }, PINNED);
      expect(server.has).toEqual(['a@1']);
      expect(server.pins.report().pinned).toMatchObject([{ name: 'a', goneSince: null }]);
    }));

  it('has only the first of two tools with one name', () =>
    withServer((server) => {
      server.lists({ a: 1 }, PINNED);
      const tools = [toolOf('a', 2), toolOf('a', 1)];
      const definitions = [
        { hash: 'h2', findings: [] },
        { hash: 'h1', findings: [] },
      ];
      const catalog: Catalog = { fingerprint: 'twice', tools, era: 'modern', capabilities: {}, at: 0 };
      expect(server.pins.learn('srv', catalog, { ...PINNED, definitions }, 5).tools).toEqual([]);
    }));

  it('approves by hash what was shown, all that is named or nothing', () =>
    withServer((server) => {
      server.lists({ a: 1, b: 1 }, PINNED);
      server.lists({ a: 2, b: 2 }, PINNED);
      server.told();
      const shown = [
        { name: 'a', hash: 'h2' },
        { name: 'b', hash: 'h2' },
      ];
      server.lists({ a: 2, b: 3 }, PINNED);
      server.told();
      const tools = [...shown, { name: 'gone' }];
      expect(server.approves({ requestId: 'r', tools })).toEqual({
        ok: false,
        conflicts: [
          { name: 'b', reason: 'changed' },
          { name: 'gone', reason: 'not_listed' },
        ],
      });
      expect(server.has).toEqual([]);
      expect(server.told()).toEqual([]);
      expect(server.approves({ requestId: 'r', tools: [{ name: 'a', hash: 'h2' }] })).toMatchObject({ ok: true });
      expect(server.has).toEqual(['a@2']);
      const again = server.approves({ requestId: 'r', tools: [{ name: 'a', hash: 'h2' }] });
      expect(again).toMatchObject({ ok: true });
      expect(server.has, 'a repeated approval changes nothing').toEqual(['a@2']);
      expect(server.told()).toHaveLength(1);
    }));

  it('has another catalog fingerprint whenever something else of one listing is withheld', () =>
    withServer((server) => {
      server.lists({ a: 1, b: 1 }, PINNED);
      const both = server.lists({ a: 2, b: 2 }, PINNED).fingerprint;
      server.approves({ requestId: 'r', tools: [{ name: 'a' }] });
      const one = server.offered?.fingerprint;
      expect(server.lists({ a: 2, b: 2 }, PINNED).fingerprint).toBe(one);
      server.lists({ b: 3 }, PINNED);
      expect(server.lists({ a: 2, b: 2 }, PINNED).fingerprint).not.toBe(both);
      expect(server.has).toEqual(['a@2']);
    }));

  it('that was open before keeps what it had then', () =>
    withServer((server) => {
      server.lists({ a: 1 }, OPEN);
      server.lists({ a: 2 }, OPEN);
      server.lists({ a: 2 }, PINNED);
      expect(server.has).toEqual(['a@2']);
      server.lists({ a: 3 }, PINNED);
      expect(server.has).toEqual([]);
      server.lists({ a: 3 }, OPEN);
      expect(server.has).toEqual(['a@3']);
    }));
});

describe('an open server', () => {
  it('has every change at once, with one event of each', () =>
    withServer((server) => {
      server.lists({ a: 1 }, OPEN);
      for (const listing of [{ a: 2 }, { a: 2 }, { a: 2, b: 1 }, { b: 1 }, { a: 2, b: 1 }, { a: 1, b: 1 }]) {
        server.lists(listing, OPEN);
      }
      expect(server.has).toEqual(['a@1', 'b@1']);
      expect(server.told()).toEqual([
        'tool.definition.changed ok a changed: description',
        'tool.definition.changed ok b new',
        'tool.definition.changed ok a changed: description',
      ]);
    }));
});

describe('scan: block', () => {
  it('withholds what has a grave finding, from the first sight on, until a person approves it by name', () =>
    withServer((server) => {
      server.lists({ a: EVIL, b: 1 }, BLOCKING);
      expect(server.has).toEqual(['b@1']);
      expect(server.pins.counts()).toEqual({ withheld: 1, pending: 0, findings: 1 });
      server.approves(APPROVE_ALL);
      expect(server.has, 'approving all that waits lifts no block').toEqual(['b@1']);
      server.approves({ requestId: 'r', tools: [{ name: 'a', hash: `h${EVIL}` }] });
      expect(server.has).toEqual(['a@13', 'b@1']);
      server.lists({ a: EVIL, b: 1 }, BLOCKING);
      expect(server.has).toEqual(['a@13', 'b@1']);
      server.lists({ a: EVIL, b: EVIL }, BLOCKING);
      expect(server.has).toEqual(['a@13']);
    }));

  it('of a pinned server blocks what was approved with everything else', () =>
    withServer((server) => {
      const policy: TrustPolicy = { trust: 'pinned', scan: 'block' };
      server.lists({ a: 1 }, policy);
      server.lists({ a: EVIL }, policy);
      server.approves(APPROVE_ALL);
      expect(server.has).toEqual([]);
      expect(server.pins.report().withheld).toMatchObject([{ name: 'a', reason: 'finding' }]);
    }));
});

const names = fc.constantFrom('a', 'b', 'c', 'constructor', '__proto__x', 'd\u0000\u001b');
const listing = fc.dictionary(names, fc.constantFrom(1, 2, 3, EVIL), { maxKeys: 5 });
const step = fc.oneof(
  { weight: 4, arbitrary: listing.map((tools) => ({ kind: 'list', tools }) as const) },
  { weight: 1, arbitrary: fc.constant({ kind: 'approve all' } as const) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(names, fc.constantFrom(1, 2, 3, EVIL))
      .map(([name, version]) => ({ kind: 'approve', name, version }) as const),
  },
);

describe('whatever a server lists, and whatever is approved in between', () => {
  it.each([PINNED, { trust: 'pinned', scan: 'block' } as const])(
    '%o: no client has an unapproved definition',
    async (policy) => {
      await fc.assert(
        fc.asyncProperty(listing, fc.array(step, { maxLength: 20 }), async (first, steps) => {
          await withServer((server) => {
            const approved = new Set(Object.entries(first).map(([name, version]) => `${name}@${version}`));
            const vouched = new Set<string>();
            const known = new Map<string, string>();
            const check = (): void => {
              for (const tool of server.has) {
                expect(approved).toContain(tool);
                if (policy.scan === 'block' && tool.endsWith(`@${EVIL}`)) expect(vouched).toContain(tool);
              }
              const fingerprint = server.offered?.fingerprint ?? '';
              const content = server.has.join();
              expect(known.get(fingerprint) ?? content, 'one fingerprint, one catalog').toBe(content);
              known.set(fingerprint, content);
            };
            server.lists(first, policy);
            check();
            for (const one of steps) {
              if (one.kind === 'list') server.lists(one.tools, policy);
              else {
                const tools = one.kind === 'approve' ? [{ name: one.name, hash: `h${one.version}` }] : undefined;
                const outcome = server.approves({ requestId: 'r', ...(tools && { tools }) });
                for (const { name, hash } of outcome.ok ? outcome.approved : []) {
                  // An approval moves the pin: what was approved before is no longer.
                  for (const other of approved) if (other.startsWith(`${name}@`)) approved.delete(other);
                  approved.add(`${name}@${hash.slice(1)}`);
                  if (tools !== undefined) vouched.add(`${name}@${hash.slice(1)}`);
                }
              }
              check();
            }
          });
        }),
        { numRuns: 60 },
      );
    },
    60_000,
  );

  it('an open server has all it lists, with one event for each change', async () => {
    await fc.assert(
      fc.asyncProperty(listing, fc.array(listing, { maxLength: 15 }), async (first, listings) => {
        await withServer((server) => {
          const pinned = new Map(Object.entries(first));
          let changes = 0;
          server.lists(first, OPEN);
          for (const tools of listings) {
            for (const [name, version] of Object.entries(tools)) {
              if (pinned.get(name) !== version) changes++;
              pinned.set(name, version);
            }
            server.lists(tools, OPEN);
            expect(server.has).toEqual(
              Object.entries(tools)
                .map(([name, version]) => `${name}@${version}`)
                .toSorted(),
            );
          }
          expect(server.told()).toHaveLength(changes);
        });
      }),
      { numRuns: 40 },
    );
  }, 60_000);
});
