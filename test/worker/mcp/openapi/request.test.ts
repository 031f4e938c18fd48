import { describe, expect, it } from 'vitest';
import { apiRequest, type ApiRequest } from '../../../../src/mcp/openapi/request.ts';
import { API, planFor } from './descriptions.ts';

type Args = Readonly<Record<string, unknown>>;

function request(plan: ReturnType<typeof planFor>, args: Args, base = API): ApiRequest {
  const built = apiRequest(base, plan, args);
  if (!built.ok) throw new Error(built.error);
  return built.value;
}

function refusal(plan: ReturnType<typeof planFor>, args: Args, base = API): string {
  const built = apiRequest(base, plan, args);
  if (built.ok) throw new Error(`it was built: ${built.value.url}`);
  return built.error;
}

const bodyText = async (built: ApiRequest): Promise<string> => new Response(built.body ?? null).text();

const COLOURS = ['blue', 'black & white'];
const RGB = { R: 100, G: 'a/b' };

function pathWith(style: string, explode: boolean, value: unknown): string {
  const plan = planFor({ parameters: [{ name: 'c', in: 'path', style, explode, schema: {} }] }, '/x/{c}/y');
  return request(plan, { c: value }).url.pathname.slice('/v1/x/'.length, -'/y'.length);
}

function queryWith(parameter: Args, value: unknown): string {
  const plan = planFor({ parameters: [{ name: 'c', in: 'query', schema: {}, ...parameter }] });
  return request(plan, { c: value }).url.search;
}

function planWith(mediaType: string, schema: unknown, more: Args = {}): ReturnType<typeof planFor> {
  return planFor({ requestBody: { required: true, content: { [mediaType]: { schema, ...more } } } }, '/a', 'post');
}

describe('the path', () => {
  it.each([
    ['simple', false, 'blue', 'blue'],
    ['simple', false, COLOURS, 'blue,black%20%26%20white'],
    ['simple', false, RGB, 'R,100,G,a%2Fb'],
    ['simple', true, RGB, 'R=100,G=a%2Fb'],
    ['label', false, 'blue', '.blue'],
    ['label', false, COLOURS, '.blue,black%20%26%20white'],
    ['label', true, COLOURS, '.blue.black%20%26%20white'],
    ['label', true, RGB, '.R=100.G=a%2Fb'],
    ['matrix', false, 'blue', ';c=blue'],
    ['matrix', false, COLOURS, ';c=blue,black%20%26%20white'],
    ['matrix', true, COLOURS, ';c=blue;c=black%20%26%20white'],
    ['matrix', false, RGB, ';c=R,100,G,a%2Fb'],
    ['matrix', true, RGB, ';R=100;G=a%2Fb'],
  ])('%s, explode %s: %j', (style, explode, value, written) => {
    expect(pathWith(style, explode, value)).toBe(written);
  });

  it.each(['..', '.', '../admin', 'a/../../b', '%2e%2e', '..%2Fadmin', String.raw`..\admin`, ''])(
    'cannot be left by %j',
    (value) => {
      const plan = planFor({}, '/x/{c}/y');
      expect(refusal(plan, { c: value })).toMatch(/must not/);
    },
  );

  it('cannot be left by dots that only come together', () => {
    const plan = planFor({}, '/x/{a}{b}/y');
    expect(refusal(plan, { a: '', b: '..' })).toMatch(/must not/);
    expect(refusal(planFor({}, '/x/.{a}/y'), { a: '' })).toMatch(/must not/);
    expect(request(planFor({}, '/x/{a}.json'), { a: 'v1' }).url.pathname).toBe('/v1/x/v1.json');
  });
});

describe('the query', () => {
  it.each([
    [{}, 'a b&c=d#e', '?c=a%20b%26c%3Dd%23e'],
    [{}, COLOURS, '?c=blue&c=black%20%26%20white'],
    [{ explode: false }, COLOURS, '?c=blue,black%20%26%20white'],
    [{}, RGB, '?R=100&G=a%2Fb'],
    [{ explode: false }, RGB, '?c=R,100,G,a%2Fb'],
    [{ style: 'spaceDelimited', explode: false }, ['a', 'b'], '?c=a%20b'],
    [{ style: 'pipeDelimited', explode: false }, ['a', 'b'], '?c=a%7Cb'],
    [
      { style: 'deepObject' },
      { a: 1, b: { d: 'x' }, e: ['y', 'z'] },
      '?c%5Ba%5D=1&c%5Bb%5D%5Bd%5D=x&c%5Be%5D=y&c%5Be%5D=z',
    ],
    [{ schema: undefined, content: { 'application/json': {} } }, { a: [1] }, '?c=%7B%22a%22%3A%5B1%5D%7D'],
    [{ allowReserved: true }, "a:/?@!$'()*,;&=+#[]%", "?c=a:/?@!$'()*,;%26%3D%2B%23%5B%5D%25".replaceAll("'", '%27')],
    [{}, [], ''],
    [{}, true, '?c=true'],
    [{}, null, ''],
    [{}, '', '?c='],
  ])('%j: %j', (parameter, value, written) => {
    expect(queryWith(parameter, value)).toBe(written);
  });

  it('keeps what the address brings, and gives it way to nobody', () => {
    const plan = planFor({ parameters: [{ name: 'o', in: 'query', schema: { type: 'object' } }] }, '/a?fixed=1');
    const withKey = { ...plan, withheld: ['key'] };
    expect(request(withKey, { o: { x: 1 } }, `${API}?key=secret`).url.search).toBe('?fixed=1&x=1&key=secret');
    expect(refusal(withKey, { o: { key: 'mine' } }, `${API}?key=secret`)).toBe('"key" is set by the gateway');
  });
});

