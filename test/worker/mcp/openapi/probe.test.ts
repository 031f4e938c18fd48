import { inject } from 'vitest';
import { describe, expect, it } from 'vitest';
import { bookshopJson, bookshopSwagger, bookshopYaml } from '../../../support/openapi-descriptions.ts';
import { EgressError } from '../../../../src/egress/egress-error.ts';
import type { UpstreamNetwork } from '../../../../src/mcp/ports.ts';
import { bookshop, catalogOf, network, probe, seen } from './rig.ts';

const WELL = { era: 'modern' } as const;

async function packed(text: string): Promise<{ gzip: string }> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream('gzip'));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return { gzip: btoa(binary) };
}

async function message(...args: Parameters<typeof probe>): Promise<string> {
  const result = await probe(...args);
  if (result.ok) throw new Error(JSON.stringify(result));
  return `${result.stage}: ${result.message}`;
}

describe('a probe', () => {
  it.each([
    ['books.yaml', 20],
    ['books.json', 1],
    ['swagger.json', 3],
    ['relative.json', 1],
  ])('finds the tools of %s', async (spec, count) => {
    const { tools, era, capabilities, serverInfo } = await catalogOf(bookshop(spec));
    expect({ count: tools.length, era, capabilities, title: serverInfo?.name }).toEqual({
      count,
      era: 'modern',
      capabilities: { tools: { listChanged: true } },
      title: 'Bookshop',
    });
  });

  it('finds them in the configuration itself', async () => {
    const base = inject('bookshopUrl');
    const specs = [
      { document: bookshopYaml(base) },
      { document: JSON.stringify(bookshopSwagger(base)) },
      await packed(JSON.stringify(bookshopJson(base))),
    ];
    for (const spec of specs) expect((await catalogOf(bookshop('', { spec }))).tools.length).toBeGreaterThan(0);
  });

  it('has the same fingerprint for the same tools, and another for others', async () => {
    const [first, second] = [await catalogOf(bookshop('books.json')), await catalogOf(bookshop('books.json'))];
    expect(first.fingerprint).toBe(second.fingerprint);
    expect((await catalogOf(bookshop('books.yaml'))).fingerprint).not.toBe(first.fingerprint);
  });

  it('asks the API itself for a sign of life, whatever that is', async () => {
    const shop = bookshop('books.json', { base_url: `${inject('bookshopUrl')}/v1/alive` });
    await catalogOf(shop);
    expect(await probe(shop, { listing: false, known: WELL })).toMatchObject({ ok: true });
    const requests = await seen('/v1/alive');
    expect(requests.map(({ method }) => method)).toEqual(['HEAD', 'HEAD']);
    const moved = bookshop('books.json', { base_url: `${inject('bookshopUrl')}/spec/moved` });
    expect(await probe(moved)).toMatchObject({ ok: true });
  });

  it('reads a description again only when it changed', async () => {
    const shop = bookshop('books.yaml');
    const first = await catalogOf(shop);
    const before = await notModified();
    const again = await catalogOf(shop);
    expect(await notModified()).toBe(before + 1);
    expect(again.tools).toBe(first.tools);
  });

  it('keeps to the host of the description for credentials', async () => {
    const elsewhere = bookshop('books.json', { base_url: 'http://127.0.0.2:9' });
    await probe(elsewhere);
    const requests = await seen('/spec/books.json');
    expect(requests.at(-1)?.headers.authorization).toBeUndefined();
    await probe(bookshop('books.json'));
    expect((await seen('/spec/books.json')).at(-1)?.headers.authorization).toMatch(/^Bearer/);
  });
});

