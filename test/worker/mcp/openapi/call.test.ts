import { inject } from 'vitest';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Catalog } from '../../../../src/mcp/ports.ts';
import { bookshop, call, catalogOf, network, seen, TOKEN } from './rig.ts';

const shop = bookshop('books.yaml');
let catalog: Catalog;

beforeAll(async () => {
  catalog = await catalogOf(shop);
});

async function result(name: string, args: Readonly<Record<string, unknown>> = {}) {
  const outcome = await call(shop, catalog, name, args);
  if (!outcome.ok) throw new Error(outcome.error.message);
  return outcome.value;
}

async function failure(
  name: string,
  args: Readonly<Record<string, unknown>> = {},
  more: Parameters<typeof call>[4] = {},
) {
  const outcome = await call(shop, catalog, name, args, more);
  if (outcome.ok) throw new Error(JSON.stringify(outcome.value));
  return outcome.error;
}

describe('a call', () => {
  it('is the request that the description describes, with the gateway’s credentials', async () => {
    const args = { limit: 3, tags: ['a&b', 'c'], ids: [1, 2], filter: { by: 'x=y' }, 'X-Trace': 't1', session: 's/1' };
    await result('listBooks', args);
    const [request, ...others] = await seen('/v1/books?limit=3');
    expect(others).toEqual([]);
    expect(request).toMatchObject({
      method: 'GET',
      url: '/v1/books?limit=3&tags=a%26b&tags=c&ids=1%7C2&filter%5Bby%5D=x%3Dy',
      headers: { authorization: `Bearer ${TOKEN}`, 'x-trace': 't1', cookie: 'session=s%2F1' },
    });
  });

  it('gives back an object, and what the API set', async () => {
    const made = await result('addBook', { body: { isbn: '978-9', title: null } });
    expect(made.structuredContent).toMatchObject({ isbn: '978-9', id: 7 });
    expect(made.isError).toBeUndefined();
    const request = (await seen('/v1/books')).find(({ method }) => method === 'POST');
    expect(request).toMatchObject({
      body: '{"isbn":"978-9","title":null}',
      headers: { 'content-type': 'application/json' },
    });
  });

  it('gives back images, sounds, files and texts', async () => {
    const isbn = '978-5';
    expect((await result('getCover', { isbn })).content[0]).toMatchObject({ type: 'image', mimeType: 'image/png' });
    expect((await result('getReading', { isbn })).content).toEqual([
      { type: 'audio', mimeType: 'audio/mpeg', data: '//uQ' },
    ]);
    expect((await result('getFile', { isbn })).content[0]).toMatchObject({
      type: 'resource',
      resource: { mimeType: 'application/pdf', blob: btoa('%PDF-1.7') },
    });
    expect((await result('getSummary', { isbn })).content).toEqual([{ type: 'text', text: 'Güt' }]);
    expect((await result('removeBook', { isbn })).content).toEqual([{ type: 'text', text: 'HTTP 204 No Content' }]);
    expect((await result('checkBook', { isbn })).content[0]).toMatchObject({
      text: expect.stringContaining('etag: "b"'),
    });
  });

  it('sends forms, parts and bytes', async () => {
    await result('order', { body: { isbn: 'a&b', tags: ['x', 'y'], to: { city: 'Z' } } });
    const [form] = await seen('/v1/orders');
    expect(form?.body).toBe('isbn=a%26b&tags=x&tags=y&to=%7B%22city%22%3A%22Z%22%7D');
    await result('upload', { body: { title: 'T', meta: { a: 1 }, file: btoa('some bytes') } });
    const [parts] = await seen('/v1/uploads');
    expect(parts?.headers['content-type']).toMatch(/^multipart\/form-data; boundary=/);
    expect(parts?.body).toContain(
      'name="file"; filename="file"\r\ncontent-type: application/octet-stream\r\n\r\nsome bytes\r\n',
    );
    await result('setCover', { isbn: 'raw', body: btoa('PNG!') });
    const bytes = (await seen('/v1/books/raw/cover')).find(({ method }) => method === 'PUT');
    expect(bytes).toMatchObject({ body: 'PNG!', headers: { 'content-type': 'application/octet-stream' } });
  });

  it('that cannot be written is not sent', async () => {
    const escaped = await result('getBook', { isbn: '../orders' });
    expect(escaped).toMatchObject({
      isError: true,
      content: [{ text: expect.stringMatching(/^Nothing was sent: "isbn" must not/) }],
    });
    expect(await result('getBook', { isnb: '1' })).toMatchObject({
      content: [{ text: 'Nothing was sent: there is no argument "isnb"; did you mean "isbn"?.' }],
    });
    expect(await seen('/v1/orders/..')).toEqual([]);
  });

  it('needs the tool to be there', async () => {
    expect(await failure('dropTables')).toEqual({
      code: 'upstream_error',
      message: 'Unknown tool: dropTables',
      stage: 'call',
      answered: { code: -32602 },
    });
    const outcome = await call(shop, undefined, 'getBook', { isbn: '1' });
    expect(outcome).toMatchObject({ ok: false, error: { code: 'upstream_unavailable' } });
  });
});