describe('headers and cookies', () => {
  const plan = planFor({
    parameters: [
      { name: 'X-Trace', in: 'header' },
      { name: 'a', in: 'cookie' },
      { name: 'b', in: 'cookie' },
    ],
    responses: { 200: { content: { 'text/csv': {}, 'application/json': {} } } },
  });

  it('are written', () => {
    const { headers } = request(plan, { 'X-Trace': ['1', '2'], a: 'x; b=y', b: 'ü' });
    expect(headers.get('x-trace')).toBe('1,2');
    expect(headers.get('cookie')).toBe('a=x%3B%20b%3Dy; b=%C3%BC');
    expect(headers.get('accept')).toBe('application/json, text/csv, */*;q=0.1');
    expect(headers.get('user-agent')).toMatch(/^sallyport\//);
  });

  it.each(['a\r\nauthorization: mine', 'a\nb', 'a\0b', 'ü'])('hold no %j', (value) => {
    expect(refusal(plan, { 'X-Trace': value })).toMatch(/no line breaks/);
  });
});

describe('arguments', () => {
  const plan = planFor({ parameters: [{ name: 'limit', in: 'query', required: true }] }, '/a/{id}');

  it('must be there', () => {
    expect(refusal(plan, {})).toBe('"limit", "id" must be given');
    expect(refusal(plan, { limit: null, id: 'x' })).toBe('"limit" must be given');
  });

  it('must be known', () => {
    expect(refusal(plan, { limti: 1 })).toBe('there is no argument "limti"; did you mean "limit"?');
    expect(refusal(plan, { constructor: 1, limit: 1, id: 1 })).toMatch(/no argument "constructor"/);
    expect(refusal(planFor({}), { x: 1 })).toMatch(/known are: none/);
  });

  it('must be whole characters', () => {
    expect(refusal(plan, { limit: '\uD800', id: 'x' })).toMatch(/lone surrogate/);
  });
});

describe('the body', () => {
  it('is JSON', async () => {
    const built = request(planWith('application/vnd.api+json; charset=utf-8', {}), { body: [1, { a: null }] });
    expect(built.headers.get('content-type')).toBe('application/vnd.api+json; charset=utf-8');
    expect(await bodyText(built)).toBe('[1,{"a":null}]');
    expect(await bodyText(request(planWith('application/*', { type: 'object' }), { body: {} }))).toBe('{}');
  });

  it('is a form', async () => {
    const plan = planWith('application/x-www-form-urlencoded', { type: 'object' });
    const built = request(plan, { body: { a: 'x&y=z', list: [1, 2], inner: { b: 1 }, none: null } });
    expect(built.headers.get('content-type')).toBe('application/x-www-form-urlencoded');
    expect(await bodyText(built)).toBe('a=x%26y%3Dz&list=1&list=2&inner=%7B%22b%22%3A1%7D');
    const deep = planWith(
      'application/x-www-form-urlencoded',
      { type: 'object', properties: { inner: { type: 'object' } } },
      { encoding: { inner: { style: 'deepObject' } } },
    );
    expect(await bodyText(request(deep, { body: { inner: { b: 1 } } }))).toBe('inner%5Bb%5D=1');
    expect(refusal(plan, { body: 'a=b' })).toMatch(/must be an object/);
  });

  it('is made of parts', async () => {
    const plan = planWith(
      'multipart/form-data',
      { type: 'object', properties: { file: { contentMediaType: 'image/png' }, xml: { type: 'string' } } },
      { encoding: { xml: { contentType: 'text/xml' } } },
    );
    const built = request(plan, { body: { title: 'T', file: btoa('bytes'), xml: '<a/>', o: { a: 1 }, 'q"\r\n': 'v' } });
    const boundary = /boundary=(\S+)/.exec(built.headers.get('content-type') ?? '')?.[1];
    expect((await bodyText(built)).split(`--${boundary}`).map((part) => part.trim())).toEqual([
      '',
      'content-disposition: form-data; name="title"\r\n\r\nT',
      'content-disposition: form-data; name="file"; filename="file"\r\ncontent-type: application/octet-stream\r\n\r\nbytes',
      'content-disposition: form-data; name="xml"\r\ncontent-type: text/xml\r\n\r\n<a/>',
      'content-disposition: form-data; name="o"\r\ncontent-type: application/json\r\n\r\n{"a":1}',
      'content-disposition: form-data; name="q%22%0D%0A"\r\n\r\nv',
      '--',
    ]);
  });

  it('is text, or bytes', async () => {
    expect(await bodyText(request(planWith('application/xml', {}), { body: '<a/>' }))).toBe('<a/>');
    const plan = planWith('application/octet-stream', {});
    expect(await bodyText(request(plan, { body: btoa('raw') }))).toBe('raw');
    expect(refusal(plan, { body: '§§' })).toBe('"body" must be in base64');
  });

  it('must be there when it is required', () => {
    expect(refusal(planWith('application/json', {}), {})).toBe('"body" must be given');
    const plan = planFor({ requestBody: { content: { 'application/json': {} } } }, '/a', 'post');
    expect(request(plan, {}).body).toBeUndefined();
  });
});