describe('a description that is not there', () => {
  it.each([
    [
      'html',
      'list: upstream "shop" cannot be offered: its description is a web page or XML instead of an OpenAPI document in JSON or YAML',
    ],
    ['gone.json', 'list: upstream "shop" has a description that cannot be read: its address answered HTTP 404'],
    [
      'huge.json',
      'list: upstream "shop" has a description that cannot be read: its address answered with more than 4194304 bytes, the most allowed',
    ],
    [
      'moved',
      /^list: .* its address answered with a redirect to http:\/\/169\.254\.169\.254\/latest, which is not followed/,
    ],
    [
      'foreign.json',
      /^list: .* its description names an API on another host than its own, http:\/\/127\.0\.0\.2:9: set base_url/,
    ],
  ])('%s', async (spec, expected) => {
    expect(await message(bookshop(spec))).toEqual(
      typeof expected === 'string' ? expected : expect.stringMatching(expected),
    );
  });

  it('because nobody answers', async () => {
    const shop = bookshop('', { spec: { url: 'http://127.0.0.1:9/openapi.json?token=spec-secret' } });
    const said = await message(shop);
    expect(said).toMatch(
      /^list: upstream "shop" has a description that cannot be read: its address refused the connection/,
    );
    expect(said).not.toContain('spec-secret');
  });

  it('because it does not unpack, or never ends', async () => {
    expect(await message(bookshop('', { spec: { gzip: btoa('no gzip') } }))).toContain(
      'its description does not unpack as gzip',
    );
    expect(await message(bookshop('', { spec: { gzip: '§' } }))).toContain('is not valid base64');
    const bomb = await packed('x'.repeat(30 * 1024 * 1024));
    expect(bomb.gzip.length).toBeLessThan(60_000);
    expect(await message(bookshop('', { spec: bomb }))).toContain('its description is larger than 4 MiB');
  });

  it('any more leaves the tools as they were', async () => {
    const shop = bookshop('flaky.json');
    const first = await catalogOf(shop);
    for (const state of ['gone', 'html']) {
      await fetch(`${inject('bookshopUrl')}/control/flaky?is=${state}`);
      const later = await catalogOf(shop);
      expect(later.tools).toBe(first.tools);
      expect(later.fingerprint).toBe(first.fingerprint);
      expect(later.note).toMatch(
        /^its description could not be read again, so that its tools are those of the last time/,
      );
    }
    // An isolate that never read it leaves the tools to who remembers them.
    const known = bookshop('flaky.json', { base_url: `${inject('bookshopUrl')}/v1` });
    const result = await probe(known, { known: WELL });
    expect(result).toMatchObject({ ok: true });
    expect(result).not.toHaveProperty('catalog');
    expect(await probe(known)).toMatchObject({ ok: false, stage: 'list' });
    await fetch(`${inject('bookshopUrl')}/control/flaky?is=well`);
  });
});

describe('an API that is not there', () => {
  it('is failing although its description is well', async () => {
    const gone = bookshop('books.json', { base_url: 'http://127.0.0.1:9' });
    expect(await message(gone)).toMatch(/^connect: upstream "shop" refused the connection/);
    const down = bookshop('books.json', { base_url: `${inject('bookshopUrl')}/v1/down` });
    expect(await message(down, {}, answering(503))).toBe('connect: upstream "shop" answered HTTP 503');
    expect(await probe(down, {}, answering(401))).toMatchObject({ ok: true });
  });

  it('is not asked when its address is not known', async () => {
    const shop = bookshop('books.json');
    const { fetch: send } = network.endpoint({ ...shop, base_url: 'http://127.0.0.1:9' });
    await expect(send('http://127.0.0.1:9')).rejects.toBeInstanceOf(EgressError);
    expect(() => network.endpoint(shop)).toThrow('has no address yet');
  });
});

/** The bookshop's network, on which every sign of life is a status. */
function answering(status: number): UpstreamNetwork {
  return {
    endpoint: (upstream) => {
      const { url, fetch: send } = network.endpoint(upstream);
      return {
        url,
        fetch: async (input: RequestInfo | URL, init?: RequestInit) =>
          init?.method === 'HEAD' ? new Response(null, { status }) : send(input, init),
      };
    },
  };
}

async function notModified(): Promise<number> {
  const state: { notModified: number } = await (await fetch(`${inject('bookshopUrl')}/control/seen`)).json();
  return state.notModified;
}