describe('what an API refuses', () => {
  it('is a result that says so, without the credentials it repeats', async () => {
    const refused = await result('getBook', { isbn: 'missing' });
    expect(refused).toEqual({
      isError: true,
      content: [{ type: 'text', text: 'HTTP 404 Not Found\n{"detail":"no such book, ***"}' }],
    });
    expect((await result('broken')).content[0]).toMatchObject({ text: expect.stringContaining('HTTP 500') });
  });

  it('for want of credentials points to who sets them', async () => {
    expect((await result('whoami')).structuredContent).toEqual({ authorized: true });
    const stranger = bookshop('books.yaml', { headers: { authorization: 'Bearer wrong-token' } });
    const outcome = await call(stranger, await catalogOf(stranger), 'whoami');
    expect(outcome).toMatchObject({ ok: true, value: { isError: true } });
    const text = JSON.stringify(outcome);
    expect(text).toContain('Whoever runs this gateway');
    expect(text).not.toContain('wrong-token');
  });

  it('to answer as promised is an error that holds the answer', async () => {
    expect(await result('liar')).toMatchObject({ isError: true, content: [{}, { text: '{"isbn":4}' }] });
  });
});

describe('a failure', () => {
  it('is that of an API which is not there', async () => {
    expect(await failure('down')).toEqual({
      code: 'upstream_unavailable',
      message: 'upstream "shop" answered HTTP 503: closed for the night',
      stage: 'call',
      retryAfterSeconds: 7,
    });
    const gone = { ...shop, base_url: 'http://127.0.0.1:9' };
    const outcome = await call(gone, catalog, 'getBook', { isbn: '1' });
    expect(outcome).toMatchObject({ ok: false, error: { code: 'upstream_unavailable', stage: 'call' } });
  });

  it('is that of one which takes too long', async () => {
    const hurried = { ...shop, timeout: 200 };
    const outcome = await call(hurried, catalog, 'slow');
    expect(outcome).toMatchObject({ ok: false, error: { code: 'upstream_timeout', stage: 'call' } });
  });

  it('is that of a call nobody waits for', async () => {
    const gone = new AbortController();
    const pending = failure('slow', {}, { signal: gone.signal });
    setTimeout(() => gone.abort(), 100);
    expect((await pending).message).toBe('upstream "shop" was not waited for');
  });

  it('is that of an answer without measure', async () => {
    expect((await failure('large', {}, { maxResponseBytes: 100_000 })).message).toMatch(/more than 100000 bytes/);
  });

  it('is that of a redirect, which is not followed', async () => {
    expect((await failure('moved')).message).toMatch(
      /redirect to https:\/\/elsewhere\.example\/books, which is not followed/,
    );
  });
});

describe('credentials', () => {
  it('in the address go with every call, and are masked', async () => {
    const base = `${inject('bookshopUrl')}/v1?api_key=query-secret`;
    const keyed = bookshop('books.yaml', { base_url: base });
    const outcome = await call(keyed, await catalogOf(keyed), 'getBook', { isbn: 'missing-keyed' });
    expect(await seen('missing-keyed')).toMatchObject([{ url: '/v1/books/missing-keyed?api_key=query-secret' }]);
    expect(JSON.stringify(outcome)).not.toContain('query-secret');
  });

  it('go to the configured host alone', async () => {
    const { fetch: send } = network.endpoint({ ...shop, base_url: `${inject('bookshopUrl')}/v1` });
    await expect(send('http://127.0.0.1:9/v1/books')).rejects.toThrow('another host');
  });
});
